"""Convolutions of many models in one launch: forward with ReLU before and BatchNorm's sums after, and to their source.

A program computes one tile of pixels of one entry. Tiles depend on the size of the images alone, so an entry's result
is the same in any company.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from skelnas.training.gpu.operations.triton.norms import tile_pixels


@triton.jit
def rectified(values, RELU: tl.constexpr, OPERAND: tl.constexpr):
    """What the product reads; the ReLU is written so that NaN passes, as PyTorch's lets it."""
    values = values.to(tl.float32)
    if RELU:
        values = tl.where(values < 0, 0.0, values)
    return values.to(OPERAND)


@triton.jit
def _convolve(
    source,
    slots,
    weight,
    out,
    tile_sums,
    tile_squares,
    pixels,
    source_pixels,
    source_height,
    source_width,
    height,
    width,
    CIN: tl.constexpr,
    COUT: tl.constexpr,
    KERNEL: tl.constexpr,
    STRIDE: tl.constexpr,
    TRANSPOSED: tl.constexpr,
    RELU: tl.constexpr,
    SUMS: tl.constexpr,
    BLOCK: tl.constexpr,
    OPERAND: tl.constexpr,
    PRECISION: tl.constexpr,
):
    tile, entry = tl.program_id(0), tl.program_id(1)
    slot = tl.load(slots + entry)
    if slot < 0:
        return
    if TRANSPOSED:
        slot = entry
    pixel = tile * BLOCK + tl.arange(0, BLOCK)
    inside = pixel < pixels
    sample, rest = pixel // (height * width), pixel % (height * width)
    row, column = rest // width, rest % width
    cin, cout = tl.arange(0, CIN), tl.arange(0, COUT)
    images = source + slot.to(tl.int64) * source_pixels * CIN
    weights = weight + entry.to(tl.int64) * KERNEL * KERNEL * CIN * COUT
    total = tl.zeros((BLOCK, COUT), dtype=tl.float32)
    for tap in range(KERNEL * KERNEL):
        if TRANSPOSED:
            up, left = row + KERNEL // 2 - tap // KERNEL, column + KERNEL // 2 - tap % KERNEL
            valid = inside & (up >= 0) & (left >= 0) & (up % STRIDE == 0) & (left % STRIDE == 0)
            up, left = up // STRIDE, left // STRIDE
            taken = tl.load(weights + tap * CIN * COUT + cout[None, :] * CIN + cin[:, None])
        else:
            up, left = row * STRIDE + tap // KERNEL - KERNEL // 2, column * STRIDE + tap % KERNEL - KERNEL // 2
            valid = inside & (up >= 0) & (left >= 0)
            taken = tl.load(weights + tap * CIN * COUT + cin[:, None] * COUT + cout[None, :])
        valid = valid & (up < source_height) & (left < source_width)
        place = (sample * source_height + up) * source_width + left
        values = tl.load(images + place[:, None] * CIN + cin[None, :], mask=valid[:, None], other=0.0)
        values = rectified(values, RELU, OPERAND)
        taken = taken.to(source.dtype.element_ty).to(OPERAND)
        total = tl.dot(values, taken, total, input_precision=PRECISION)
    target = out + entry.to(tl.int64) * pixels * COUT
    tl.store(target + pixel[:, None] * COUT + cout[None, :], total.to(out.dtype.element_ty), mask=inside[:, None])
    if SUMS:
        count = tl.minimum(pixels - tile * BLOCK, BLOCK)
        kept = tl.where(inside[:, None], total, 0.0)
        sums = tl.sum(kept, 0)
        centred = tl.where(inside[:, None], total - (sums / count)[None, :], 0.0)
        part = (entry * tl.num_programs(0) + tile) * COUT + cout
        tl.store(tile_sums + part, sums)
        tl.store(tile_squares + part, tl.sum(centred * centred, 0))


def convolve(
    source: Tensor,
    slots: Tensor,
    weight: Tensor,
    out: Tensor,
    stride: int = 1,
    relu: bool = True,
    sums: Tensor | None = None,
) -> None:
    """As `Operations.convolve`; channels are powers of two of at least 16."""
    _launch(source, slots, weight, out, stride, False, relu, tile_pixels(out.shape[-1]), sums)


def input_gradient(gradient: Tensor, slots: Tensor, weight: Tensor, out: Tensor, stride: int = 1) -> None:
    """As `Operations.input_gradient`."""
    _launch(gradient, slots, weight, out, stride, True, False, tile_pixels(gradient.shape[-1]), None)


def _launch(
    source: Tensor,
    slots: Tensor,
    weight: Tensor,
    out: Tensor,
    stride: int,
    transposed: bool,
    relu: bool,
    block: int,
    sums: Tensor | None,
) -> None:
    entries, samples, height, width, channels = out.shape
    pixels = samples * height * width
    _convolve[triton.cdiv(pixels, block), entries](
        source,
        slots,
        weight,
        out,
        out if sums is None else sums[0],
        out if sums is None else sums[1],
        pixels,
        source[0, ..., 0].numel(),
        source.shape[2],
        source.shape[3],
        height,
        width,
        source.shape[-1],
        channels,
        {1: 1, 9: 3}[weight.shape[1]],
        stride,
        transposed,
        relu,
        sums is not None,
        block,
        operand(source.dtype),
        dot_precision(source.dtype),
        num_warps=exact_warps(source.dtype, source.shape[-1], channels),
    )


def operand(dtype: torch.dtype) -> tl.dtype:
    """The type in which products are taken; the interpreter has none for bfloat16, and float32 gives the same ones."""
    narrow = dtype == torch.bfloat16 and not triton.knobs.runtime.interpret
    return tl.bfloat16 if narrow else tl.float32


def dot_precision(dtype: torch.dtype) -> str:
    """How products of float32 are taken: exactly, or as TensorFloat-32 where PyTorch's own setting allows it."""
    return "tf32" if dtype == torch.float32 and torch.backends.cuda.matmul.allow_tf32 else "ieee"


def exact_warps(dtype: torch.dtype, cin: int, cout: int) -> int:
    """Warps of a program: exact products keep more in registers than tensor cores do."""
    exact = dtype == torch.float32 and dot_precision(dtype) == "ieee"
    return 8 if exact and cin * cout >= 2048 else 4
