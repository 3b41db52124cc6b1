"""Parameters and multiply-accumulates of a cell's network in closed form, as NAS-Bench-201 counts them.

Parameters are the elements of all trainable tensors. Multiply-accumulates (published as "FLOPs") are those of the
convolutions and the classifier, its bias additions included, for one image; BatchNorm, ReLU, pools and sums count as
nothing. Both count every edge, whether or not it lies on a path from input to output.
"""

import functools
from itertools import pairwise

import numpy as np

from skelnas.cells.outline import IMAGE_CHANNELS, REPEATS, STAGES
from skelnas.cells.space import CONV1, CONV3, Cell, all_cells
from skelnas.errors import InputError


def parameters(cell: Cell, classes: int) -> int:
    """Trainable parameters of the network with this cell and `classes` outputs."""
    return int(_parameters(np.array([cell]), classes)[0])


def macs(cell: Cell, height: int, width: int, classes: int) -> int:
    """Multiply-accumulates for one image of height x width.

    Raises:
        InputError: height or width is no positive multiple of 4.
    """
    return int(_macs(np.array([cell]), height, width, classes)[0])


def costs(classes: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and multiply-accumulates of all cells by architecture index: two int64 arrays of shape (15,625,).

    Raises:
        InputError: height or width is no positive multiple of 4.
    """
    return _parameters(_all_cells(), classes), _macs(_all_cells(), height, width, classes)


@functools.cache
def _all_cells() -> np.ndarray:
    return np.array(all_cells())


def _parameters(cells: np.ndarray, classes: int) -> np.ndarray:
    stem = 9 * IMAGE_CHANNELS * STAGES[0] + _batch_norm(STAGES[0])
    reductions = sum(
        9 * narrow * wide + _batch_norm(wide) + 9 * wide * wide + _batch_norm(wide) + narrow * wide
        for narrow, wide in pairwise(STAGES)
    )
    head = _batch_norm(STAGES[-1]) + _classifier(classes)
    weights = REPEATS * sum(channels**2 for channels in STAGES)  # of one 1x1 edge
    norms = REPEATS * sum(_batch_norm(channels) for channels in STAGES)
    convolutions3, convolutions1 = _convolutions(cells)
    return stem + reductions + head + convolutions3 * (9 * weights + norms) + convolutions1 * (weights + norms)


def _macs(cells: np.ndarray, height: int, width: int, classes: int) -> np.ndarray:
    if min(height, width) < 4 or height % 4 or width % 4:
        raise InputError(
            f"images of {height} x {width} cannot be halved twice: give a height and a width that are multiples of 4"
        )
    areas = [(height >> stage) * (width >> stage) for stage in range(len(STAGES))]
    stem = 9 * IMAGE_CHANNELS * STAGES[0] * areas[0]
    reductions = sum(
        (9 * narrow * wide + 9 * wide * wide + narrow * wide) * area
        for (narrow, wide), area in zip(pairwise(STAGES), areas[1:], strict=True)
    )
    edge = REPEATS * sum(channels**2 * area for channels, area in zip(STAGES, areas, strict=True))  # of one 1x1 edge
    convolutions3, convolutions1 = _convolutions(cells)
    return stem + reductions + _classifier(classes) + (9 * convolutions3 + convolutions1) * edge


def _convolutions(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many 3x3 and how many 1x1 convolutions each cell has, int64."""
    return (cells == CONV3).sum(axis=1, dtype=np.int64), (cells == CONV1).sum(axis=1, dtype=np.int64)


def _batch_norm(channels: int) -> int:
    return 2 * channels


def _classifier(classes: int) -> int:
    return (STAGES[-1] + 1) * classes
