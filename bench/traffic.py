"""What a training step and an evaluation of a group ask of a GPU, counted without one: bytes and launches.

    python -m bench.traffic [--precision fp32|tf32|bf16]

Each operation of the stacked engine counts the images that it has to read and write, once each, whatever caches do;
what PyTorch's own operations read and write is counted by a dispatch mode. Held against what an ideal engine would
have to move (`roofline.py`) this is the largest share of the roofline that the engine can reach: memory that is fully
busy all the time would give it.
"""

import argparse
from collections import Counter
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from bench.roofline import Shape, epoch_bytes
from bench.shapes import NTU, UTD
from skelnas.cells import space
from skelnas.cells.cost import REPEATS
from skelnas.cells.edges import pruned
from skelnas.cells.selection import select
from skelnas.recipe import Recipe
from skelnas.text import text_table
from skelnas.training.gpu.arena import Arena
from skelnas.training.gpu.groups import GroupTables, capacity_of, work_lists
from skelnas.training.gpu.network import GpuNetwork
from skelnas.training.gpu.operations import ABSENT, BIAS, CONVOLUTION, POOL, SKIP
from skelnas.training.gpu.state import GpuState

HEADER = ("shape", "batch of", "moved", "ideal", "at most", "launches")
LAUNCHES = {"batch_norm_backward": 3, "weight_gradient": 2, "channel_sums": 2, "tile_sums": 0}  # others: one
PARAMETER_MOVES, STATISTIC_MOVES = 5, 3  # of `sgd_step` and `update_running_stats`: what one pass reads and writes


class Counted(TorchDispatchMode):
    """Bytes and launches of everything that happens within."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes, self.launches = Counter(), Counter()
        # Of convolutions, by operation, taps and the most channels of both sides.
        self.pixels, self.bytes_by_kernel = Counter(), Counter()
        self.operations = SimpleNamespace(**{name: self._counting(name) for name in MOVED})

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        result = function(*arguments, **(named or {}))
        name = function.overloadpacket.__name__
        if torch.Tag.pointwise in function.tags or "copy" in name or "sum" in name or "fill" in name or "zero" in name:
            tensors = [one for one in (*arguments, result) if isinstance(one, Tensor)]
            self.bytes["PyTorch"] += sum(one.numel() * one.element_size() for one in tensors)
            self.launches["PyTorch"] += 1
        return result

    def _counting(self, name: str):
        def count(*arguments) -> Tensor | None:
            self.launches[name] += LAUNCHES.get(name, 1)
            self.bytes[name] += MOVED[name](*arguments)
            if name in CONVOLUTIONS:
                _, slots, weights, small = CONVOLUTIONS[name](*arguments)
                key = name, weights.shape[1], max(weights.shape[2:])
                self.pixels[key] += _working(slots) * small[0, ..., 0].numel()
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
    convolutions, kinds = _edges(kinds, CONVOLUTION), kinds.numpy()
    first = int(np.isin(kinds, (CONVOLUTION, BIAS)).any(1).sum())
    return (2 * first + 3 * convolutions) * _image(gradient)


def _gradients(kinds: Tensor, out: Tensor) -> int:
    """Every edge's image, the gradient, and the node itself where a convolution has rectified it."""
    rectified = int((kinds.numpy() == CONVOLUTION).any(1).sum())
    return (_edges(kinds, SKIP, POOL, CONVOLUTION) + _present(kinds) + rectified) * _image(out)


MOVED = {
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
CONVOLUTIONS = {
    "convolve": lambda source, slots, weight, out, *rest: (source, slots, weight, out),
    "input_gradient": lambda gradient, slots, weight, out, *rest: (out, slots, weight, gradient),
    "weight_gradient": lambda source, slots, gradient, out, *rest: (source, slots, out, gradient),
}


def counted(cells: tuple[int, ...], shape: Shape, precision: str, evaluating: bool, repeats: int = REPEATS) -> Counted:
    """A training step, or an evaluation, of one batch of each cell."""
    group = [space.cell(index) for index in cells]
    capacity = capacity_of([group])
    state = GpuState(len(group), capacity, 16, shape.classes, repeats, torch.float32, "meta")
    narrow = torch.bfloat16 if precision == "bf16" else torch.float32
    size = shape.batch_size, shape.height, shape.width
    tables = GroupTables.of(work_lists(group, capacity), "cpu")
    count = Counted()
    network = GpuNetwork(state, tables, size, narrow, count.operations, Arena(None))
    labels = torch.zeros((len(group), shape.batch_size), dtype=torch.int64, device="meta")
    with torch.no_grad(), count:
        network.put(torch.zeros((len(group), *size, 3), device="meta"))
        if evaluating:
            network.forward(evaluating=True)
        else:
            network.train_step(labels, Recipe(epochs=1, batch_size=shape.batch_size))
    return count


def lines(precision: str) -> list[tuple[str, ...]]:
    """The table's lines: both shapes, training and evaluation of the stratified sample, per cell."""
    cells, found = select("stratified-25"), []
    for study in (UTD, NTU):
        batch = study.full.batch_size
        for evaluating in (False, True):
            count = counted(cells, study.full, precision, evaluating)
            one = Shape(study.full.height, study.full.width, study.full.classes, batch, *ONLY[evaluating](batch))
            ideal = sum(epoch_bytes(pruned(space.cell(cell)), one, precision) for cell in cells)
            moved, launches = sum(count.bytes.values()), sum(count.launches.values())
            found.append(
                (
                    study.name,
                    f"{'evaluation' if evaluating else 'training'}, {batch} images",
                    f"{1e-6 * moved / len(cells):,.0f} MB",
                    f"{1e-6 * ideal / len(cells):,.0f} MB",
                    f"{100 * ideal / moved:.0f} %",
                    f"{launches:,}",
                )
            )
    return found


ONLY = {False: lambda batch: (batch, 0, 0), True: lambda batch: (0, batch, 0)}  # samples of train, valid and test


def main() -> None:
    """Count and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="bf16")
    print(text_table(HEADER, lines(parser.parse_args().precision), left=2))


if __name__ == "__main__":
    main()
