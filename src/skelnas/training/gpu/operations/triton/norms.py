"""BatchNorm of many models in one launch: from what tiles leave (`tiles`) to factor and offset, and back."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from skelnas.network import NORM_EPSILON
from skelnas.training.gpu.operations import Norms
from skelnas.training.gpu.operations.triton.kinds import BIAS, CONVOLUTION
from skelnas.training.gpu.operations.triton.sums import VALUES, pass_pixels
from skelnas.training.gpu.operations.triton.tiles import tile_columns


@triton.jit(do_not_specialize=["count", "samples"])
def _batch_norm_stats(
    means,
    spreads,
    scale,
    shift,
    mean,
    variance,
    inverse,
    factor,
    offset,
    count,
    samples,
    epsilon,
    H: tl.constexpr,
    W: tl.constexpr,
    C: tl.constexpr,
    BLOCK: tl.constexpr,
    PARTS: tl.constexpr,
):
    entry, channel = tl.program_id(0).to(tl.int64), tl.arange(0, C)
    pixels = samples * (H * W)
    total = tl.zeros((C,), dtype=tl.float32)
    for start in range(0, count, PARTS):
        part = start + tl.arange(0, PARTS)
        place = (entry * count + part[:, None]) * C + channel[None, :]
        size = (tl.minimum(samples * W - part * BLOCK, BLOCK) * H).to(tl.float32)[:, None]
        used = (part < count)[:, None]
        total += tl.sum(tl.where(used, tl.load(means + place, mask=used, other=0.0) * size, 0.0), 0)
    centre = total / pixels
    spread = tl.zeros((C,), dtype=tl.float32)
    for start in range(0, count, PARTS):
        part = start + tl.arange(0, PARTS)
        place = (entry * count + part[:, None]) * C + channel[None, :]
        size = (tl.minimum(samples * W - part * BLOCK, BLOCK) * H).to(tl.float32)[:, None]
        used = (part < count)[:, None]
        apart = tl.load(means + place, mask=used, other=0.0) - centre[None, :]
        within = tl.load(spreads + place, mask=used, other=0.0)
        spread += tl.sum(tl.where(used, within + size * apart * apart, 0.0), 0)
    own = entry * C + channel
    root = 1.0 / tl.sqrt(spread / pixels + epsilon)
    slope = tl.load(scale + own) * root
    tl.store(mean + own, centre)
    tl.store(variance + own, spread / (pixels - 1))
    tl.store(inverse + own, root)
    tl.store(factor + own, slope)
    tl.store(offset + own, tl.load(shift + own) - centre * slope)


def batch_norm_stats(images: Tensor, sums: Tensor, norms: Norms) -> None:
    """As `Operations.batch_norm_stats`.

    Tiles are combined by the pairwise formula of Chan, Golub and LeVeque.
    """
    entries, tiles, channels = sums.shape[1:]
    _, samples, height, width, _ = images.shape
    _batch_norm_stats[(entries,)](
        sums[0],
        sums[1],
        norms.scale,
        norms.shift,
        norms.mean,
        norms.variance,
        norms.inverse,
        norms.factor,
        norms.offset,
        tiles,
        samples,
        NORM_EPSILON,
        height,
        width,
        channels,
        tile_columns(channels),
        VALUES // channels,
    )


@triton.jit
def _has_parameters(kinds, EDGES: tl.constexpr):
    """Whether any of a node's edges ends in a BatchNorm."""
    found = 0
    for edge in range(EDGES):
        kind = tl.load(kinds + edge)
        if (kind == CONVOLUTION) | (kind == BIAS):
            found = 1
    return found


@triton.jit(do_not_specialize=["pixels"], do_not_specialize_on_alignment=["kinds", "indices"])
def _gradient_sums(
    gradient,
    kinds,
    indices,
    images,
    mean,
    parts,
    pixels,
    EDGES: tl.constexpr,
    C: tl.constexpr,
    TILE: tl.constexpr,
):
    tile, model = tl.program_id(0), tl.program_id(1)
    if _has_parameters(kinds + model * EDGES, EDGES) == 0:
        return
    pixel, channel = tile * TILE + tl.arange(0, TILE), tl.arange(0, C)
    inside = (pixel < pixels)[:, None]
    place = pixel[:, None] * C + channel[None, :]
    given = tl.load(gradient + model.to(tl.int64) * pixels * C + place, mask=inside, other=0.0).to(tl.float32)
    sums = tl.sum(given, 0)
    for edge in range(EDGES):
        kind = tl.load(kinds + model * EDGES + edge)
        index = tl.load(indices + model * EDGES + edge).to(tl.int64)
        part = parts + (index * tl.num_programs(0) + tile) * 2 * C + channel
        if (kind == CONVOLUTION) | (kind == BIAS):
            tl.store(part, sums)
        if kind == CONVOLUTION:
            values = tl.load(images + index * pixels * C + place, mask=inside, other=0.0).to(tl.float32)
            centred = values - tl.load(mean + index * C + channel)[None, :]
            tl.store(part + C, tl.sum(tl.where(inside, given * centred, 0.0), 0))


