"""What of a network is computed: the trained edges of its cell per node, and which of its cells matter at all."""

import functools
from dataclasses import dataclass
from typing import NamedTuple

from skelnas.cells import outline
from skelnas.cells.edges import is_connected, trained_edges
from skelnas.cells.space import CONV1, CONV3, CONVOLUTIONS, EDGES, NODES, POOL, SKIP, Cell


class Edge(NamedTuple):
    """One edge that is computed; `position` counts in EDGES, `kernel` is 1 or 3 for a convolution, else 0."""

    position: int
    source: int
    target: int
    operation: int

    @property
    def kernel(self) -> int:
        """Kernel size of a convolution, 0 for other operations."""
        return {CONV1: 1, CONV3: 3}.get(self.operation, 0)


@dataclass(frozen=True)
class Node:
    """A node's incoming edges, by what they take."""

    convolutions: tuple[Edge, ...]
    biases: tuple[Edge, ...]  # convolutions of an all-zero node: only BatchNorm's bias arrives
    skips: tuple[Edge, ...]
    pools: tuple[Edge, ...]


@dataclass(frozen=True)
class Layout:
    """A cell as it is computed.

    `nodes[v]` is None for a node that is zero or that nobody reads. `connected` tells whether the cell's output
    depends on its input; where it does not, only the last of the network's cells matters.
    """

    nodes: tuple[Node | None, ...]
    connected: bool

    def edges(self) -> tuple[Edge, ...]:
        """Every edge computed, by target."""
        return tuple(
            edge for node in self.nodes if node for edge in (*node.convolutions, *node.biases, *node.skips, *node.pools)
        )


@functools.cache
def layout(cell: Cell) -> Layout:
    """The edges of `cell` that can change the trained network, ordered by the node they lead to."""
    kept = trained_edges(cell)
    nodes: list[Node | None] = [None]
    for target in range(1, NODES):
        edges = [Edge(i, *EDGES[i], cell[i]) for i in kept.all if EDGES[i][1] == target]
        nodes.append(
            Node(
                convolutions=tuple(e for e in edges if e.operation in CONVOLUTIONS and e.position not in kept.bias),
                biases=tuple(e for e in edges if e.position in kept.bias),
                skips=tuple(e for e in edges if e.operation == SKIP),
                pools=tuple(e for e in edges if e.operation == POOL),
            )
            if edges
            else None
        )
    return Layout(tuple(nodes), is_connected(cell))


def parameter_names(cell: Cell, repeats: int) -> list[str]:
    """Names (keys of the network's state) of the parameters that can change its output, in the network's order."""
    plan = layout(cell)
    in_cell = [
        f"edges.{edge.position}.{part}"
        for edge in sorted(plan.edges())
        if edge.kernel
        for part in (("norm.bias",) if edge in _biases(plan) else ("conv.weight", "norm.weight", "norm.bias"))
    ]
    reduction = [
        f"{unit}.{part}" for unit in ("first", "second") for part in ("conv.weight", "norm.weight", "norm.bias")
    ]
    body = outline.body(repeats)
    names = ["stem.conv.weight", "stem.norm.weight", "stem.norm.bias"] if plan.connected else []
    for module in body if plan.connected else body[-1:]:
        inside = [*reduction, "shortcut.conv.weight"] if module.is_reduction else in_cell
        names += [f"cells.{module.position}.{name}" for name in inside]
    return [*names, "norm.weight", "norm.bias", "classifier.weight", "classifier.bias"]


def _biases(plan: Layout) -> set[Edge]:
    return {edge for node in plan.nodes if node for edge in node.biases}
