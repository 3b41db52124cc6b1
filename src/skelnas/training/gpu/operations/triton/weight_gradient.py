"""Gradients of the weights of many models' convolutions in one launch.

A program adds up one row of taps over one range of pixels of one entry: the taps of a row read nearly the same pixels,
and the gradient is read once for all of them. Ranges depend on the size of the images alone and are added in a fixed
order, so an entry's result is the same in any company.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from skelnas.training.gpu.operations.triton.convolution import dot_precision, operand, rectified
from skelnas.training.gpu.operations.triton.norms import tile_pixels
from skelnas.training.gpu.operations.triton.sums import add_parts

LEAST_RANGE, RANGES = 2048, 32  # pixels that one program adds up, and how many such ranges


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
    TAPS: tl.constexpr,
    STRIDE: tl.constexpr,
    RELU: tl.constexpr,
    BLOCK: tl.constexpr,
    OPERAND: tl.constexpr,
    PRECISION: tl.constexpr,
):
    line, part, entry = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    slot = tl.load(slots + entry)
    if slot < 0:
        return
    cout, wide = tl.arange(0, COUT), tl.arange(0, TAPS * CIN)
    tap, cin = wide // CIN, wide % CIN
    images = source + slot.to(tl.int64) * source_pixels * CIN
    gradients = gradient + entry.to(tl.int64) * pixels * COUT
    total = tl.zeros((TAPS * CIN, COUT), dtype=tl.float32)
    for first in range(0, tl.minimum(span, pixels - part * span), BLOCK):
        pixel = part * span + first + tl.arange(0, BLOCK)
        inside = (pixel < pixels) & (first + tl.arange(0, BLOCK) < span)
        sample, rest = pixel // (height * width), pixel % (height * width)
        up = rest // width * STRIDE + line - KERNEL // 2
        left = (rest % width * STRIDE)[:, None] + (tap - KERNEL // 2)[None, :]
        valid = (inside & (up >= 0) & (up < source_height))[:, None] & (left >= 0) & (left < source_width)
        place = ((sample * source_height + up) * source_width)[:, None] + left
        valid = valid & (tap < KERNEL)[None, :]
        values = tl.load(images + place * CIN + cin[None, :], mask=valid, other=0.0)
        values = rectified(values, RELU, OPERAND)
        given = tl.load(gradients + pixel[:, None] * COUT + cout[None, :], mask=inside[:, None], other=0.0)
        total = tl.dot(tl.trans(values), given.to(OPERAND), total, input_precision=PRECISION)
    taps = (entry * tl.num_programs(1) + part) * KERNEL * KERNEL + line * KERNEL
    place = parts + (taps + tap).to(tl.int64) * CIN * COUT + cin * COUT
    tl.store(place[:, None] + cout[None, :], total, mask=(tap < KERNEL)[:, None])


def weight_gradient(
    source: Tensor, slots: Tensor, gradient: Tensor, out: Tensor, stride: int = 1, relu: bool = True
) -> None:
    """As `Operations.weight_gradient`; entries without work get undefined values."""
    entries, samples, height, width, channels = gradient.shape
    pixels, kernel = samples * height * width, {1: 1, 9: 3}[out.shape[1]]
    span = max(LEAST_RANGE, triton.cdiv(pixels, RANGES))
    ranges = triton.cdiv(pixels, span)
    block, warps = program(kernel, source.shape[-1], channels, source.dtype)
    parts = torch.empty((entries, ranges, *out.shape[1:]), dtype=torch.float32, device=out.device)
    _weight_gradient[kernel, ranges, entries](
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
        kernel,
        triton.next_power_of_2(kernel),
        stride,
        relu,
        block,
        operand(source.dtype),
        dot_precision(source.dtype),
        num_warps=warps,
    )
    add_parts(parts.view(entries, ranges, -1), out.view(entries, -1))


def program(kernel: int, cin: int, cout: int, dtype: torch.dtype) -> tuple[int, int]:
    """Pixels at a time, and warps, of a program: what neither spills registers nor takes most of the shared memory.

    `bench/compiled.py` shows both for a GPU that is not at hand.
    """
    block = tile_pixels(max(cin, cout)) // (2 if kernel > 1 else 1) // (1 if dtype == torch.bfloat16 else 2)
    return max(32, block), 8 if triton.next_power_of_2(kernel) * cin * cout >= 4096 else 4
