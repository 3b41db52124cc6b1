"""Which jobs are trained together: groups of equal make-up, so that all of them fit one engine."""

from collections.abc import Sequence

import numpy as np

from skelnas.cells import space
from skelnas.cells.computed import layout
from skelnas.training.gpu.work_lists import KEYS, Capacity, capacity
from skelnas.training.settings import Job

EMPTY: space.Cell = (space.NONE,) * len(space.EDGES)  # fills a group that has too few jobs; nobody reads its results


def deal(jobs: Sequence[Job], size: int) -> list[list[Job]]:
    """Split jobs into groups of at most `size`, each with about the same convolutions on every node.

    The jobs with the most convolutions are dealt first, a round of one per group at a time; each goes to the group
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


def room_for(groups: Sequence[Sequence[Job]]) -> Capacity:
    """The capacity of an engine that trains all groups."""
    return capacity([[space.cell(index) for index, _ in group] for group in groups])


def cells_of(group: Sequence[Job], size: int) -> list[space.Cell]:
    """The cells of a group, filled up to `size`."""
    return [space.cell(index) for index, _ in group] + [EMPTY] * (size - len(group))


def _make_up(job: Job) -> np.ndarray:
    """How many convolutions of a cell have each kernel and target, int64, in the order of KEYS."""
    edges = [(edge.kernel, edge.target) for edge in layout(space.cell(job[0])).edges()]
    return np.array([edges.count(key) for key in KEYS])
