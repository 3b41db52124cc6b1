"""Sums over pixels, per entry and channel, in two steps of fixed order: tiles side by side, then the tiles' parts."""

import torch
import triton
import triton.language as tl
from torch import Tensor

TILE = 256  # pixels per tile
PARTS, COLUMNS = 32, 256  # parts and columns that a program adds at a time


@triton.jit
def _add_parts(parts, out, count, columns, PARTS: tl.constexpr, COLUMNS: tl.constexpr):
    entry, first = tl.program_id(0).to(tl.int64), tl.program_id(1) * COLUMNS
    column = first + tl.arange(0, COLUMNS)
    total = tl.zeros((COLUMNS,), dtype=tl.float32)
    for start in range(0, count, PARTS):
        part = start + tl.arange(0, PARTS)
        place = parts + (entry * count + part[:, None]) * columns + column[None, :]
        total += tl.sum(tl.load(place, mask=(part < count)[:, None] & (column < columns)[None, :], other=0.0), 0)
    tl.store(out + entry * columns + column, total, mask=column < columns)


def add_parts(parts: Tensor) -> Tensor:
    """Sum of float32 (E, parts, columns) over parts, in order."""
    entries, count, columns = parts.shape
    out = torch.empty((entries, columns), dtype=torch.float32, device=parts.device)
    width = min(COLUMNS, triton.next_power_of_2(columns))
    _add_parts[entries, triton.cdiv(columns, width)](parts, out, count, columns, PARTS, width)
    return out


@triton.jit
def _combine_moments(sums, squares, mean, variance, count, pixels, tile, C: tl.constexpr, PARTS: tl.constexpr):
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
        size = tl.minimum(pixels - part * tile, tile).to(tl.float32)[:, None]
        size = tl.where(used, size, 1.0)
        apart = tl.load(sums + place, mask=used, other=0.0) / size - centre[None, :]
        within = tl.load(squares + place, mask=used, other=0.0)
        spread += tl.sum(tl.where(used, within + size * apart * apart, 0.0), 0)
    tl.store(mean + entry * C + channel, centre)
    tl.store(variance + entry * C + channel, spread / pixels)


def combine_moments(sums: Tensor, squares: Tensor, pixels: int, tile: int) -> tuple[Tensor, Tensor]:
    """Mean and biased variance (E, C) from each tile's sum and its squares about its own mean (E, tiles, C).

    The pairwise formula of Chan, Golub and LeVeque: nothing cancels where the mean is large against the variance.
    """
    entries, count, channels = sums.shape
    mean, variance = torch.empty((2, entries, channels), dtype=torch.float32, device=sums.device)
    _combine_moments[(entries,)](sums, squares, mean, variance, count, pixels, tile, channels, PARTS)
    return mean, variance


@triton.jit
def _moments(images, sums, squares, pixels, C: tl.constexpr, TILE: tl.constexpr):
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


def image_moments(images: Tensor) -> tuple[Tensor, Tensor]:
    """As `stacked_operations.image_moments`."""
    entries, channels, pixels = len(images), images.shape[-1], images[0, ..., 0].numel()
    tiles = triton.cdiv(pixels, TILE)
    sums, squares = torch.empty((2, entries, tiles, channels), dtype=torch.float32, device=images.device)
    _moments[tiles, entries](images, sums, squares, pixels, channels, TILE)
    return combine_moments(sums, squares, pixels, TILE)


@triton.jit
def _gradient_sums(gradients, slots, images, mean, parts, pixels, C: tl.constexpr, TILE: tl.constexpr):
    tile, entry = tl.program_id(0), tl.program_id(1)
    slot = tl.load(slots + entry)
    if slot < 0:
        return
    pixel, channel = tile * TILE + tl.arange(0, TILE), tl.arange(0, C)
    inside = (pixel < pixels)[:, None]
    place = pixel[:, None] * C + channel[None, :]
    given = tl.load(gradients + slot.to(tl.int64) * pixels * C + place, mask=inside, other=0.0).to(tl.float32)
    values = tl.load(images + entry.to(tl.int64) * pixels * C + place, mask=inside, other=0.0).to(tl.float32)
    centred = values - tl.load(mean + entry * C + channel)[None, :]
    part = (entry * tl.num_programs(0) + tile) * 2 * C + channel
    tl.store(parts + part, tl.sum(given, 0))
    tl.store(parts + part + C, tl.sum(tl.where(inside, given * centred, 0.0), 0))


def gradient_sums(gradients: Tensor, slots: Tensor, images: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """As `stacked_operations.gradient_sums`; entries without work get undefined values."""
    entries, channels, pixels = len(images), images.shape[-1], images[0, ..., 0].numel()
    tiles = triton.cdiv(pixels, TILE)
    parts = torch.empty((entries, tiles, 2 * channels), dtype=torch.float32, device=images.device)
    _gradient_sums[tiles, entries](gradients, slots, images, mean, parts, pixels, channels, TILE)
    return add_parts(parts).split(channels, 1)


@triton.jit
def _pixel_means(images, factor, offset, out, pixels, C: tl.constexpr, TILE: tl.constexpr):
    sample, entry = tl.program_id(0), tl.program_id(1)
    channel = tl.arange(0, C)
    scale, shift = tl.load(factor + entry * C + channel)[None, :], tl.load(offset + entry * C + channel)[None, :]
    which = entry.to(tl.int64) * tl.num_programs(0) + sample
    total = tl.zeros((C,), dtype=tl.float32)
    for start in range(0, pixels, TILE):
        pixel = start + tl.arange(0, TILE)
        inside = (pixel < pixels)[:, None]
        place = (which * pixels + pixel[:, None]) * C + channel[None, :]
        values = tl.load(images + place, mask=inside, other=0.0).to(tl.float32) * scale + shift
        total += tl.sum(tl.where(inside, tl.where(values < 0, 0.0, values), 0.0), 0)
    tl.store(out + which * C + channel, total / pixels)


def pixel_means(images: Tensor, factor: Tensor, offset: Tensor) -> Tensor:
    """As `stacked_operations.pixel_means`."""
    entries, samples, height, width, channels = images.shape
    out = torch.empty((entries, samples, channels), dtype=torch.float32, device=images.device)
    _pixel_means[samples, entries](images, factor, offset, out, height * width, channels, 64)
    return out
