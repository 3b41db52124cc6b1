"""The passes between convolutions: nodes from their edges, gradients of nodes, and BatchNorm's backward."""

import triton
import triton.language as tl
from torch import Tensor

from skelnas.training.fused import stacked_operations

TILE = 64  # pixels per program
SKIP = tl.constexpr(stacked_operations.SKIP)
POOL = tl.constexpr(stacked_operations.POOL)
CONVOLUTION = tl.constexpr(stacked_operations.CONVOLUTION)
BIAS = tl.constexpr(stacked_operations.BIAS)


@triton.jit
def _window(place, size):
    """How many of the three places around `place` lie inside."""
    return tl.minimum(place + 1, size - 1) - tl.maximum(place - 1, 0) + 1


@triton.jit
def _sum_nodes(
    pool,
    convolved,
    kinds,
    indices,
    factor,
    offset,
    out,
    pixels,
    height,
    width,
    EDGES: tl.constexpr,
    C: tl.constexpr,
    TILE: tl.constexpr,
):
    model, channel = tl.program_id(1), tl.arange(0, C)[None, :]
    pixel = tl.program_id(0) * TILE + tl.arange(0, TILE)
    inside = pixel < pixels
    row, column = pixel // width % height, pixel % width
    place = pixel[:, None] * C + channel
    total = tl.zeros((TILE, C), dtype=tl.float32)
    for edge in range(EDGES):
        kind = tl.load(kinds + model * EDGES + edge)
        index = tl.load(indices + model * EDGES + edge).to(tl.int64)
        base = index * pixels * C
        if kind == SKIP:
            total += tl.load(pool + base + place, mask=inside[:, None], other=0.0).to(tl.float32)
        if kind == CONVOLUTION:
            values = tl.load(convolved + base + place, mask=inside[:, None], other=0.0).to(tl.float32)
            total += values * tl.load(factor + index * C + channel) + tl.load(offset + index * C + channel)
        if kind == BIAS:
            total += tl.load(offset + index * C + channel)
        if kind == POOL:
            window = tl.zeros((TILE, C), dtype=tl.float32)
            for near in range(9):
                up, left = row + near // 3 - 1, column + near % 3 - 1
                valid = inside & (up >= 0) & (up < height) & (left >= 0) & (left < width)
                there = base + place + ((near // 3 - 1) * width + near % 3 - 1) * C
                window += tl.load(pool + there, mask=valid[:, None], other=0.0).to(tl.float32)
            total += window / (_window(row, height) * _window(column, width)).to(tl.float32)[:, None]
    target = out + model.to(tl.int64) * pixels * C + place
    tl.store(target, total.to(out.dtype.element_ty), mask=inside[:, None])


def sum_nodes(
    pool: Tensor, convolved: Tensor, kinds: Tensor, indices: Tensor, factor: Tensor, offset: Tensor, out: Tensor
) -> None:
    """As `stacked_operations.sum_nodes`."""
    models, samples, height, width, channels = out.shape
    pixels = samples * height * width
    _sum_nodes[triton.cdiv(pixels, TILE), models](
        pool, convolved, kinds, indices, factor, offset, out, pixels, height, width, kinds.shape[1], channels, TILE
    )


@triton.jit
def _sum_gradients(
    gradients,
    returned,
    kinds,
    indices,
    node,
    out,
    pixels,
    height,
    width,
    EDGES: tl.constexpr,
    C: tl.constexpr,
    TILE: tl.constexpr,
):
    model, channel = tl.program_id(1), tl.arange(0, C)[None, :]
    pixel = tl.program_id(0) * TILE + tl.arange(0, TILE)
    inside = pixel < pixels
    row, column = pixel // width % height, pixel % width
    place = pixel[:, None] * C + channel
    own = model.to(tl.int64) * pixels * C + place
    total = tl.zeros((TILE, C), dtype=tl.float32)
    passed = tl.zeros((TILE, C), dtype=tl.float32)
    for edge in range(EDGES):
        kind = tl.load(kinds + model * EDGES + edge)
        base = tl.load(indices + model * EDGES + edge).to(tl.int64) * pixels * C
        if kind == SKIP:
            total += tl.load(gradients + base + place, mask=inside[:, None], other=0.0).to(tl.float32)
        if kind == CONVOLUTION:
            passed += tl.load(returned + base + place, mask=inside[:, None], other=0.0).to(tl.float32)
        if kind == POOL:
            for near in range(9):
                up, left = row + near // 3 - 1, column + near % 3 - 1
                valid = inside & (up >= 0) & (up < height) & (left >= 0) & (left < width)
                there = base + place + ((near // 3 - 1) * width + near % 3 - 1) * C
                given = tl.load(gradients + there, mask=valid[:, None], other=0.0).to(tl.float32)
                size = tl.where(valid, _window(up, height) * _window(left, width), 1).to(tl.float32)
                total += given / size[:, None]
    positive = tl.load(node + own, mask=inside[:, None], other=0.0) > 0
    total += tl.where(positive, passed, 0.0)
    tl.store(out + own, total.to(out.dtype.element_ty), mask=inside[:, None])


def sum_gradients(
    gradients: Tensor, returned: Tensor, kinds: Tensor, indices: Tensor, node: Tensor, out: Tensor
) -> None:
    """As `stacked_operations.sum_gradients`."""
    models, samples, height, width, channels = out.shape
    pixels = samples * height * width
    _sum_gradients[triton.cdiv(pixels, TILE), models](
        gradients, returned, kinds, indices, node, out, pixels, height, width, kinds.shape[1], channels, TILE
    )


@triton.jit
def _combine_gradient(gradients, slots, images, factor, slope, constant, pixels, C: tl.constexpr, TILE: tl.constexpr):
    entry, channel = tl.program_id(1), tl.arange(0, C)[None, :]
    slot = tl.load(slots + entry)
    if slot < 0:
        return
    pixel = tl.program_id(0) * TILE + tl.arange(0, TILE)
    inside = (pixel < pixels)[:, None]
    place = pixel[:, None] * C + channel
    own = images + entry.to(tl.int64) * pixels * C + place
    given = tl.load(gradients + slot.to(tl.int64) * pixels * C + place, mask=inside, other=0.0).to(tl.float32)
    values = tl.load(own, mask=inside, other=0.0).to(tl.float32)
    scale, slant = tl.load(factor + entry * C + channel), tl.load(slope + entry * C + channel)
    result = scale * given + slant * values + tl.load(constant + entry * C + channel)
    tl.store(own, result.to(images.dtype.element_ty), mask=inside)


def combine_gradient(
    gradients: Tensor, slots: Tensor, images: Tensor, factor: Tensor, slope: Tensor, constant: Tensor
) -> None:
    """As `stacked_operations.combine_gradient`."""
    entries, samples, height, width, channels = images.shape
    pixels = samples * height * width
    _combine_gradient[triton.cdiv(pixels, TILE), entries](
        gradients, slots, images, factor, slope, constant, pixels, channels, TILE
    )
