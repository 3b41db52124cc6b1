"""Which jobs are trained together: groups of equal make-up, so that all of them fit one engine."""

from collections.abc import Sequence

from skelnas.cells import space
from skelnas.training.fused.layout import layout
from skelnas.training.fused.work_lists import Capacity, capacity
from skelnas.training.settings import Job

EMPTY: space.Cell = (space.NONE,) * len(space.EDGES)  # fills a group that has too few jobs; nobody reads its results


def deal(jobs: Sequence[Job], size: int) -> list[list[Job]]:
    """Split jobs into groups of at most `size`, each with about the same convolutions on every node.

    Jobs are sorted by their convolutions and dealt round like cards, so that the lists of one group nearly fill the
    capacity that the fullest group asks for.
    """
    count = -(-len(jobs) // size)
    ordered = sorted(jobs, key=lambda job: (_make_up(job), job))
    return [ordered[first::count] for first in range(count)]


def room_for(groups: Sequence[Sequence[Job]]) -> Capacity:
    """The capacity of an engine that trains all groups."""
    return capacity([[space.cell(index) for index, _ in group] for group in groups])


def cells_of(group: Sequence[Job], size: int) -> list[space.Cell]:
    """The cells of a group, filled up to `size`."""
    return [space.cell(index) for index, _ in group] + [EMPTY] * (size - len(group))


def _make_up(job: Job) -> tuple[tuple[int, int], ...]:
    """The kernels and targets of a cell's convolutions, the largest first."""
    edges = layout(space.cell(job[0])).edges()
    return tuple(sorted(((edge.kernel, edge.target) for edge in edges if edge.kernel), reverse=True))
