"""Convolutions of many models in one launch: forward with ReLU before and BatchNorm's moments after, and backward.

A program computes one tile of pixels (or one tap of one range of pixels) of one entry. Tiles depend on the size of the
images alone and partial sums are added in a fixed order, so an entry's result is the same in any company.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from skelnas.training.kernels.sums import add_parts, combine_moments

LEAST_RANGE, RANGES = 2048, 32  # pixels that one program adds up for a weight's gradient, and how many such ranges


@triton.jit
def _operand(values, RELU: tl.constexpr, OPERAND: tl.constexpr):
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
    MOMENTS: tl.constexpr,
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
        values = _operand(values, RELU, OPERAND)
        taken = taken.to(source.dtype.element_ty).to(OPERAND)
        total = tl.dot(values, taken, total, input_precision=PRECISION)
    target = out + entry.to(tl.int64) * pixels * COUT
    tl.store(target + pixel[:, None] * COUT + cout[None, :], total.to(out.dtype.element_ty), mask=inside[:, None])
    if MOMENTS:
        count = tl.minimum(pixels - tile * BLOCK, BLOCK)
        kept = tl.where(inside[:, None], total, 0.0)
        sums = tl.sum(kept, 0)
        centred = tl.where(inside[:, None], total - (sums / count)[None, :], 0.0)
        part = (entry * tl.num_programs(0) + tile) * COUT + cout
        tl.store(tile_sums + part, sums)
        tl.store(tile_squares + part, tl.sum(centred * centred, 0))


@triton.jit
def _weight_gradient(
    source,
    slots,
    gradient,
    parts,
    pixels,
    source_pixels,
    source_height,
    source_width,
    height,
    width,
    span,
    CIN: tl.constexpr,
    COUT: tl.constexpr,
    KERNEL: tl.constexpr,
    STRIDE: tl.constexpr,
    RELU: tl.constexpr,
    BLOCK: tl.constexpr,
    OPERAND: tl.constexpr,
    PRECISION: tl.constexpr,
):
    tap, part, entry = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    slot = tl.load(slots + entry)
    if slot < 0:
        return
    cin, cout = tl.arange(0, CIN), tl.arange(0, COUT)
    images = source + slot.to(tl.int64) * source_pixels * CIN
    gradients = gradient + entry.to(tl.int64) * pixels * COUT
    total = tl.zeros((CIN, COUT), dtype=tl.float32)
    for first in range(0, tl.minimum(span, pixels - part * span), BLOCK):
        pixel = part * span + first + tl.arange(0, BLOCK)
        inside = (pixel < pixels) & (first + tl.arange(0, BLOCK) < span)
        sample, rest = pixel // (height * width), pixel % (height * width)
        up = rest // width * STRIDE + tap // KERNEL - KERNEL // 2
        left = rest % width * STRIDE + tap % KERNEL - KERNEL // 2
        valid = inside & (up >= 0) & (left >= 0) & (up < source_height) & (left < source_width)
        place = (sample * source_height + up) * source_width + left
        values = tl.load(images + place[:, None] * CIN + cin[None, :], mask=valid[:, None], other=0.0)
        values = _operand(values, RELU, OPERAND)
        given = tl.load(gradients + pixel[:, None] * COUT + cout[None, :], mask=inside[:, None], other=0.0)
        total = tl.dot(tl.trans(values), given.to(OPERAND), total, input_precision=PRECISION)
    place = ((entry * tl.num_programs(1) + part) * KERNEL * KERNEL + tap).to(tl.int64) * CIN * COUT
    tl.store(parts + place + cin[:, None] * COUT + cout[None, :], total)


def convolve(
    source: Tensor, slots: Tensor, weight: Tensor, out: Tensor, stride: int = 1, relu: bool = True, moments: bool = True
) -> tuple[Tensor, Tensor] | None:
    """As `stacked_operations.convolve`; channels are powers of two of at least 16."""
    return _launch(source, slots, weight, out, stride, False, relu, moments)


def convolve_transposed(gradient: Tensor, slots: Tensor, weight: Tensor, out: Tensor, stride: int = 1) -> None:
    """As `stacked_operations.convolve_transposed`."""
    _launch(gradient, slots, weight, out, stride, True, False, False)


def _launch(
    source: Tensor,
    slots: Tensor,
    weight: Tensor,
    out: Tensor,
    stride: int,
    transposed: bool,
    relu: bool,
    moments: bool,
) -> tuple[Tensor, Tensor] | None:
    entries, samples, height, width, channels = out.shape
    pixels, block = samples * height * width, tile_pixels(source.shape[-1], channels)
    tiles = triton.cdiv(pixels, block)
    sums = torch.empty((2, entries, tiles if moments else 0, channels), dtype=torch.float32, device=out.device)
    _convolve[tiles, entries](
        source,
        slots,
        weight,
        out,
        sums[0],
        sums[1],
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
        moments,
        block,
        operand(source.dtype),
        dot_precision(source.dtype),
    )
    return combine_moments(sums[0], sums[1], pixels, block) if moments else None


def weight_gradient(
    source: Tensor, slots: Tensor, gradient: Tensor, out: Tensor, stride: int = 1, relu: bool = True
) -> None:
    """As `stacked_operations.weight_gradient`; entries without work get undefined values."""
    entries, samples, height, width, channels = gradient.shape
    pixels, taps = samples * height * width, out.shape[1]
    span = max(LEAST_RANGE, triton.cdiv(pixels, RANGES))
    ranges = triton.cdiv(pixels, span)
    parts = torch.empty((entries, ranges, *out.shape[1:]), dtype=torch.float32, device=out.device)
    _weight_gradient[taps, ranges, entries](
        source,
        slots,
        gradient,
        parts,
        pixels,
        source[0, ..., 0].numel(),
        source.shape[2],
        source.shape[3],
        height,
        width,
        span,
        source.shape[-1],
        channels,
        {1: 1, 9: 3}[taps],
        stride,
        relu,
        tile_pixels(source.shape[-1], channels),
        operand(source.dtype),
        dot_precision(source.dtype),
    )
    out.copy_(add_parts(parts.view(entries, ranges, -1)).view(out.shape))


def tile_pixels(*channels: int) -> int:
    """Pixels per tile: wide tiles of many channels would spill registers."""
    return 128 if max(channels) <= 32 else 64


def operand(dtype: torch.dtype) -> tl.dtype:
    """The type in which products are taken; the interpreter has none for bfloat16, and float32 gives the same ones."""
    narrow = dtype == torch.bfloat16 and not triton.knobs.runtime.interpret
    return tl.bfloat16 if narrow else tl.float32


def dot_precision(dtype: torch.dtype) -> str:
    """How products of float32 are taken: exactly, or as TensorFloat-32 where PyTorch's own setting allows it."""
    return "tf32" if dtype == torch.float32 and torch.backends.cuda.matmul.allow_tf32 else "ieee"
