"""Convolutions of many models in one launch: forward with ReLU before and BatchNorm's statistics after, and back.

A program goes down all rows of a block of columns of one entry: `column` counts the columns of all samples side by
side, and what stays the same from row to row is computed once. Blocks depend on the size of the images alone, so an
entry's result is the same in any company. 3x3 convolutions of bfloat16 have kernels of their own, in `rows`.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from skelnas.training.gpu.operations.triton import rows
from skelnas.training.gpu.operations.triton.products import dot_precision, exact_warps, operand, rectified
from skelnas.training.gpu.operations.triton.tiles import add_row, tile_columns

MOST_OUTPUTS = 64  # channels that one program computes, and half as many of exact products, which take more registers


@triton.jit(do_not_specialize=["samples"], do_not_specialize_on_alignment=["slots"])
def _convolve(
    source,
    slots,
    weight,
    out,
    means,
    spreads,
    samples,
    H: tl.constexpr,
    W: tl.constexpr,
    CIN: tl.constexpr,
    COUT: tl.constexpr,
    OUTPUTS: tl.constexpr,
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
    place = tile * BLOCK + tl.arange(0, BLOCK)
    inside, sample, column = place < samples * W, place // W, place % W
    cin, cout = tl.arange(0, CIN), tl.program_id(2) * OUTPUTS + tl.arange(0, OUTPUTS)
    images = source + slot.to(tl.int64) * samples * (H * STRIDE * W * STRIDE * CIN)
    target = out + entry.to(tl.int64) * samples * (H * W * COUT)
    weights = weight + entry.to(tl.int64) * (KERNEL * KERNEL * CIN * COUT)
    mean, spread = tl.zeros((OUTPUTS,), dtype=tl.float32), tl.zeros((OUTPUTS,), dtype=tl.float32)
    count = tl.minimum(samples * W - tile * BLOCK, BLOCK).to(tl.float32)
    for row in range(H):
        total = tl.zeros((BLOCK, OUTPUTS), dtype=tl.float32)
        for tap in range(KERNEL * KERNEL):
            up = row * STRIDE + tap // KERNEL - KERNEL // 2
            left = column * STRIDE + tap % KERNEL - KERNEL // 2
            if TRANSPOSED:  # from the tap on the other side
                other = weights + (KERNEL * KERNEL - 1 - tap) * CIN * COUT
                taken = tl.trans(tl.load(other + cout[:, None] * CIN + cin[None, :]))
            else:
                taken = tl.load(weights + tap * CIN * COUT + cin[:, None] * COUT + cout[None, :])
            valid = inside & (up >= 0) & (up < H * STRIDE) & (left >= 0) & (left < W * STRIDE)
            there = (sample * (H * STRIDE) + up) * (W * STRIDE) + left
            values = tl.load(images + there[:, None] * CIN + cin[None, :], mask=valid[:, None], other=0.0)
            taken = taken.to(source.dtype.element_ty).to(OPERAND)
            total = tl.dot(rectified(values, RELU, OPERAND), taken, total, input_precision=PRECISION)
        here = ((sample * H + row) * W + column)[:, None] * COUT + cout[None, :]
        tl.store(target + here, total.to(out.dtype.element_ty), mask=inside[:, None])
        if SUMS:
            mean, spread = add_row(mean, spread, total, inside, count, row)
    if SUMS:
        part = (entry * tl.num_programs(0) + tile) * COUT + cout
        tl.store(means + part, mean)
        tl.store(spreads + part, spread)


@triton.jit(do_not_specialize=["samples"], do_not_specialize_on_alignment=["slots"])
def _halving_gradient(
    gradient,
    slots,
    weight,
    out,
    samples,
    H: tl.constexpr,
    W: tl.constexpr,
    CIN: tl.constexpr,
    COUT: tl.constexpr,
    BLOCK: tl.constexpr,
    OPERAND: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Of a 3x3 convolution with stride 2, from gradients of H x W: each gives four pixels of the source.

    An even row or column is read by the middle tap alone; an odd one by the first tap of the place after it and by the
    last one of the place before.
    """
    tile, entry = tl.program_id(0), tl.program_id(1)
    if tl.load(slots + entry) < 0:
        return
    place = tile * BLOCK + tl.arange(0, BLOCK)
    inside, sample, column = place < samples * W, place // W, place % W
    cin, cout = tl.arange(0, CIN), tl.arange(0, COUT)
    given = gradient + entry.to(tl.int64) * samples * (H * W * COUT)
    target = out + entry.to(tl.int64) * samples * (4 * H * W * CIN)
    weights = weight + entry.to(tl.int64) * (9 * CIN * COUT) + cin[:, None] * COUT + cout[None, :]
    for line in range(2 * H):
        for side in range(2):
            total = tl.zeros((BLOCK, CIN), dtype=tl.float32)
            odd = line % 2
            for tap in range((1 + odd) * (1 + side)):
                down, right = tap // (1 + side), tap % (1 + side)  # which gradient: this one, or the next
                row = line // 2 + down
                up, left = 1 + odd * (1 - 2 * down), 1 + side * (1 - 2 * right)
                valid = inside & (row < H) & (column + right < W)
                there = ((sample * H + row) * W + column + right)[:, None] * COUT + cout[None, :]
                values = tl.load(given + there, mask=valid[:, None], other=0.0).to(OPERAND)
                taken = tl.load(weights + (up * 3 + left) * CIN * COUT)
                taken = tl.trans(taken.to(gradient.dtype.element_ty).to(OPERAND))
                total = tl.dot(values, taken, total, input_precision=PRECISION)
            here = ((sample * (2 * H) + line) * (2 * W) + 2 * column + side)[:, None] * CIN + cin[None, :]
            tl.store(target + here, total.to(out.dtype.element_ty), mask=inside[:, None])


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
    if weight.shape[1] == 9 and stride == 1 and rows.serves(source):
        rows.convolve(source, slots, weight, out, False, relu, sums)
    else:
        _launch(source, slots, weight, out, stride, False, relu, sums)


