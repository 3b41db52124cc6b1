"""The blocks of columns that programs take, and the statistics that each leaves for BatchNorm.

The columns of all samples stand side by side; a tile is a block of them from the first row to the last. Each leaves the
mean of its values and the sum of their squares about it. They are combined in a fixed order: an entry's result is the
same in any company, and nothing cancels where a mean is large against its variance.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor


def tile_columns(channels: int) -> int:
    """Columns per tile: wide tiles of many channels would spill registers."""
    return 128 if channels <= 32 else 64


def tile_sums(images: Tensor) -> Tensor:
    """Space for what tiles leave: (2, E, tiles, C), means and sums of squares about them."""
    entries, samples, _, width, channels = images.shape
    tiles = triton.cdiv(samples * width, tile_columns(channels))
    return torch.empty((2, entries, tiles, channels), dtype=torch.float32, device=images.device)


@triton.jit
def add_row(mean, spread, values, inside, count, row):
    """The mean and spread (C,) of rows 0 to `row` from those before it and its values (columns, C).

    By the pairwise formula of Chan, Golub and LeVeque; `count` is the number of columns inside, float32.
    """
    own = tl.sum(tl.where(inside[:, None], values, 0.0), 0) / count
    apart = tl.where(inside[:, None], values - own[None, :], 0.0)
    away = own - mean
    share = row * 1.0 / (row + 1)
    return mean + away / (row + 1), spread + tl.sum(apart * apart, 0) + away * away * (count * share)


@triton.jit(do_not_specialize=["samples"])
def _image_sums(
    images, means, spreads, samples, H: tl.constexpr, W: tl.constexpr, C: tl.constexpr, BLOCK: tl.constexpr
):
    tile, entry = tl.program_id(0), tl.program_id(1)
    place, channel = tile * BLOCK + tl.arange(0, BLOCK), tl.arange(0, C)
    inside, sample, column = place < samples * W, place // W, place % W
    own = images + entry.to(tl.int64) * samples * (H * W * C) + channel[None, :]
    mean, spread = tl.zeros((C,), dtype=tl.float32), tl.zeros((C,), dtype=tl.float32)
    count = tl.minimum(samples * W - tile * BLOCK, BLOCK).to(tl.float32)
    for row in range(H):
        there = ((sample * H + row) * W + column)[:, None] * C
        values = tl.load(own + there, mask=inside[:, None], other=0.0).to(tl.float32)
        mean, spread = add_row(mean, spread, values, inside, count, row)
    part = (entry * tl.num_programs(0) + tile) * C + channel
    tl.store(means + part, mean)
    tl.store(spreads + part, spread)


def image_sums(images: Tensor, sums: Tensor) -> None:
    """As `Operations.image_sums`."""
    entries, tiles, channels = sums.shape[1:]
    _, samples, height, width, _ = images.shape
    block = tile_columns(channels)
    _image_sums[tiles, entries](images, sums[0], sums[1], samples, height, width, channels, block)
