"""Gradients of the weights of many models' convolutions in one launch.

A program adds up one row of taps over one range of pixels of one entry (or all nine, in `rows`): the taps of a row read
nearly the same pixels, and the gradient is read once for all of them. Ranges depend on the size of the images alone and
are added in a fixed order, so an entry's result is the same in any company.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from skelnas.training.gpu.operations.triton import rows
from skelnas.training.gpu.operations.triton.convolution import MOST_OUTPUTS
from skelnas.training.gpu.operations.triton.products import dot_precision, operand, rectified
from skelnas.training.gpu.operations.triton.sums import add_parts
from skelnas.training.gpu.operations.triton.tiles import tile_columns

LEAST_RANGE, RANGES = 2048, 32  # pixels that one program adds up, and how many such ranges


@triton.jit(do_not_specialize=["samples", "span"], do_not_specialize_on_alignment=["slots"])
def _weight_gradient(
    source,
    slots,
    gradient,
    parts,
    samples,
    span,
    H: tl.constexpr,
    W: tl.constexpr,
    CIN: tl.constexpr,
    COUT: tl.constexpr,
    OUTPUTS: tl.constexpr,
    KERNEL: tl.constexpr,
    TAPS: tl.constexpr,
    STRIDE: tl.constexpr,
    RELU: tl.constexpr,
    BLOCK: tl.constexpr,
    OPERAND: tl.constexpr,
    PRECISION: tl.constexpr,
):
    line, part, entry = tl.program_id(0) % KERNEL, tl.program_id(1), tl.program_id(2)
    slot = tl.load(slots + entry)
    if slot < 0:
        return
    cout, column = tl.program_id(0) // KERNEL * OUTPUTS + tl.arange(0, OUTPUTS), tl.arange(0, TAPS * CIN)
    tap, cin = column // CIN, column % CIN
    pixels = samples * (H * W)
    images = source + slot.to(tl.int64) * pixels * (STRIDE * STRIDE * CIN)
    gradients = gradient + entry.to(tl.int64) * pixels * COUT
    total = tl.zeros((TAPS * CIN, OUTPUTS), dtype=tl.float32)
    for first in range(0, tl.minimum(span, pixels - part * span), BLOCK):
        pixel = part * span + first + tl.arange(0, BLOCK)
        inside = (pixel < pixels) & (first + tl.arange(0, BLOCK) < span)
        sample, rest = pixel // (H * W), pixel % (H * W)
        up = rest // W * STRIDE + line - KERNEL // 2
        left = (rest % W * STRIDE)[:, None] + (tap - KERNEL // 2)[None, :]
        valid = (inside & (up >= 0) & (up < H * STRIDE))[:, None] & (left >= 0) & (left < W * STRIDE)
        place = ((sample * (H * STRIDE) + up) * (W * STRIDE))[:, None] + left
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
    entries, samples, height, width, _ = gradient.shape
    kernel = {1: 1, 9: 3}[out.shape[1]]
    ranges = max(1, min(RANGES, samples * height * width // LEAST_RANGE))
    if kernel == 3 and stride == 1 and rows.serves(source):
        span = triton.cdiv(samples * width, ranges)
        ranges = triton.cdiv(samples * width, span)
        parts = torch.empty((entries, ranges, *out.shape[1:]), dtype=torch.float32, device=out.device)
        rows.weight_gradient_parts(source, slots, gradient, parts, span, relu)
    else:
        span = triton.cdiv(samples * height * width, ranges)
        ranges = triton.cdiv(samples * height * width, span)
        parts = torch.empty((entries, ranges, *out.shape[1:]), dtype=torch.float32, device=out.device)
        _launch(source, slots, gradient, parts, span, kernel, stride, relu)
    add_parts(parts.view(entries, ranges, -1), out.view(entries, -1))


def _launch(
    source: Tensor,
    slots: Tensor,
    gradient: Tensor,
    parts: Tensor,
    span: int,
    kernel: int,
    stride: int,
    relu: bool,
) -> None:
    entries, samples, height, width, channels = gradient.shape
    outputs = min(channels, MOST_OUTPUTS)
    block, warps = program(kernel, source.shape[-1], outputs, source.dtype)
    _weight_gradient[kernel * channels // outputs, parts.shape[1], entries](
        source,
        slots,
        gradient,
        parts,
        samples,
        span,
        height,
        width,
        source.shape[-1],
        channels,
        outputs,
        kernel,
        triton.next_power_of_2(kernel),
        stride,
        relu,
        block,
        operand(source.dtype),
        dot_precision(source.dtype),
        num_warps=warps,
        # Of float32 a third stage would ask for more shared memory than sm_86, sm_89 and sm_120 have.
        num_stages=3 if source.dtype == torch.bfloat16 else 1,
    )


def program(kernel: int, cin: int, cout: int, dtype: torch.dtype) -> tuple[int, int]:
    """Pixels at a time, and warps, of a program: what neither spills registers nor takes most of the shared memory.

    `bench/compiled.py` shows both for a GPU that is not at hand.
    """
    block = tile_columns(max(cin, cout)) // (2 if kernel > 1 else 1) // (1 if dtype == torch.bfloat16 else 2)
    return max(32, block), 8 if triton.next_power_of_2(kernel) * cin * cout >= 4096 else 4
