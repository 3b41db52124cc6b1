"""FLOP and bytes of training, in closed form: what a device that wastes nothing would have to do.

FLOP are twice the multiply-accumulates of the convolutions and the classifier. Training costs three forward passes,
less the stem's input gradient, which nobody needs.

Bytes are counted in moves; a move is reading or writing one tensor of the stage once. Two ways of computing:

`eager`: one kernel per operation as written, `none` and dead edges included. Forward: ReLU 2, convolution 2,
BatchNorm 3 (two passes of reading), pool 2, `none` 2, the sum of n terms 3 n - 1 (it starts from the number 0).
Backward: BatchNorm 5, convolution 4, ReLU 3, pool 2, `none` 2, each gradient added to another 3. Evaluation: as
forward, BatchNorm 2.

`ideal`: own kernels that apply BatchNorm and ReLU where a convolution reads, sum BatchNorm's statistics where it
writes, and make both gradients of a convolution in one pass. Forward: convolution 2, reading each term of a node 1,
writing the node 1; a node that is nothing but a copy costs nothing. Backward: the sums of BatchNorm read the node's
gradient once and each convolution's output once; both gradients of a convolution 4, reading what it hands back 1; skip
1; pool 2; writing a node's gradient 1. Evaluation: reading each term 1, writing the node 1.

Both count the cell they are given; give `pruned(cell)` for what cannot be left out.
"""

from dataclasses import dataclass

from skelnas.cells.cost import IMAGE_CHANNELS, REPEATS, STAGES, macs, parameters
from skelnas.cells.space import CONVOLUTIONS, EDGES, NODES, NONE, POOL, SKIP, Cell

BYTES = {"fp64": 8, "fp32": 4, "tf32": 4, "bf16": 2}  # of one stored value of an activation
STATE_MOVES = 6  # of every parameter in each step, float32: gradient, momentum and value, each read and written


@dataclass(frozen=True)
class Shape:
    """What a data set and a recipe ask of the network: image size, classes, batch size, samples per split."""

    height: int
    width: int
    classes: int
    batch_size: int
    train: int
    valid: int
    test: int

    @property
    def steps(self) -> int:
        """Training steps of one epoch; the last, smaller batch counts."""
        return -(-self.train // self.batch_size)


@dataclass(frozen=True)
class Moves:
    """Tensors read or written for one batch: forward and backward of training, and evaluation."""

    forward: float
    backward: float
    evaluation: float


# Stem, reduction block and head, counted in the same ways; the moves of a reduction block are of its output's size.
EAGER_AROUND = Moves(4 + 3 / 16, 6 + 3 / 16, 3 + 3 / 16), Moves(33, 46, 31), Moves(6, 9, 5)
IDEAL_AROUND = Moves(3 + 3 / 16, 4 + 3 / 16, 1 + 3 / 16), Moves(9, 21, 7), Moves(2, 3, 1)


def epoch_flop(cell: Cell, shape: Shape) -> float:
    """FLOP of one epoch of training, then evaluation of `valid` and `test`."""
    forward = macs(cell, shape.height, shape.width, shape.classes)
    stem = 9 * IMAGE_CHANNELS * STAGES[0] * shape.height * shape.width
    return 2.0 * ((3 * forward - stem) * shape.train + forward * (shape.valid + shape.test))


def epoch_bytes(cell: Cell, shape: Shape, precision: str, ideal: bool = True) -> float:
    """Bytes read and written in one epoch, activations in `precision`, parameters and momentum in float32."""
    sizes = [channels * (shape.height >> stage) * (shape.width >> stage) for stage, channels in enumerate(STAGES)]
    inner = ideal_moves(cell) if ideal else eager_moves(cell)
    stem, reduction, head = IDEAL_AROUND if ideal else EAGER_AROUND

    def per_sample(part: str) -> float:
        cells = REPEATS * sum(sizes) * getattr(inner, part)
        between = sum(sizes[1:]) * getattr(reduction, part)
        return cells + between + sizes[0] * getattr(stem, part) + sizes[-1] * getattr(head, part)

    trained = (per_sample("forward") + per_sample("backward")) * shape.train
    evaluated = per_sample("evaluation") * (shape.valid + shape.test)
    state = 4 * STATE_MOVES * parameters(cell, shape.classes) * shape.steps
    return (trained + evaluated) * BYTES[precision] + state


def eager_moves(cell: Cell) -> Moves:
    """Moves of one cell, every operation a kernel of its own."""
    convolutions = sum(digit in CONVOLUTIONS for digit in cell)
    others = 2 * sum(digit in (NONE, POOL) for digit in cell)
    sums = sum(3 * sum(target == node for _, target in EDGES) - 1 for node in range(1, NODES))
    merges = sum(3 * (sum(source == node for source, _ in EDGES) - 1) for node in range(NODES - 1))
    return Moves(
        7 * convolutions + others + sums, 12 * convolutions + others + merges, 6 * convolutions + others + sums
    )


def ideal_moves(cell: Cell) -> Moves:
    """Moves of one cell with the kernels described above; `none` costs nothing."""
    edges = [(source, target, digit) for (source, target), digit in zip(EDGES, cell, strict=True) if digit != NONE]
    forward = backward = evaluation = 0
    for node in range(NODES):
        into = [digit for _, target, digit in edges if target == node]
        out = [digit for source, _, digit in edges if source == node]
        if into and into != [SKIP]:
            forward += len(into) + 1
            evaluation += len(into) + 1
        convolutions = sum(digit in CONVOLUTIONS for digit in into)
        forward += 2 * convolutions
        backward += (convolutions > 0) + convolutions
        for digit in out:
            backward += 5 if digit in CONVOLUTIONS else 2 if digit == POOL else 1
        backward += bool(out)
    return Moves(forward, backward, evaluation)
