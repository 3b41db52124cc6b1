"""Which edges of which models a group computes: the same lists serve every cell of the network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skelnas.cells.computed import Edge, Layout, layout
from skelnas.cells.space import NODES, Cell

# What an edge brings to a node; ABSENT, as the first of a node's edges, that nobody reads the node.
NOTHING, SKIP, POOL, CONVOLUTION, BIAS, ABSENT = range(6)
KERNELS = (3, 1)
INNER = range(1, NODES)  # nodes that edges lead to
KEYS = tuple((kernel, target) for target in INNER for kernel in KERNELS)  # lists of convolutions, in their order


@dataclass(frozen=True)
class Capacity:
    """How many entries each list holds: `convolutions[kernel, target]`, and `biases`. Equal ones share one engine.

    The convolutions of a cell stand target by target, so that all that a node takes is in one range.
    """

    convolutions: dict[tuple[int, int], int]
    biases: int

    @property
    def total(self) -> int:
        """All convolutions of a cell."""
        return sum(self.convolutions.values())

    def entries(self, target: int, kernel: int | None = None) -> slice:
        """Positions of a node's convolutions among all of a cell; of one kernel size, if given."""
        return self._range(KEYS, [key for key in KEYS if key[1] == target and kernel in (None, key[0])])

    def rows(self, kernel: int, target: int | None = None) -> slice:
        """Positions of a node's convolutions, or of all nodes', among those of one kernel size."""
        keys = [key for key in KEYS if key[0] == kernel]
        return self._range(keys, [key for key in keys if target in (None, key[1])])

    def _range(self, keys: Sequence[tuple[int, int]], wanted: Sequence[tuple[int, int]]) -> slice:
        first = sum(self.convolutions[key] for key in keys[: keys.index(wanted[0])])
        return slice(first, first + sum(self.convolutions[key] for key in wanted))


@dataclass(frozen=True)
class WorkLists:
    """The edges of a group of M models, as arrays; an entry without work has model -1.

    Per convolution entry e (ordered as `Capacity.entries` says), int32 (entries,): `model`, `position` (the edge), and
    the slot `source` in a pool of nodes (node * M + model). `bias_*` is the same for biases. Per node,
    int32 (nodes, M, 3): the kinds and indices that `sum_nodes` takes (`into`, pool slots count nodes of one cell) and
    `sum_gradients` takes (`out_of`, whose slots count target nodes). The first and the last node are never absent:
    they are shared with the neighbouring cells.
    """

    models: int
    capacity: Capacity
    model: np.ndarray
    position: np.ndarray
    source: np.ndarray
    bias_model: np.ndarray
    bias_position: np.ndarray
    into_kinds: np.ndarray
    into_indices: np.ndarray
    out_of_kinds: np.ndarray
    out_of_indices: np.ndarray


def capacity(groups: Sequence[Sequence[Cell]]) -> Capacity:
    """The smallest capacity that holds every group."""
    counts = [_counts(group) for group in groups]
    return Capacity({key: max(count[0][key] for count in counts) for key in KEYS}, max(count[1] for count in counts))


def work_lists(cells: Sequence[Cell], room: Capacity) -> WorkLists:
    """The lists of one group, padded to `room`."""
    models, layouts = len(cells), [layout(cell) for cell in cells]
    convolution = np.full((3, room.total), -1, dtype=np.int32)  # model, position, source slot
    bias = np.full((2, room.biases), -1, dtype=np.int32)  # model, position
    tables = np.zeros((4, NODES, models, NODES - 1), dtype=np.int32)
    into_kinds, into_indices, out_kinds, out_indices = tables
    used = {(kernel, target): room.entries(target, kernel).start for kernel, target in KEYS}
    biases = 0
    for model, plan in enumerate(layouts):
        for edge, kind in _edges(plan):
            source, target = edge.source * models + model, edge.target * models + model
            backward_index, index = target, source
            if kind == CONVOLUTION:
                index = backward_index = used[edge.kernel, edge.target]
                used[edge.kernel, edge.target] += 1
                convolution[:, index] = model, edge.position, source
            elif kind == BIAS:
                index = room.total + biases
                bias[:, biases] = model, edge.position
                biases += 1
            _append(into_kinds[edge.target, model], into_indices[edge.target, model], kind, index)
            if kind != BIAS:
                _append(out_kinds[edge.source, model], out_indices[edge.source, model], kind, backward_index)
    for between in (into_kinds[1:-1], out_kinds[1:-1]):
        between[..., 0][(between == NOTHING).all(-1)] = ABSENT
    return WorkLists(models, room, *convolution, *bias, into_kinds, into_indices, out_kinds, out_indices)


def _edges(plan: Layout) -> list[tuple[Edge, int]]:
    kinds = (("convolutions", CONVOLUTION), ("biases", BIAS), ("skips", SKIP), ("pools", POOL))
    edges = [(edge, kind) for node in plan.nodes if node for field, kind in kinds for edge in getattr(node, field)]
    return sorted(edges)


def _append(kinds: np.ndarray, indices: np.ndarray, kind: int, index: int) -> None:
    place = int((kinds != NOTHING).sum())
    kinds[place], indices[place] = kind, index


def _counts(cells: Sequence[Cell]) -> tuple[dict[tuple[int, int], int], int]:
    counts = dict.fromkeys(KEYS, 0)
    biases = 0
    for cell in cells:
        for edge, kind in _edges(layout(cell)):
            if kind == CONVOLUTION:
                counts[edge.kernel, edge.target] += 1
            biases += kind == BIAS
    return counts, biases
