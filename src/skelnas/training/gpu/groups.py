"""Which jobs are trained together, and which edges of which models such a group computes.

Groups have equal make-up, so that all of them fit one engine: its work lists have one capacity, and the same lists
serve every cell of the network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skelnas.cells import space
from skelnas.cells.computed import Edge, Layout, layout
from skelnas.cells.space import NODES, Cell
from skelnas.training.gpu.operations import ABSENT, BIAS, CONVOLUTION, NOTHING, POOL, SKIP
from skelnas.training.settings import Job

KERNELS = (3, 1)
INNER = range(1, NODES)  # nodes that edges lead to
KEYS = tuple((kernel, target) for target in INNER for kernel in KERNELS)  # lists of convolutions, in their order
EMPTY = space.cell(1651)  # every edge `none`; fills a group that has too few jobs; nobody reads its results
# Where a cell's nodes have their gradients among four, in even and odd turns: node 0's is the next turn's node 3's.
PLANES = ((3, 2, 1, 0), (0, 2, 1, 3))


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


def partition(jobs: Sequence[Job], size: int) -> list[list[Job]]:
    """Split jobs into groups of at most `size`, each with about the same convolutions on every node.

    The jobs with the most convolutions are placed first, a round of one per group at a time; each goes to the group
    that has least of its kind of work so far. The lists of one group then nearly fill the capacity that all share.
    """
    count = -(-len(jobs) // size)
    made_of = {job: _make_up(job) for job in jobs}
    ordered = sorted(jobs, key=lambda job: (-made_of[job].sum(), *-made_of[job], job))
    groups: list[list[Job]] = [[] for _ in range(count)]
    loads = np.zeros((count, len(KEYS)))
    for first in range(0, len(ordered), count):
        open_ones = np.ones(count, dtype=bool)
        for job in ordered[first : first + count]:
            own = loads @ made_of[job]
            # Where that is equal, the group with least work of any kind.
            chosen = np.lexsort((loads.sum(1), own, ~open_ones))[0]
            groups[chosen].append(job)
            loads[chosen] += made_of[job]
            open_ones[chosen] = False
    return groups


def capacity_for(groups: Sequence[Sequence[Job]]) -> Capacity:
    """The capacity of an engine that trains all groups."""
    return capacity_of([[space.cell(index) for index, _ in group] for group in groups])


def cells_of(group: Sequence[Job], size: int) -> list[space.Cell]:
    """The cells of a group, filled up to `size`."""
    return [space.cell(index) for index, _ in group] + [EMPTY] * (size - len(group))


def _make_up(job: Job) -> np.ndarray:
    """How many convolutions of a cell have each kernel and target, int64, in the order of KEYS."""
    edges = [(edge.kernel, edge.target) for edge in layout(space.cell(job[0])).edges()]
    return np.array([edges.count(key) for key in KEYS])


def capacity_of(groups: Sequence[Sequence[Cell]]) -> Capacity:
    """The smallest capacity that holds every group."""
    counts = [_counts(group) for group in groups]
    return Capacity({key: max(count[0][key] for count in counts) for key in KEYS}, max(count[1] for count in counts))


def work_lists(cells: Sequence[Cell], capacity: Capacity) -> WorkLists:
    """The lists of one group, padded to `capacity`."""
    models, layouts = len(cells), [layout(cell) for cell in cells]
    convolution = np.full((3, capacity.total), -1, dtype=np.int32)  # model, position, source slot
    bias = np.full((2, capacity.biases), -1, dtype=np.int32)  # model, position
    tables = np.zeros((4, NODES, models, NODES - 1), dtype=np.int32)
    into_kinds, into_indices, out_kinds, out_indices = tables
    used = {(kernel, target): capacity.entries(target, kernel).start for kernel, target in KEYS}
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
                index = capacity.total + biases
                bias[:, biases] = model, edge.position
                biases += 1
            _append(into_kinds[edge.target, model], into_indices[edge.target, model], kind, index)
            if kind != BIAS:
                _append(out_kinds[edge.source, model], out_indices[edge.source, model], kind, backward_index)
    for between in (into_kinds[1:-1], out_kinds[1:-1]):
        between[..., 0][(between == NOTHING).all(-1)] = ABSENT
    (model_of, position_of, source_of), (bias_model, bias_position) = convolution, bias
    tables_of_nodes = into_kinds, into_indices, out_kinds, out_indices
    return WorkLists(models, capacity, model_of, position_of, source_of, bias_model, bias_position, *tables_of_nodes)


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


@dataclass(frozen=True)
class GroupTables:
    """The work lists of a group on its device, with slots as the passes need them; int32 throughout.

    Loading another group's lists of the same capacity into them (`load`) leaves every address as it was.
    """

    capacity: Capacity
    source: Tensor  # (convolutions,) slots of a cell's nodes
    into_kinds: Tensor  # (nodes, M, 3)
    into_indices: Tensor
    out_of_kinds: Tensor
    out_of_indices: Tensor  # (2, nodes, M, 3), by turn
    every: Tensor  # (M,) every model's own slot
    own_kinds: Tensor  # (M, 1) one convolution each: its own
    own_indices: Tensor
    shortcut_kinds: Tensor  # (M, 2) its own convolution and image
    shortcut_indices: Tensor

    @classmethod
    def of(cls, lists: WorkLists, device: torch.device | str) -> "GroupTables":
        """The tables of `lists`."""
        return cls(lists.capacity, *(torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in _arrays(lists)))

    def load(self, lists: WorkLists) -> None:
        """Take the lists of another group with the same number of models and the same capacity."""
        for name, array in zip(list(self.__dataclass_fields__)[1:], _arrays(lists), strict=True):
            getattr(self, name).copy_(torch.from_numpy(array))


def _arrays(lists: WorkLists) -> tuple[np.ndarray, ...]:
    models = lists.models

    own = np.arange(models, dtype=np.int32)[:, None]
    images = (lists.out_of_kinds == SKIP) | (lists.out_of_kinds == POOL)
    node, model = np.divmod(np.where(images, lists.out_of_indices, 0), models)
    gradients = np.array(PLANES, dtype=np.int32)[:, node] * models + model  # by turn
    return (
        lists.source,
        lists.into_kinds,
        lists.into_indices,
        lists.out_of_kinds,
        np.where(images, gradients, lists.out_of_indices).astype(np.int32),
        own[:, 0],
        np.full_like(own, CONVOLUTION),
        own,
        np.repeat(np.array([[CONVOLUTION, SKIP]], dtype=np.int32), models, axis=0),
        np.repeat(own, 2, axis=1),
    )
