"""The passes between convolutions: nodes from their edges, and the gradients of nodes.

A program goes down the rows of a block of columns. A pool's row, added over three columns, serves the three rows around
it, so that a pixel is read three times and not nine.
"""

import triton
import triton.language as tl
from torch import Tensor

from skelnas.training.gpu.operations.triton.kinds import ABSENT, BIAS, CONVOLUTION, POOL, SKIP
from skelnas.training.gpu.operations.triton.sums import pass_pixels


@triton.jit
def _reciprocal(place, SIZE: tl.constexpr):
    """One over how many of the three places around `place` lie inside."""
    return 1.0 / (tl.minimum(place + 1, SIZE - 1) - tl.maximum(place - 1, 0) + 1)


@triton.jit
def _line(images, kinds, indices, at, first, left, middle, right, beside, size, EDGES: tl.constexpr, C: tl.constexpr):
    """float32 (columns, C): of each image that a POOL edge takes the row at `at`, added over three columns each.

    `beside` are the weights of the left, the middle and the right column.
    """
    total = tl.zeros(middle.shape, dtype=tl.float32)
    for edge in range(EDGES):
        if tl.load(kinds + edge) == POOL:
            own = images + tl.load(indices + edge).to(tl.int64) * size + at
            total += tl.load(own - C + first, mask=left, other=0.0).to(tl.float32) * beside[0]
            total += tl.load(own + first, mask=middle, other=0.0).to(tl.float32) * beside[1]
            total += tl.load(own + C + first, mask=right, other=0.0).to(tl.float32) * beside[2]
    return total


@triton.jit
def _has(kinds, KIND: tl.constexpr, EDGES: tl.constexpr):
    found = 0
    for edge in range(EDGES):
        if tl.load(kinds + edge) == KIND:
            found = 1
    return found


