"""What a training step does with parameters and statistics, in one pass each over their flat buffers."""

import triton
import triton.language as tl
from torch import Tensor

from skelnas.recipe import Recipe
from skelnas.training.cpu.state import NORM_MOMENTUM

BLOCK = 1024  # values per program


@triton.jit
def _descend(parameters, momentum, gradient, rate, size, decay, kept, NESTEROV: tl.constexpr, BLOCK: tl.constexpr):
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < size
    value = tl.load(parameters + place, mask=inside)
    slope = tl.load(gradient + place, mask=inside) + decay * value
    moving = kept * tl.load(momentum + place, mask=inside) + slope
    direction = moving
    if NESTEROV:
        direction = slope + kept * moving
    tl.store(momentum + place, moving, mask=inside)
    tl.store(parameters + place, value - tl.load(rate) * direction, mask=inside)


def descend(parameters: Tensor, momentum: Tensor, gradient: Tensor, rate: Tensor, recipe: Recipe) -> None:
    """As `stacked_operations.descend`."""
    size = parameters.numel()
    _descend[(triton.cdiv(size, BLOCK),)](
        parameters,
        momentum,
        gradient,
        rate,
        size,
        recipe.weight_decay,
        recipe.momentum,
        recipe.nesterov,
        BLOCK,
    )


@triton.jit
def _average(means, batch_means, variances, batch_variances, size, share, BLOCK: tl.constexpr):
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < size
    mean, variance = tl.load(means + place, mask=inside), tl.load(variances + place, mask=inside)
    tl.store(means + place, (1 - share) * mean + share * tl.load(batch_means + place, mask=inside), mask=inside)
    batch = tl.load(batch_variances + place, mask=inside)
    tl.store(variances + place, (1 - share) * variance + share * batch, mask=inside)


def average(means: Tensor, batch_means: Tensor, variances: Tensor, batch_variances: Tensor) -> None:
    """As `stacked_operations.average`."""
    size = means.numel()
    _average[(triton.cdiv(size, BLOCK),)](means, batch_means, variances, batch_variances, size, NORM_MOMENTUM, BLOCK)
