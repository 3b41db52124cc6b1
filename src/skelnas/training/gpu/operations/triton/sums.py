"""Sums over pixels, per entry and channel, in two steps of fixed order: tiles side by side, then the tiles' parts."""

import torch
import triton
import triton.language as tl
from torch import Tensor

COLUMNS, VALUES = 256, 4096  # that a program takes at a time: columns at most, and values in all


def pass_pixels(channels: int) -> int:
    """Pixels per program of a pass over images."""
    return VALUES // channels


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


def add_parts(parts: Tensor, out: Tensor) -> None:
    """out (E, columns): the sum of float32 parts (E, parts, columns), in order."""
    entries, count, columns = parts.shape
    width = min(COLUMNS, triton.next_power_of_2(columns))
    _add_parts[entries, triton.cdiv(columns, width)](parts, out, count, columns, VALUES // width, width)


@triton.jit
def _channel_sums(images, slots, parts, pixels, C: tl.constexpr, TILE: tl.constexpr):
    tile, entry = tl.program_id(0), tl.program_id(1)
    slot = tl.load(slots + entry)
    if slot < 0:
        return
    pixel, channel = tile * TILE + tl.arange(0, TILE), tl.arange(0, C)
    place = slot.to(tl.int64) * pixels * C + pixel[:, None] * C + channel[None, :]
    values = tl.load(images + place, mask=(pixel < pixels)[:, None], other=0.0).to(tl.float32)
    tl.store(parts + (entry * tl.num_programs(0) + tile) * C + channel, tl.sum(values, 0))


def channel_sums(images: Tensor, slots: Tensor, out: Tensor) -> None:
    """As `Operations.channel_sums`; entries without work get undefined values."""
    channels, pixels = images.shape[-1], images[0, ..., 0].numel()
    tile = pass_pixels(channels)
    tiles = triton.cdiv(pixels, tile)
    parts = torch.empty((len(slots), tiles, channels), dtype=torch.float32, device=images.device)
    _channel_sums[tiles, len(slots)](images, slots, parts, pixels, channels, tile)
    add_parts(parts, out)


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
    """As `Operations.pixel_means`."""
    entries, samples, height, width, channels = images.shape
    out = torch.empty((entries, samples, channels), dtype=torch.float32, device=images.device)
    _pixel_means[samples, entries](images, factor, offset, out, height * width, channels, 64)
    return out
