"""Parameters, momentum, gradients and running statistics of one network, each in one flat buffer."""

from typing import NamedTuple

import torch
from torch import Tensor

from skelnas.network import NORM_MOMENTUM
from skelnas.recipe import Recipe


class Unit(NamedTuple):
    """Views into the flat buffers for one convolution and the BatchNorm after it; None where there is no such part.

    weight: (Cout, Cin, k, k), channels-last; all others (Cout,). `mean` and `variance` hold the last batch's.
    """

    weight: Tensor | None = None
    scale: Tensor | None = None
    shift: Tensor | None = None
    weight_gradient: Tensor | None = None
    scale_gradient: Tensor | None = None
    shift_gradient: Tensor | None = None
    mean: Tensor | None = None
    variance: Tensor | None = None
    running_mean: Tensor | None = None
    running_variance: Tensor | None = None


class State:
    """The trained values of one network in flat buffers, and views of them by name.

    `names` are the parameters that are computed with (keys of `initial`, a network's state); other parameters of the
    network cannot change its output and are left out. `views`, `gradients` hold one tensor per name, of the shape in
    `initial`; four-dimensional ones are channels-last. All of them are in `dtype`.
    """

    def __init__(self, names: list[str], initial: dict[str, Tensor], dtype: torch.dtype) -> None:
        shapes = {name: initial[name].shape for name in names}
        self.parameters, self.views = _buffer(shapes, dtype)
        self.gradient, self.gradients = _buffer(shapes, dtype)
        self.momentum = torch.zeros_like(self.parameters)
        for name, view in self.views.items():
            view.copy_(initial[name])
        norms = {name: shape for name, shape in shapes.items() if name.endswith("norm.weight")}
        self.batch_means, means = _buffer(norms, dtype)
        self.batch_variances, variances = _buffer(norms, dtype)
        self.running_means, running_means = _buffer(norms, dtype)
        self.running_variances, running_variances = _buffer(norms, dtype)
        self.running_variances.fill_(1)
        self._statistics = (means, variances, running_means, running_variances)

    def unit(self, conv: str | None, norm: str | None) -> Unit:
        """The views of a convolution and a BatchNorm, given by their names without `.weight` and `.bias`."""
        found: dict[str, Tensor | None] = {}
        if conv:
            found |= {
                "weight": self.views.get(f"{conv}.weight"),
                "weight_gradient": self.gradients.get(f"{conv}.weight"),
            }
        if norm:
            for field, part in (("scale", "weight"), ("shift", "bias")):
                found[field] = self.views.get(f"{norm}.{part}")
                found[f"{field}_gradient"] = self.gradients.get(f"{norm}.{part}")
            for field, views in zip(Unit._fields[6:], self._statistics, strict=True):
                found[field] = views.get(f"{norm}.weight")
        return Unit(**found)

    def step(self, rate: float, recipe: Recipe) -> None:
        """One step of SGD on all parameters, and the running statistics' share of the last batch.

        As `torch.optim.SGD` without dampening: a momentum that starts at zero equals one that starts as the first
        gradient.
        """
        gradient = self.gradient.add_(self.parameters, alpha=recipe.weight_decay)
        self.momentum.mul_(recipe.momentum).add_(gradient)
        direction = gradient.add_(self.momentum, alpha=recipe.momentum) if recipe.nesterov else self.momentum
        self.parameters.add_(direction, alpha=-rate)
        for running, batch in (
            (self.running_means, self.batch_means),
            (self.running_variances, self.batch_variances),
        ):
            running.mul_(1 - NORM_MOMENTUM).add_(batch, alpha=NORM_MOMENTUM)

    def buffers(self) -> dict[str, Tensor]:
        """The flat buffers that one step hands to the next: all that a checkpoint needs of the network."""
        return {
            "parameters": self.parameters,
            "momentum": self.momentum,
            "running_means": self.running_means,
            "running_variances": self.running_variances,
        }


def _buffer(shapes: dict[str, torch.Size], dtype: torch.dtype) -> tuple[Tensor, dict[str, Tensor]]:
    """A flat buffer of zeros and a view of it per name."""
    flat = torch.zeros(sum(shape.numel() for shape in shapes.values()), dtype=dtype)
    parts = flat.split([shape.numel() for shape in shapes.values()])
    return flat, {name: _shaped(part, shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


def _shaped(part: Tensor, shape: torch.Size) -> Tensor:
    if len(shape) < 4:
        return part.view(shape)
    out, into, height, width = shape
    return part.view(out, height, width, into).permute(0, 3, 1, 2)