@triton.jit(do_not_specialize=["samples"], do_not_specialize_on_alignment=["kinds", "indices"])
def _sum_nodes(
    pool,
    convolved,
    kinds,
    indices,
    factor,
    offset,
    out,
    samples,
    H: tl.constexpr,
    W: tl.constexpr,
    EDGES: tl.constexpr,
    C: tl.constexpr,
    BLOCK: tl.constexpr,
):
    model, channel = tl.program_id(1), tl.arange(0, C)[None, :]
    kinds += model * EDGES
    indices += model * EDGES
    if tl.load(kinds) == ABSENT:
        return
    place, size = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), samples * (H * W * C)
    inside, column = place < samples * W, place % W
    first = (place // W * (H * W) + column)[:, None] * C + channel
    middle = inside[:, None] & (channel < C)
    left, right = middle & (column > 0)[:, None], middle & (column < W - 1)[:, None]
    share, beside = _reciprocal(column, W)[:, None], (1.0, 1.0, 1.0)
    target = out + model.to(tl.int64) * size + first
    pools = _has(kinds, POOL, EDGES)
    above, here = tl.zeros((BLOCK, C), dtype=tl.float32), tl.zeros((BLOCK, C), dtype=tl.float32)
    if pools:
        here = _line(pool, kinds, indices, 0, first, left, middle, right, beside, size, EDGES, C)
    for row in range(H):
        at, total = row * W * C, tl.zeros((BLOCK, C), dtype=tl.float32)
        for edge in range(EDGES):
            kind, index = tl.load(kinds + edge), tl.load(indices + edge).to(tl.int64)
            if kind == SKIP:
                total += tl.load(pool + index * size + at + first, mask=middle, other=0.0).to(tl.float32)
            if kind == BIAS:
                total += tl.load(offset + index * C + channel)
            if kind == CONVOLUTION:
                values = tl.load(convolved + index * size + at + first, mask=middle, other=0.0).to(tl.float32)
                total += values * tl.load(factor + index * C + channel) + tl.load(offset + index * C + channel)
        if pools:
            below = tl.zeros((BLOCK, C), dtype=tl.float32)
            if row < H - 1:
                below = _line(pool, kinds, indices, at + W * C, first, left, middle, right, beside, size, EDGES, C)
            total += (above + here + below) * (share * _reciprocal(row, H))
            above = here
            here = below
        tl.store(target + at, total.to(out.dtype.element_ty), mask=middle)


def sum_nodes(
    pool: Tensor, convolved: Tensor, kinds: Tensor, indices: Tensor, factor: Tensor, offset: Tensor, out: Tensor
) -> None:
    """As `Operations.sum_nodes`."""
    models, samples, height, width, channels = out.shape
    block = pass_pixels(channels) // 2  # half of what other passes take: the edges' sums need registers too
    _sum_nodes[triton.cdiv(samples * width, block), models](
        pool,
        convolved,
        kinds,
        indices,
        factor,
        offset,
        out,
        samples,
        height,
        width,
        kinds.shape[1],
        channels,
        block,
    )


@triton.jit(do_not_specialize=["samples"], do_not_specialize_on_alignment=["kinds", "indices"])
def _sum_gradients(
    gradients,
    returned,
    kinds,
    indices,
    node,
    out,
    samples,
    H: tl.constexpr,
    W: tl.constexpr,
    EDGES: tl.constexpr,
    C: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The pool's gradient is the same sum of three by three, each over the size of its own window before."""
    model, channel = tl.program_id(1), tl.arange(0, C)[None, :]
    kinds += model * EDGES
    indices += model * EDGES
    if tl.load(kinds) == ABSENT:
        return
    place, size = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), samples * (H * W * C)
    inside, column = place < samples * W, place % W
    first = (place // W * (H * W) + column)[:, None] * C + channel
    middle = inside[:, None] & (channel < C)
    left, right = middle & (column > 0)[:, None], middle & (column < W - 1)[:, None]
    beside = (_reciprocal(column - 1, W)[:, None], _reciprocal(column, W)[:, None], _reciprocal(column + 1, W)[:, None])
    own = model.to(tl.int64) * size + first
    pools, rectified = _has(kinds, POOL, EDGES), _has(kinds, CONVOLUTION, EDGES)
    above, here = tl.zeros((BLOCK, C), dtype=tl.float32), tl.zeros((BLOCK, C), dtype=tl.float32)
    if pools:
        here = _line(gradients, kinds, indices, 0, first, left, middle, right, beside, size, EDGES, C)
        here = here * _reciprocal(0, H)
    for row in range(H):
        at, total = row * W * C, tl.zeros((BLOCK, C), dtype=tl.float32)
        passed = tl.zeros((BLOCK, C), dtype=tl.float32)
        for edge in range(EDGES):
            kind, base = tl.load(kinds + edge), tl.load(indices + edge).to(tl.int64) * size + at
            if kind == SKIP:
                total += tl.load(gradients + base + first, mask=middle, other=0.0).to(tl.float32)
            if kind == CONVOLUTION:
                passed += tl.load(returned + base + first, mask=middle, other=0.0).to(tl.float32)
        if pools:
            below = tl.zeros((BLOCK, C), dtype=tl.float32)
            if row < H - 1:
                below = _line(gradients, kinds, indices, at + W * C, first, left, middle, right, beside, size, EDGES, C)
                below = below * _reciprocal(row + 1, H)
            total += above + here + below
            above = here
            here = below
        if rectified:
            positive = tl.load(node + own + at, mask=middle, other=0.0) > 0
            total += tl.where(positive, passed, 0.0)
        tl.store(out + own + at, total.to(out.dtype.element_ty), mask=middle)


def sum_gradients(
    gradients: Tensor, returned: Tensor, kinds: Tensor, indices: Tensor, node: Tensor, out: Tensor
) -> None:
    """As `Operations.sum_gradients`."""
    models, samples, height, width, channels = out.shape
    block = pass_pixels(channels) // 2
    _sum_gradients[triton.cdiv(samples * width, block), models](
        gradients,
        returned,
        kinds,
        indices,
        node,
        out,
        samples,
        height,
        width,
        kinds.shape[1],
        channels,
        block,
    )
