"""Edges of a cell: which lie on a path from input to output, which change the trained network, what the paths hold.

Two notions differ. In the *graph* an edge counts when it lies on a path of operations other than `none` from node 0 to
node 3. In the *network* a convolution ends in BatchNorm, whose bias is learned, so a convolution of an all-zero node
adds a learned constant per channel: it lies on no path from the input and changes the output all the same.
"""

from typing import NamedTuple

from skelnas.cells.space import CONVOLUTIONS, EDGES, NODES, NONE, OPERATIONS, POOL, SKIP, Cell, of_digits

OUTPUT = NODES - 1
# Every way from input to output as edge positions: 0>3, 0>1>3, 0>2>3 and 0>1>2>3.
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))


class TrainedEdges(NamedTuple):
    """Positions (in `EDGES`, ascending) of the edges that can change what the trained network puts out."""

    signal: tuple[int, ...]  # carry something computed from the input: the live edges
    bias: tuple[int, ...]  # convolutions of an all-zero node: BatchNorm's bias, whatever their weights
    constant: tuple[int, ...]  # operations on a node that holds only such biases

    @property
    def all(self) -> tuple[int, ...]:
        """Every edge that an engine must keep to compute the same function, ascending."""
        return tuple(sorted(self.signal + self.bias + self.constant))


def live_paths(cell: Cell) -> list[tuple[int, ...]]:
    """The ways from input to output without a `none`, each as edge positions from the input on."""
    return [path for path in PATHS if all(cell[edge] != NONE for edge in path)]


def live_edges(cell: Cell) -> tuple[int, ...]:
    """Positions of the edges on a path from input to output that holds no `none`, ascending."""
    return tuple(sorted({edge for path in live_paths(cell) for edge in path}))


def pruned(cell: Cell) -> Cell:
    """The cell with `none` on every edge that is not live: its relevant graph."""
    live = live_edges(cell)
    return of_digits(digit if edge in live else NONE for edge, digit in enumerate(cell))


def trained_edges(cell: Cell) -> TrainedEdges:
    """The edges that can change the network's output, by what they carry.

    An edge counts when the output can be reached from its target. Skips and pools of an all-zero node are zero and
    dropped; convolutions of one are kept (`bias`), and so is whatever follows them (`constant`).
    """
    reaches = _nodes_before_output(cell)
    holds = ["signal"] + ["zero"] * OUTPUT  # per node
    carried: dict[int, str] = {}
    for edge, ((source, target), digit) in enumerate(zip(EDGES, cell, strict=True)):
        if digit == NONE or (holds[source] == "zero" and digit not in CONVOLUTIONS):
            continue
        carried[edge] = "bias" if holds[source] == "zero" else holds[source]
        if holds[target] != "signal":
            holds[target] = "signal" if carried[edge] == "signal" else "constant"
    kept = {edge: kind for edge, kind in carried.items() if EDGES[edge][1] in reaches}
    return TrainedEdges(*(tuple(edge for edge in kept if kept[edge] == kind) for kind in TrainedEdges._fields))


def _nodes_before_output(cell: Cell) -> set[int]:
    """The nodes from which a path without `none` leads to the output, the output included."""
    reaches = {OUTPUT}
    for (source, target), digit in sorted(zip(EDGES, cell, strict=True), reverse=True):
        if digit != NONE and target in reaches:
            reaches.add(source)
    return reaches


def is_connected(cell: Cell) -> bool:
    """Whether anything of the input arrives at the output."""
    return bool(live_paths(cell))


def has_skip_path(cell: Cell) -> bool:
    """Whether the input arrives at the output unchanged, over skips alone (the shortcut of a residual block)."""
    return any(all(cell[edge] == SKIP for edge in path) for path in live_paths(cell))


def has_convolution_path(cell: Cell) -> bool:
    """Whether a live path holds a convolution."""
    return convolution_depth(cell) > 0


def has_pool_path(cell: Cell) -> bool:
    """Whether a live path holds an average pool."""
    return any(cell[edge] == POOL for edge in live_edges(cell))


def convolution_depth(cell: Cell) -> int:
    """The largest number of convolutions in sequence on a live path, 0..3."""
    return max((sum(cell[edge] in CONVOLUTIONS for edge in path) for path in live_paths(cell)), default=0)


def input_convolutions(cell: Cell) -> int:
    """The number of live convolutions in parallel on the cell's input, 0..3."""
    return sum(EDGES[edge][0] == 0 and cell[edge] in CONVOLUTIONS for edge in live_edges(cell))


def live_operation_counts(cell: Cell) -> tuple[int, ...]:
    """How many live edges carry each operation, in the order of `OPERATIONS`."""
    on_live = [cell[edge] for edge in live_edges(cell)]
    return tuple(on_live.count(digit) for digit in range(len(OPERATIONS)))


def depth(cell: Cell) -> int:
    """The largest number of operations other than skips in sequence on a live path, 0..3."""
    return max((sum(cell[edge] != SKIP for edge in path) for path in live_paths(cell)), default=0)


def width(cell: Cell) -> int:
    """The largest number of live edges side by side, 0..4: those that cross from nodes 0..n to the nodes after n."""
    live = live_edges(cell)
    return max(sum(EDGES[edge][0] <= node < EDGES[edge][1] for edge in live) for node in range(OUTPUT))
