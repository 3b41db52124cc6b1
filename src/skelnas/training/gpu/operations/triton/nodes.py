"""The passes between convolutions: nodes from their edges, and the gradients of nodes."""

import triton
import triton.language as tl
from torch import Tensor

from skelnas.training.gpu.operations.triton.kinds import ABSENT, BIAS, CONVOLUTION, POOL, SKIP
from skelnas.training.gpu.operations.triton.sums import pass_pixels


@triton.jit
def _window(place, size):
    """How many of the three places around `place` lie inside."""
    return tl.minimum(place + 1, size - 1) - tl.maximum(place - 1, 0) + 1


@triton.jit
def _pooled(images, place, inside, row, column, height, width, C: tl.constexpr):
    """The 3x3 average of float32 (pixels, C) around each pixel, those outside not counted."""
    window = tl.zeros(place.shape, dtype=tl.float32)
    for near in range(9):
        up, left = row + near // 3 - 1, column + near % 3 - 1
        valid = inside & (up >= 0) & (up < height) & (left >= 0) & (left < width)
        there = place + ((near // 3 - 1) * width + near % 3 - 1) * C
        window += tl.load(images + there, mask=valid[:, None], other=0.0).to(tl.float32)
    return window / (_window(row, height) * _window(column, width)).to(tl.float32)[:, None]


@triton.jit
def with_image(
    total, pool, offset, kind, index, place, inside, row, column, pixels, height, width, channel, C: tl.constexpr
):
    """`total` float32 (pixels, C) with what an edge adds that is no convolution; index int64."""
    images = pool + index * pixels * C
    if kind == SKIP:
        total += tl.load(images + place, mask=inside[:, None], other=0.0).to(tl.float32)
    if kind == POOL:
        total += _pooled(images, place, inside, row, column, height, width, C)
    if kind == BIAS:
        total += tl.load(offset + index * C + channel)
    return total


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
    if tl.load(kinds + model * EDGES) == ABSENT:
        return
    pixel = tl.program_id(0) * TILE + tl.arange(0, TILE)
    inside = pixel < pixels
    row, column = pixel // width % height, pixel % width
    place = pixel[:, None] * C + channel
    total = tl.zeros((TILE, C), dtype=tl.float32)
    for edge in range(EDGES):
        kind = tl.load(kinds + model * EDGES + edge)
        index = tl.load(indices + model * EDGES + edge).to(tl.int64)
        total = with_image(
            total, pool, offset, kind, index, place, inside, row, column, pixels, height, width, channel, C
        )
        if kind == CONVOLUTION:
            images = convolved + index * pixels * C
            values = tl.load(images + place, mask=inside[:, None], other=0.0).to(tl.float32)
            total += values * tl.load(factor + index * C + channel) + tl.load(offset + index * C + channel)
    target = out + model.to(tl.int64) * pixels * C + place
    tl.store(target, total.to(out.dtype.element_ty), mask=inside[:, None])


def sum_nodes(
    pool: Tensor, convolved: Tensor, kinds: Tensor, indices: Tensor, factor: Tensor, offset: Tensor, out: Tensor
) -> None:
    """As `Operations.sum_nodes`."""
    models, samples, height, width, channels = out.shape
    pixels = samples * height * width
    tile = pass_pixels(channels) // 2  # half of what other passes take: the edges' sums need registers too
    _sum_nodes[triton.cdiv(pixels, tile), models](
        pool, convolved, kinds, indices, factor, offset, out, pixels, height, width, kinds.shape[1], channels, tile
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
    if tl.load(kinds + model * EDGES) == ABSENT:
        return
    pixel = tl.program_id(0) * TILE + tl.arange(0, TILE)
    inside = pixel < pixels
    row, column = pixel // width % height, pixel % width
    place = pixel[:, None] * C + channel
    own = model.to(tl.int64) * pixels * C + place
    total = tl.zeros((TILE, C), dtype=tl.float32)
    passed = tl.zeros((TILE, C), dtype=tl.float32)
    rectified = 0
    for edge in range(EDGES):
        kind = tl.load(kinds + model * EDGES + edge)
        base = tl.load(indices + model * EDGES + edge).to(tl.int64) * pixels * C
        if kind == SKIP:
            total += tl.load(gradients + base + place, mask=inside[:, None], other=0.0).to(tl.float32)
        if kind == CONVOLUTION:
            passed += tl.load(returned + base + place, mask=inside[:, None], other=0.0).to(tl.float32)
            rectified = 1
        if kind == POOL:
            for near in range(9):
                up, left = row + near // 3 - 1, column + near % 3 - 1
                valid = inside & (up >= 0) & (up < height) & (left >= 0) & (left < width)
                there = base + place + ((near // 3 - 1) * width + near % 3 - 1) * C
                given = tl.load(gradients + there, mask=valid[:, None], other=0.0).to(tl.float32)
                size = tl.where(valid, _window(up, height) * _window(left, width), 1).to(tl.float32)
                total += given / size[:, None]
    if rectified:
        positive = tl.load(node + own, mask=inside[:, None], other=0.0) > 0
        total += tl.where(positive, passed, 0.0)
    tl.store(out + own, total.to(out.dtype.element_ty), mask=inside[:, None])


def sum_gradients(
    gradients: Tensor, returned: Tensor, kinds: Tensor, indices: Tensor, node: Tensor, out: Tensor
) -> None:
    """As `Operations.sum_gradients`."""
    models, samples, height, width, channels = out.shape
    pixels = samples * height * width
    tile = pass_pixels(channels) // 2
    _sum_gradients[triton.cdiv(pixels, tile), models](
        gradients, returned, kinds, indices, node, out, pixels, height, width, kinds.shape[1], channels, tile
    )
