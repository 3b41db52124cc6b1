"""BatchNorm of many models in one launch: from the sums of tiles to factor and offset, and back.

Sums are taken tile by tile, about each tile's own mean, and added in a fixed order: an entry's result is the same in
any company, and nothing cancels where a mean is large against its variance.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from skelnas.network import NORM_EPSILON
from skelnas.training.gpu.operations import Norms
from skelnas.training.gpu.operations.triton.kinds import BIAS, CONVOLUTION
from skelnas.training.gpu.operations.triton.sums import VALUES, pass_pixels


def tile_pixels(channels: int) -> int:
    """Pixels per tile of a convolution: wide tiles of many channels would spill registers."""
    return 128 if channels <= 32 else 64


def tile_sums(images: Tensor) -> Tensor:
    """Room for what tiles leave: (2, E, tiles, C), each tile's sum and its squares about its own mean."""
    entries, channels, pixels = len(images), images.shape[-1], images[0, ..., 0].numel()
    tiles = triton.cdiv(pixels, tile_pixels(channels))
    return torch.empty((2, entries, tiles, channels), dtype=torch.float32, device=images.device)


@triton.jit
def _image_sums(images, sums, squares, pixels, C: tl.constexpr, TILE: tl.constexpr):
    tile, entry = tl.program_id(0), tl.program_id(1)
    pixel, channel = tile * TILE + tl.arange(0, TILE), tl.arange(0, C)
    inside = (pixel < pixels)[:, None]
    place = entry.to(tl.int64) * pixels * C + pixel[:, None] * C + channel[None, :]
    values = tl.load(images + place, mask=inside, other=0.0).to(tl.float32)
    total = tl.sum(values, 0)
    centred = tl.where(inside, values - (total / tl.minimum(pixels - tile * TILE, TILE))[None, :], 0.0)
    part = (entry * tl.num_programs(0) + tile) * C + channel
    tl.store(sums + part, total)
    tl.store(squares + part, tl.sum(centred * centred, 0))


def image_sums(images: Tensor, sums: Tensor) -> None:
    """As `Operations.image_sums`."""
    entries, tiles, channels = sums.shape[1:]
    pixels = images[0, ..., 0].numel()
    _image_sums[tiles, entries](images, sums[0], sums[1], pixels, channels, tile_pixels(channels))


@triton.jit
def _batch_norm_stats(
    sums,
    squares,
    scale,
    shift,
    mean,
    variance,
    inverse,
    factor,
    offset,
    count,
    pixels,
    epsilon,
    C: tl.constexpr,
    TILE: tl.constexpr,
    PARTS: tl.constexpr,
):
    entry, channel = tl.program_id(0).to(tl.int64), tl.arange(0, C)
    total = tl.zeros((C,), dtype=tl.float32)
    for start in range(0, count, PARTS):
        part = start + tl.arange(0, PARTS)
        place = (entry * count + part[:, None]) * C + channel[None, :]
        total += tl.sum(tl.load(sums + place, mask=(part < count)[:, None], other=0.0), 0)
    centre = total / pixels
    spread = tl.zeros((C,), dtype=tl.float32)
    for start in range(0, count, PARTS):
        part = start + tl.arange(0, PARTS)
        place = (entry * count + part[:, None]) * C + channel[None, :]
        used = (part < count)[:, None]
        size = tl.where(used, tl.minimum(pixels - part * TILE, TILE).to(tl.float32)[:, None], 1.0)
        apart = tl.load(sums + place, mask=used, other=0.0) / size - centre[None, :]
        within = tl.load(squares + place, mask=used, other=0.0)
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
        images[0, ..., 0].numel(),
        NORM_EPSILON,
        channels,
        tile_pixels(channels),
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


@triton.jit
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


@triton.jit
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


@triton.jit
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
