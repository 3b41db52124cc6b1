"""What a training step does with parameters and statistics, in one pass each over their flat buffers."""

import triton
import triton.language as tl
from torch import Tensor

from skelnas.network import NORM_MOMENTUM
from skelnas.recipe import Recipe

BLOCK = 1024  # values per program


@triton.jit
def _sgd_step(parameters, momentum, gradient, rate, size, decay, kept, NESTEROV: tl.constexpr, BLOCK: tl.constexpr):
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


def sgd_step(parameters: Tensor, momentum: Tensor, gradient: Tensor, rate: Tensor, recipe: Recipe) -> None:
    """As `Operations.sgd_step`."""
    size = parameters.numel()
    _sgd_step[(triton.cdiv(size, BLOCK),)](
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
def _update_running_stats(means, batch_means, variances, batch_variances, size, share, BLOCK: tl.constexpr):
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < size
    mean, variance = tl.load(means + place, mask=inside), tl.load(variances + place, mask=inside)
    tl.store(means + place, (1 - share) * mean + share * tl.load(batch_means + place, mask=inside), mask=inside)
    batch = tl.load(batch_variances + place, mask=inside)
    tl.store(variances + place, (1 - share) * variance + share * batch, mask=inside)


def update_running_stats(means: Tensor, batch_means: Tensor, variances: Tensor, batch_variances: Tensor) -> None:
    """As `Operations.update_running_stats`."""
    size = means.numel()
    _update_running_stats[(triton.cdiv(size, BLOCK),)](
        means, batch_means, variances, batch_variances, size, NORM_MOMENTUM, BLOCK
    )