@triton.jit(do_not_specialize=["count", "pixels"], do_not_specialize_on_alignment=["kinds", "indices"])
def _finish_backward(
    kinds,
    indices,
    parts,
    mean,
    inverse,
    factor,
    to_scale,
    to_shift,
    slope,
    constant,
    count,
    pixels,
    C: tl.constexpr,
    PARTS: tl.constexpr,
):
    edge = tl.program_id(0)
    kind, index, channel = tl.load(kinds + edge), tl.load(indices + edge).to(tl.int64), tl.arange(0, C)
    if (kind != CONVOLUTION) & (kind != BIAS):
        return
    sums, products = tl.zeros((C,), dtype=tl.float32), tl.zeros((C,), dtype=tl.float32)
    for start in range(0, count, PARTS):
        part = start + tl.arange(0, PARTS)
        place = parts + (index * count + part[:, None]) * 2 * C + channel[None, :]
        used = (part < count)[:, None]
        sums += tl.sum(tl.load(place, mask=used, other=0.0), 0)
        if kind == CONVOLUTION:
            products += tl.sum(tl.load(place + C, mask=used, other=0.0), 0)
    own = index * C + channel
    tl.store(to_shift + own, sums)
    if kind == CONVOLUTION:
        root, scaled = tl.load(inverse + own), tl.load(factor + own)
        products = products * root
        slant = -scaled * root * products / pixels
        tl.store(to_scale + own, products)
        tl.store(slope + own, slant)
        tl.store(constant + own, -scaled * sums / pixels - slant * tl.load(mean + own))


@triton.jit(do_not_specialize=["pixels"], do_not_specialize_on_alignment=["kinds", "indices"])
def _combine_gradient(
    gradient,
    kinds,
    indices,
    images,
    factor,
    slope,
    constant,
    pixels,
    EDGES: tl.constexpr,
    C: tl.constexpr,
    TILE: tl.constexpr,
):
    model, channel = tl.program_id(1), tl.arange(0, C)[None, :]
    if _has_parameters(kinds + model * EDGES, EDGES) == 0:
        return
    pixel = tl.program_id(0) * TILE + tl.arange(0, TILE)
    inside = (pixel < pixels)[:, None]
    place = pixel[:, None] * C + channel
    given = tl.load(gradient + model.to(tl.int64) * pixels * C + place, mask=inside, other=0.0).to(tl.float32)
    for edge in range(EDGES):
        if tl.load(kinds + model * EDGES + edge) == CONVOLUTION:
            index = tl.load(indices + model * EDGES + edge).to(tl.int64)
            own = images + index * pixels * C + place
            values = tl.load(own, mask=inside, other=0.0).to(tl.float32)
            scale, slant = tl.load(factor + index * C + channel), tl.load(slope + index * C + channel)
            result = scale * given + slant * values + tl.load(constant + index * C + channel)
            tl.store(own, result.to(images.dtype.element_ty), mask=inside)


def batch_norm_backward(gradient: Tensor, kinds: Tensor, indices: Tensor, images: Tensor, norms: Norms) -> None:
    """As `Operations.batch_norm_backward`."""
    models, channels, pixels = len(gradient), gradient.shape[-1], gradient[0, ..., 0].numel()
    entries, edges, tile = len(norms.mean), kinds.shape[1], pass_pixels(channels)
    tiles = triton.cdiv(pixels, tile)
    parts = torch.empty((entries, tiles, 2 * channels), dtype=torch.float32, device=images.device)
    slope, constant = torch.empty((2, entries, channels), dtype=torch.float32, device=images.device)
    _gradient_sums[tiles, models](gradient, kinds, indices, images, norms.mean, parts, pixels, edges, channels, tile)
    _finish_backward[(models * edges,)](
        kinds,
        indices,
        parts,
        norms.mean,
        norms.inverse,
        norms.factor,
        norms.to_scale,
        norms.to_shift,
        slope,
        constant,
        tiles,
        pixels,
        channels,
        VALUES // 2 // channels,
    )
    _combine_gradient[tiles, models](
        gradient, kinds, indices, images, norms.factor, slope, constant, pixels, edges, channels, tile
    )
