"""Parameters, momentum, gradients and running statistics of one network, each in one flat buffer."""

from typing import NamedTuple

import torch
from torch import Tensor

from skelnas.network import NORM_MOMENTUM
from skelnas.recipe import Recipe


class Parameter(NamedTuple):
    """A trained value and its gradient, as views into the flat buffers; four-dimensional ones are channels-last."""

    value: Tensor
    gradient: Tensor


class Norm(NamedTuple):
    """A BatchNorm, (C,) each; `mean` and `variance` hold the last batch's."""

    scale: Parameter
    shift: Parameter
    mean: Tensor
    variance: Tensor
    running_mean: Tensor
    running_variance: Tensor


class Unit(NamedTuple):
    """A convolution, weight (Cout, Cin, k, k), and the BatchNorm after it."""

    weight: Parameter
    norm: Norm


class CpuState:
    """The trained values of one network in flat buffers, and views of them by name.

    `names` are the parameters that are computed with (keys of `initial`, a network's state); other parameters of the
    network cannot change its output and are left out. `views`, `gradients` hold one tensor per name, of the shape in
    `initial`. All of them are in `dtype`.
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

    def parameter(self, name: str) -> Parameter:
        """One trained value by its name in the network's state."""
        return Parameter(self.views[name], self.gradients[name])

    def norm(self, name: str) -> Norm:
        """The BatchNorm of that name, without `.weight` and `.bias`."""
        scale, shift = (self.parameter(f"{name}.{part}") for part in ("weight", "bias"))
        return Norm(scale, shift, *(views[f"{name}.weight"] for views in self._statistics))

    def unit(self, name: str) -> Unit:
        """The convolution and the BatchNorm of a `ConvUnit` of that name."""
        return Unit(self.parameter(f"{name}.conv.weight"), self.norm(f"{name}.norm"))

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

    def trained(self) -> dict[str, Tensor]:
        """Parameters and running statistics by their names in the network's state."""
        *_, means, variances = self._statistics
        stems = {name: name.removesuffix("weight") for name in means}
        running = {f"{stem}running_mean": means[name] for name, stem in stems.items()}
        return self.views | running | {f"{stem}running_var": variances[name] for name, stem in stems.items()}

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
