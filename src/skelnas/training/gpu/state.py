"""Parameters of a group of networks: every kind stacked over the models or entries that have it, in one flat buffer."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from skelnas.cells.outline import STAGES, body
from skelnas.network import NORM_EPSILON
from skelnas.recipe import Recipe
from skelnas.training.gpu.groups import KERNELS, KEYS, Capacity, WorkLists
from skelnas.training.gpu.operations import Norms, Operations

INPUT_CHANNELS = 16  # the three of an image and zeros: a width that tensor cores take
Shapes = Mapping[str, Sequence[int]]
FLAT = ("parameters", "momentum", "running_means", "running_variances")


def padded_classes(classes: int) -> int:
    """The classifier's outputs with unused ones up to a power of two, at least 16."""
    return max(16, 1 << (classes - 1).bit_length())


class GpuState:
    """Flat buffers of a group and views of them by name; `dtype` is theirs, float32 or float64.

    Weights are (entries, k*k, Cin, Cout), others (entries, C). A search cell's convolutions are `weight3`, `weight1`
    and its BatchNorms `scale`, `shift`, in the order of the work lists, biases last; everything else has one entry per
    model. All scales stand first in the flat buffer and all shifts next, in the order of the running statistics.
    """

    def __init__(
        self,
        models: int,
        capacity: Capacity,
        channels: int,
        classes: int,
        repeats: int,
        dtype: torch.dtype,
        device: torch.device | str,
    ) -> None:
        self.models, self.capacity, self.repeats, self.classes = models, capacity, repeats, classes
        shapes = dict(self._shapes(channels, padded_classes(classes)))
        norms = {name.removesuffix(".scale"): shape for name, shape in shapes.items() if name.endswith(".scale")}
        ordered = {f"{name}.{field}": shape for field in ("scale", "shift") for name, shape in norms.items()} | shapes
        self.parameters, self.views = _buffer(ordered, dtype, device)
        self.gradient, self.gradients = _buffer(ordered, dtype, device)
        self.momentum = torch.zeros_like(self.parameters)
        self.running_means, _ = _buffer(norms, dtype, device)
        self.running_variances, _ = _buffer(norms, dtype, device)
        self.scales, self.shifts = self.parameters[: 2 * self.running_means.numel()].chunk(2)
        self.means, means = _buffer(norms, dtype, device)
        self.variances, variances = _buffer(norms, dtype, device)
        self.inverses, inverses = _buffer(norms, dtype, device)
        self.factors, factors = _buffer(norms, dtype, device)
        self.offsets, offsets = _buffer(norms, dtype, device)
        self._of_batch = means, variances, inverses, factors, offsets
        self.norm_shapes = norms
        self.rate = torch.zeros((), dtype=dtype, device=device)

    def norms(self, name: str, rows: slice = slice(None)) -> Norms:
        """The BatchNorms of one stack, or of a range of it."""
        fields = [self.views[f"{name}.{field}"] for field in ("scale", "shift")]
        fields += [self.gradients[f"{name}.{field}"] for field in ("scale", "shift")]
        return Norms(*(view[rows] for view in (*fields, *(views[name] for views in self._of_batch))))

    def _shapes(self, channels: int, outputs: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        models, capacity = self.models, self.capacity
        yield from _unit("stem", (models, 9, INPUT_CHANNELS, channels))
        for module in body(self.repeats):
            name, width = f"cells.{module.position}", channels << module.stage
            if module.is_reduction:
                yield from _unit(f"{name}.first", (models, 9, width // 2, width))
                yield from _unit(f"{name}.second", (models, 9, width, width))
                yield f"{name}.shortcut.weight", (models, 1, width // 2, width)
                continue
            for kernel in KERNELS:
                yield f"{name}.weight{kernel}", (capacity.rows(kernel).stop, kernel * kernel, width, width)
            for field in ("scale", "shift"):
                yield f"{name}.{field}", (capacity.total + capacity.biases, width)
        yield from ((f"norm.{field}", (models, channels << len(STAGES) - 1)) for field in ("scale", "shift"))
        yield "classifier.weight", (models, 1, channels << len(STAGES) - 1, outputs)
        yield "classifier.shift", (models, outputs)

    def stacked(self, lists: WorkLists, initial: Sequence[dict[str, Tensor] | None]) -> Tensor:
        """The flat parameters, on the CPU, of networks' initial values by model; None leaves a model at zero."""
        here = torch.zeros_like(self.parameters, device="cpu")
        views = split_flat(here, {name: view.shape for name, view in self.views.items()})
        for name, row, key in self.rows(lists):
            values = initial[row[0]]
            if values is not None:
                value = _as_stacked(values[key])
                views[name][row[1]][tuple(slice(size) for size in value.shape)] = value
        return here

    def load(self, parameters: Tensor) -> None:
        """Start a group anew from its flat parameters."""
        for flat in (self.momentum, self.running_means):
            flat.zero_()
        self.running_variances.fill_(1)
        self.parameters.copy_(parameters)

    def rows(self, lists: WorkLists) -> Iterator[tuple[str, tuple[int, int], str]]:
        """Where each parameter is: (name of the stack, (model, entry), key of that model's network state)."""
        modules = body(self.repeats)
        reductions = [f"cells.{module.position}" for module in modules if module.is_reduction]
        for model in range(self.models):
            for unit in ("stem", *(f"{name}.{part}" for name in reductions for part in ("first", "second"))):
                yield f"{unit}.weight", (model, model), f"{unit}.conv.weight"
                yield from _norm_rows(unit, model, model, f"{unit}.norm")
            for name in reductions:
                yield f"{name}.shortcut.weight", (model, model), f"{name}.shortcut.conv.weight"
            yield from _norm_rows("norm", model, model, "norm")
            yield "classifier.weight", (model, model), "classifier.weight"
            yield "classifier.shift", (model, model), "classifier.bias"
        # A convolution's weight stands among those of its kernel size.
        weights = {
            entry: (kernel, row)
            for kernel, target in KEYS
            for entry, row in _pairs(self.capacity.entries(target, kernel), self.capacity.rows(kernel, target))
        }
        for name in (f"cells.{module.position}" for module in modules if not module.is_reduction):
            for entry in np.nonzero(lists.model >= 0)[0].tolist():
                model = int(lists.model[entry])
                edge, (kernel, row) = f"{name}.edges.{lists.position[entry]}", weights[entry]
                yield f"{name}.weight{kernel}", (model, row), f"{edge}.conv.weight"
                yield from _norm_rows(name, model, entry, f"{edge}.norm")
            for bias in np.nonzero(lists.bias_model >= 0)[0].tolist():
                edge = f"{name}.edges.{lists.bias_position[bias]}"
                place = int(lists.bias_model[bias]), self.capacity.total + bias
                yield f"{name}.shift", place, f"{edge}.norm.bias"

    def fold(self) -> None:
        """Set every factor and offset to what the running statistics ask for; a bias keeps its shift as offset."""
        torch.add(self.running_variances, NORM_EPSILON, out=self.inverses).rsqrt_()
        torch.mul(self.scales, self.inverses, out=self.factors)
        torch.addcmul(self.shifts, self.running_means, self.factors, value=-1, out=self.offsets)

    def step(self, recipe: Recipe, operations: Operations) -> None:
        """One step of SGD with the rate in `rate`, and the running statistics' share of the last batch."""
        operations.sgd_step(self.parameters, self.momentum, self.gradient, self.rate, recipe)
        operations.update_running_stats(self.running_means, self.means, self.running_variances, self.variances)

    def buffers(self) -> dict[str, Tensor]:
        """The flat buffers that one step hands to the next."""
        return {name: getattr(self, name) for name in FLAT}


def _pairs(one: slice, other: slice) -> Iterator[tuple[int, int]]:
    return zip(range(one.start, one.stop), range(other.start, other.stop), strict=True)


def _unit(name: str, weight: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", weight
    yield from ((f"{name}.{field}", (weight[0], weight[-1])) for field in ("scale", "shift"))


def _norm_rows(stack: str, model: int, entry: int, norm: str) -> Iterator[tuple[str, tuple[int, int], str]]:
    yield f"{stack}.scale", (model, entry), f"{norm}.weight"
    yield f"{stack}.shift", (model, entry), f"{norm}.bias"


def _as_stacked(value: Tensor) -> Tensor:
    """A network's parameter as it stands in a stack: weights (k*k, Cin, Cout), vectors as they are."""
    if value.dim() == 4:
        return value.permute(2, 3, 1, 0).flatten(0, 1)
    return value.t()[None] if value.dim() == 2 else value


def _buffer(shapes: Shapes, dtype: torch.dtype, device: torch.device | str) -> tuple[Tensor, dict[str, Tensor]]:
    flat = torch.zeros(sum(int(np.prod(shape)) for shape in shapes.values()), dtype=dtype, device=device)
    return flat, split_flat(flat, shapes)


def split_flat(flat: Tensor, shapes: Shapes) -> dict[str, Tensor]:
    """Views of a flat buffer, of the given shapes one after the other."""
    parts = flat.split([int(np.prod(shape)) for shape in shapes.values()])
    return {name: part.view(*shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}
