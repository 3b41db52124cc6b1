"""Nodes of many models with their convolutions in one launch, for evaluation: nothing but nodes is written."""

import triton
import triton.language as tl
from torch import Tensor

from skelnas.training.gpu.operations.triton.convolution import dot_precision, exact_warps, operand, rectified
from skelnas.training.gpu.operations.triton.kinds import ABSENT, CONVOLUTION
from skelnas.training.gpu.operations.triton.nodes import with_image
from skelnas.training.gpu.operations.triton.norms import tile_pixels


@triton.jit
def _evaluate_nodes(
    pool,
    source,
    kinds,
    indices,
    weight3,
    weight1,
    factor,
    offset,
    out,
    pixels,
    height,
    width,
    begin,
    border,
    EDGES: tl.constexpr,
    C: tl.constexpr,
    TILE: tl.constexpr,
    OPERAND: tl.constexpr,
    PRECISION: tl.constexpr,
):
    model, channel, into = tl.program_id(1), tl.arange(0, C)[None, :], tl.arange(0, C)[:, None]
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
            images = pool + tl.load(source + index).to(tl.int64) * pixels * C
            product = tl.zeros((TILE, C), dtype=tl.float32)
            if index < border:
                weights = weight3 + (index - begin) * 9 * C * C
                for tap in range(9):
                    up, left = row + tap // 3 - 1, column + tap % 3 - 1
                    valid = inside & (up >= 0) & (up < height) & (left >= 0) & (left < width)
                    there = place + ((tap // 3 - 1) * width + tap % 3 - 1) * C
                    values = tl.load(images + there, mask=valid[:, None], other=0.0)
                    taken = tl.load(weights + tap * C * C + into * C + channel)
                    taken = taken.to(out.dtype.element_ty).to(OPERAND)
                    product = tl.dot(rectified(values, True, OPERAND), taken, product, input_precision=PRECISION)
            else:
                values = tl.load(images + place, mask=inside[:, None], other=0.0)
                taken = tl.load(weight1 + (index - border) * C * C + into * C + channel)
                taken = taken.to(out.dtype.element_ty).to(OPERAND)
                product = tl.dot(rectified(values, True, OPERAND), taken, product, input_precision=PRECISION)
            total += product * tl.load(factor + index * C + channel) + tl.load(offset + index * C + channel)
    target = out + model.to(tl.int64) * pixels * C + place
    tl.store(target, total.to(out.dtype.element_ty), mask=inside[:, None])


def evaluate_nodes(
    pool: Tensor,
    source: Tensor,
    kinds: Tensor,
    indices: Tensor,
    weight3: Tensor,
    weight1: Tensor,
    begin: int,
    factor: Tensor,
    offset: Tensor,
    out: Tensor,
) -> None:
    """As `Operations.evaluate_nodes`."""
    models, samples, height, width, channels = out.shape
    pixels, tile = samples * height * width, tile_pixels(channels)
    _evaluate_nodes[triton.cdiv(pixels, tile), models](
        pool,
        source,
        kinds,
        indices,
        weight3,
        weight1,
        factor,
        offset,
        out,
        pixels,
        height,
        width,
        begin,
        begin + len(weight3),
        kinds.shape[1],
        channels,
        tile,
        operand(out.dtype),
        dot_precision(out.dtype),
        num_warps=exact_warps(out.dtype, channels, channels),
    )