def input_gradient(gradient: Tensor, slots: Tensor, weight: Tensor, out: Tensor, stride: int = 1) -> None:
    """As `Operations.input_gradient`."""
    if stride == 2:
        entries, samples, height, width, channels = gradient.shape
        block = min(32, tile_columns(channels))
        _halving_gradient[triton.cdiv(samples * width, block), entries](
            gradient,
            slots,
            weight,
            out,
            samples,
            height,
            width,
            out.shape[-1],
            channels,
            block,
            operand(gradient.dtype),
            dot_precision(gradient.dtype),
            num_warps=exact_warps(gradient.dtype, channels, channels),
        )
    elif weight.shape[1] == 9 and rows.serves(gradient):
        rows.convolve(gradient, slots, weight, out, True, False, None)
    else:
        _launch(gradient, slots, weight, out, 1, True, False, None)


def _launch(
    source: Tensor,
    slots: Tensor,
    weight: Tensor,
    out: Tensor,
    stride: int,
    transposed: bool,
    relu: bool,
    sums: Tensor | None,
) -> None:
    entries, samples, height, width, channels = out.shape
    given = source.shape[-1]
    precision = dot_precision(source.dtype)
    exact = source.dtype == torch.float32 and precision == "ieee"
    block, outputs = tile_columns(max(channels, given)), min(channels, MOST_OUTPUTS // (1 + exact))
    if sums is not None:
        block = tile_columns(channels)
    _convolve[triton.cdiv(samples * width, block), entries, channels // outputs](
        source,
        slots,
        weight,
        out,
        out if sums is None else sums[0],
        out if sums is None else sums[1],
        samples,
        height,
        width,
        given,
        channels,
        outputs,
        {1: 1, 9: 3}[weight.shape[1]],
        stride,
        transposed,
        relu,
        sums is not None,
        block,
        operand(source.dtype),
        precision,
        num_warps=exact_warps(source.dtype, given, outputs),
    )
