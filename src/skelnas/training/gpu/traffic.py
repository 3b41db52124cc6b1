"""What a training step and an evaluation of a group ask of a GPU, counted without one: bytes, launches, products.

Each operation of the fused engine counts the images that it has to read and write, once each, whatever caches do; what
PyTorch's own operations read and write is counted by a dispatch mode. `bench/traffic.py` prints the counts,
`step_time.py` makes seconds of them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from skelnas.cells import space
from skelnas.cells.outline import REPEATS, STAGES
from skelnas.recipe import Recipe
from skelnas.training.gpu.arena import Arena
from skelnas.training.gpu.groups import GroupTables, capacity_of, work_lists
from skelnas.training.gpu.network import GpuNetwork
from skelnas.training.gpu.operations import ABSENT, BIAS, CONVOLUTION, POOL, SKIP, Operations
from skelnas.training.gpu.state import GpuState

LAUNCHES = {"batch_norm_backward": 3, "weight_gradient": 2, "channel_sums": 2, "tile_sums": 0}  # others: one
PARAMETER_MOVES, STATISTIC_MOVES = 5, 3  # of `sgd_step` and `update_running_stats`: what one pass reads and writes


Kernel = tuple[str, int, int]  # an operation, its taps, and the most channels of both sides


class Counted(TorchDispatchMode):
    """Bytes and launches of everything that happens within."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes, self.launches = Counter[str](), Counter[str]()
        self.pixels, self.bytes_by_kernel, self.macs = Counter[Kernel](), Counter[Kernel](), Counter[Kernel]()
        self.memory = 0  # bytes of the images that the whole group keeps
        self.operations = SimpleNamespace(**{name: self._counting(name) for name in MOVED})

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), named: Any = None) -> Any:
        result = function(*arguments, **(named or {}))
        name = function.overloadpacket.__name__
        if torch.Tag.pointwise in function.tags or "copy" in name or "sum" in name or "fill" in name or "zero" in name:
            tensors = [one for one in (*arguments, result) if isinstance(one, Tensor)]
            self.bytes["PyTorch"] += sum(one.numel() * one.element_size() for one in tensors)
            self.launches["PyTorch"] += 1
        return result

    def _counting(self, name: str) -> Callable[..., Tensor | None]:
        def count(*arguments: Any) -> Tensor | None:
            self.launches[name] += LAUNCHES.get(name, 1)
            self.bytes[name] += MOVED[name](*arguments)
            if name in CONVOLUTIONS:
                _, slots, weights, small = CONVOLUTIONS[name](*arguments)
                key = name, weights.shape[1], max(weights.shape[2:])
                pixels = _working(slots) * small[0, ..., 0].numel()
                self.pixels[key] += pixels
                self.macs[key] += pixels * weights[0].numel()
                self.bytes_by_kernel[key] += MOVED[name](*arguments)
            if name == "tile_sums":
                return arguments[0].new_empty((2, len(arguments[0]), 1, arguments[0].shape[-1]))
            if name == "pixel_means":
                return arguments[0].new_empty((*arguments[0].shape[:2], arguments[0].shape[-1]))
            return None

        return count


def _image(images: Tensor) -> int:
    """Bytes of one entry's images."""
    return images[0].numel() * images.element_size()


def _working(slots: Tensor) -> int:
    return int((slots.numpy() >= 0).sum())  # NumPy: what counts is not counted


def _edges(kinds: Tensor, *wanted: int) -> int:
    return int(np.isin(kinds.numpy(), wanted).sum())


def _present(kinds: Tensor) -> int:
    return int((kinds.numpy()[:, 0] != ABSENT).sum())


def _nodes(kinds: Tensor, out: Tensor) -> int:
    """Every edge's image, and the node."""
    return (_edges(kinds, SKIP, POOL, CONVOLUTION) + _present(kinds)) * _image(out)


def _backward(kinds: Tensor, gradient: Tensor) -> int:
    """In two passes the node's gradient and each convolution's output; the second writes the latter."""
    convolutions = _edges(kinds, CONVOLUTION)
    first = int(np.isin(kinds.numpy(), (CONVOLUTION, BIAS)).any(1).sum())
    return (2 * first + 3 * convolutions) * _image(gradient)


def _gradients(kinds: Tensor, out: Tensor) -> int:
    """Every edge's image, the gradient, and the node itself where a convolution has rectified it."""
    rectified = int((kinds.numpy() == CONVOLUTION).any(1).sum())
    return (_edges(kinds, SKIP, POOL, CONVOLUTION) + _present(kinds) + rectified) * _image(out)


MOVED: dict[str, Callable[..., int]] = {
    "update_running_stats": lambda means, *others: 2 * STATISTIC_MOVES * means.numel() * means.element_size(),
    "channel_sums": lambda images, slots, out: _working(slots) * _image(images),
    "convolve": lambda source, slots, weight, out, *rest: _working(slots) * (_image(source) + _image(out)),
    "input_gradient": lambda gradient, slots, weight, out, *rest: _working(slots) * (_image(gradient) + _image(out)),
    "sgd_step": lambda parameters, *others: PARAMETER_MOVES * parameters.numel() * parameters.element_size(),
    "image_sums": lambda images, sums: len(images) * _image(images),
    "batch_norm_stats": lambda images, sums, norms: 0,
    "batch_norm_backward": lambda gradient, kinds, indices, images, norms: _backward(kinds, gradient),
    "pixel_means": lambda images, factor, offset: len(images) * _image(images),
    "sum_gradients": lambda gradients, returned, kinds, indices, node, out: _gradients(kinds, out),
    "sum_nodes": lambda pool, convolved, kinds, indices, factor, offset, out: _nodes(kinds, out),
    "tile_sums": lambda images: 0,
    "weight_gradient": lambda source, slots, gradient, *rest: _working(slots) * (_image(source) + _image(gradient)),
}


# Of each, the images, the slots, the weights or their gradient, and the images of the side that strides make smaller.
CONVOLUTIONS: dict[str, Callable[..., tuple[Tensor, Tensor, Tensor, Tensor]]] = {
    "convolve": lambda source, slots, weight, out, *rest: (source, slots, weight, out),
    "input_gradient": lambda gradient, slots, weight, out, *rest: (out, slots, weight, gradient),
    "weight_gradient": lambda source, slots, gradient, out, *rest: (source, slots, out, gradient),
}


def counted(
    cells: Sequence[int],
    size: tuple[int, int, int],
    classes: int,
    precision: str,
    evaluating: bool,
    repeats: int = REPEATS,
) -> Counted:
    """A training step, or an evaluation, of one batch of each cell; `size` is samples, height, width."""
    group = [space.cell(index) for index in cells]
    capacity = capacity_of([group])
    state = GpuState(len(group), capacity, STAGES[0], classes, repeats, torch.float32, "meta")
    compute = torch.bfloat16 if precision == "bf16" else torch.float32
    tables = GroupTables.of(work_lists(group, capacity), "cpu")
    count, arena = Counted(), Arena(None)
    network = GpuNetwork(state, tables, size, compute, cast(Operations, count.operations), arena)
    count.memory = arena.taken
    labels = torch.zeros((len(group), size[0]), dtype=torch.int64, device="meta")
    with torch.no_grad(), count:
        network.put(torch.zeros((len(group), *size, 3), device="meta"))
        if evaluating:
            network.forward(evaluating=True)
        else:
            network.train_step(labels, Recipe(epochs=1, batch_size=size[0]))
    return count
