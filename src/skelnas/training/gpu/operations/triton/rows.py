"""3x3 convolutions of bfloat16 with as many channels out as in: forward, to the source, and to the weights.

A program goes down the rows of a block of columns. Each row of the source is read three times, as the left, the middle
and the right of the pixels in it, and serves the three rows around it before the next is read; the weights, or the nine
sums of their gradient, stay where they are. That takes 3 loads per pixel where a program that takes the taps one by one
needs 9; `bench/compiled.py` counts what is left.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from skelnas.training.gpu.operations.triton.products import operand, rectified
from skelnas.training.gpu.operations.triton.tiles import add_row, tile_columns


@triton.jit
def _tap(weights, TAP: tl.constexpr, TRANSPOSED: tl.constexpr, C: tl.constexpr, OPERAND: tl.constexpr):
    """The weights of a tap (in, out); transposed those of the tap on the other side, rounded to bfloat16."""
    along = tl.arange(0, C)
    place = along[:, None] * C + along[None, :]
    if TRANSPOSED:
        taken = tl.trans(tl.load(weights + (8 - TAP) * C * C + place))
    else:
        taken = tl.load(weights + TAP * C * C + place)
    return taken.to(tl.bfloat16).to(OPERAND)


@triton.jit(do_not_specialize=["samples"], do_not_specialize_on_alignment=["slots"])
def _convolve_rows(
    source,
    slots,
    weight,
    out,
    means,
    spreads,
    samples,
    H: tl.constexpr,
    W: tl.constexpr,
    C: tl.constexpr,
    TRANSPOSED: tl.constexpr,
    RELU: tl.constexpr,
    SUMS: tl.constexpr,
    BLOCK: tl.constexpr,
    OPERAND: tl.constexpr,
):
    tile, entry = tl.program_id(0), tl.program_id(1)
    slot = tl.load(slots + entry)
    if slot < 0:
        return
    if TRANSPOSED:
        slot = entry
    place = tile * BLOCK + tl.arange(0, BLOCK)
    inside, column, channel = place < samples * W, place % W, tl.arange(0, C)
    first = (place // W * (H * W) + column)[:, None] * C + channel[None, :]
    images = source + slot.to(tl.int64) * samples * (H * W * C) + first
    target = out + entry.to(tl.int64) * samples * (H * W * C) + first
    weights = weight + entry.to(tl.int64) * (9 * C * C)
    middle = inside[:, None]
    left, right = (inside & (column > 0))[:, None], (inside & (column < W - 1))[:, None]
    w0 = _tap(weights, 0, TRANSPOSED, C, OPERAND)
    w1 = _tap(weights, 1, TRANSPOSED, C, OPERAND)
    w2 = _tap(weights, 2, TRANSPOSED, C, OPERAND)
    w3 = _tap(weights, 3, TRANSPOSED, C, OPERAND)
    w4 = _tap(weights, 4, TRANSPOSED, C, OPERAND)
    w5 = _tap(weights, 5, TRANSPOSED, C, OPERAND)
    w6 = _tap(weights, 6, TRANSPOSED, C, OPERAND)
    w7 = _tap(weights, 7, TRANSPOSED, C, OPERAND)
    w8 = _tap(weights, 8, TRANSPOSED, C, OPERAND)
    above = tl.zeros((BLOCK, C), dtype=tl.float32)  # the sums of the row before
    here = tl.zeros((BLOCK, C), dtype=tl.float32)
    mean, spread = tl.zeros((C,), dtype=tl.float32), tl.zeros((C,), dtype=tl.float32)
    count = tl.minimum(samples * W - tile * BLOCK, BLOCK).to(tl.float32)
    for row in range(H + 1):
        at, there = row * W * C, row < H
        x0 = rectified(tl.load(images + (at - C), mask=left & there, other=0.0), RELU, OPERAND)
        x1 = rectified(tl.load(images + at, mask=middle & there, other=0.0), RELU, OPERAND)
        x2 = rectified(tl.load(images + (at + C), mask=right & there, other=0.0), RELU, OPERAND)
        above = tl.dot(x2, w8, tl.dot(x1, w7, tl.dot(x0, w6, above)))
        here = tl.dot(x2, w5, tl.dot(x1, w4, tl.dot(x0, w3, here)))
        below = tl.dot(x2, w2, tl.dot(x1, w1, tl.dot(x0, w0)))
        if row > 0:
            tl.store(target + (at - W * C), above.to(out.dtype.element_ty), mask=middle)
            if SUMS:
                mean, spread = add_row(mean, spread, above, inside, count, row - 1)
        above = here
        here = below
    if SUMS:
        part = (entry * tl.num_programs(0) + tile) * C + channel
        tl.store(means + part, mean)
        tl.store(spreads + part, spread)


@triton.jit(do_not_specialize=["samples", "span"], do_not_specialize_on_alignment=["slots"])
def _weight_gradient_rows(
    source,
    slots,
    gradient,
    parts,
    samples,
    span,
    H: tl.constexpr,
    W: tl.constexpr,
    C: tl.constexpr,
    RELU: tl.constexpr,
    BLOCK: tl.constexpr,
    OPERAND: tl.constexpr,
):
    part, entry, channel = tl.program_id(0), tl.program_id(1), tl.arange(0, C)
    slot = tl.load(slots + entry)
    if slot < 0:
        return
    images = source + slot.to(tl.int64) * samples * (H * W * C)
    gradients = gradient + entry.to(tl.int64) * samples * (H * W * C)
    a0 = tl.zeros((C, C), dtype=tl.float32)
    a1 = tl.zeros((C, C), dtype=tl.float32)
    a2 = tl.zeros((C, C), dtype=tl.float32)
    a3 = tl.zeros((C, C), dtype=tl.float32)
    a4 = tl.zeros((C, C), dtype=tl.float32)
    a5 = tl.zeros((C, C), dtype=tl.float32)
    a6 = tl.zeros((C, C), dtype=tl.float32)
    a7 = tl.zeros((C, C), dtype=tl.float32)
    a8 = tl.zeros((C, C), dtype=tl.float32)
    last = tl.minimum(samples * W, (part + 1) * span)
    for begin in range(part * span, last, BLOCK):
        place = begin + tl.arange(0, BLOCK)
        inside, column = place < last, place % W
        first = (place // W * (H * W) + column)[:, None] * C + channel[None, :]
        middle = inside[:, None]
        left, right = (inside & (column > 0))[:, None], (inside & (column < W - 1))[:, None]
        above = tl.zeros((BLOCK, C), dtype=OPERAND)
        here = tl.load(gradients + first, mask=middle, other=0.0).to(OPERAND)
        for row in range(H):
            at = row * W * C
            below = tl.load(gradients + (at + W * C) + first, mask=middle & (row < H - 1), other=0.0).to(OPERAND)
            x = tl.trans(rectified(tl.load(images + (at - C) + first, mask=left, other=0.0), RELU, OPERAND))
            a0, a3, a6 = tl.dot(x, below, a0), tl.dot(x, here, a3), tl.dot(x, above, a6)
            x = tl.trans(rectified(tl.load(images + at + first, mask=middle, other=0.0), RELU, OPERAND))
            a1, a4, a7 = tl.dot(x, below, a1), tl.dot(x, here, a4), tl.dot(x, above, a7)
            x = tl.trans(rectified(tl.load(images + (at + C) + first, mask=right, other=0.0), RELU, OPERAND))
            a2, a5, a8 = tl.dot(x, below, a2), tl.dot(x, here, a5), tl.dot(x, above, a8)
            above = here
            here = below
    base = parts + (entry * tl.num_programs(0) + part).to(tl.int64) * (9 * C * C)
    base += channel[:, None] * C + channel[None, :]
    tl.store(base, a0)
    tl.store(base + C * C, a1)
    tl.store(base + 2 * C * C, a2)
    tl.store(base + 3 * C * C, a3)
    tl.store(base + 4 * C * C, a4)
    tl.store(base + 5 * C * C, a5)
    tl.store(base + 6 * C * C, a6)
    tl.store(base + 7 * C * C, a7)
    tl.store(base + 8 * C * C, a8)


# Columns at a time, and warps, of a program for the weights: what spills no registers and does nothing twice.
OF_WEIGHTS = {16: (64, 1), 32: (16, 2), 64: (64, 8)}


def serves(images: Tensor) -> bool:
    """Whether these kernels take such images: on float32 the nine sums or weights would spill registers."""
    return images.dtype == torch.bfloat16 and images.shape[-1] in OF_WEIGHTS


def convolve(
    source: Tensor, slots: Tensor, weight: Tensor, out: Tensor, transposed: bool, relu: bool, sums: Tensor | None
) -> None:
    """out[e] = weight[e] * ReLU(source[slots[e]]), or, transposed, the input's gradient from source[e]."""
    entries, samples, height, width, channels = out.shape
    block = tile_columns(channels)
    _convolve_rows[triton.cdiv(samples * width, block), entries](
        source,
        slots,
        weight,
        out,
        out if sums is None else sums[0],
        out if sums is None else sums[1],
        samples,
        height,
        width,
        channels,
        transposed,
        relu,
        sums is not None,
        block,
        operand(source.dtype),
        num_stages=1,  # or the loads would go past the first-level cache, which serves two of each three
    )


def weight_gradient_parts(
    source: Tensor, slots: Tensor, gradient: Tensor, parts: Tensor, span: int, relu: bool
) -> None:
    """parts (E, ranges, 9, C, C): the gradient of the weights from each range of `span` columns."""
    entries, samples, height, width, channels = gradient.shape
    block, warps = OF_WEIGHTS[channels]
    _weight_gradient_rows[parts.shape[1], entries](
        source,
        slots,
        gradient,
        parts,
        samples,
        span,
        height,
        width,
        channels,
        relu,
        block,
        operand(source.dtype),
        num_warps=warps,
        num_stages=1,
    )
