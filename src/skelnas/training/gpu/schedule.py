"""Which group is trained next: a failing one again and then in halves, all in smaller ones where memory is short."""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from skelnas.training.gpu.groups import Capacity, capacity_for, partition
from skelnas.training.settings import Job


class Task(NamedTuple):
    """A group to be trained by an engine for `models` models of this capacity; `tries` are left if it fails.

    `following` is the group that the same process will most likely get after this one.
    """

    group: tuple[Job, ...]
    models: int
    capacity: Capacity
    tries: int = 1
    following: tuple[Job, ...] = ()


class Schedule:
    """The groups that wait. Jobs of one group go on from the same place, so `places` (of each job) keeps them apart."""

    def __init__(self, jobs: Sequence[Job], size: int, places: Mapping[Job, tuple[int, int]]) -> None:
        self._places, self.size = places, size
        self._waiting: deque[Task] = deque()
        self._kept: dict[int, Task] = {}  # by place
        self._partition(jobs)

    def take(self, place: int) -> Task | None:
        """The next group for the process at `place`, or None while none waits; another is kept for it.

        A process gets what is kept for another only where nothing else is left.
        """
        task = self._kept.pop(place, None)
        if task is None and self._waiting:
            task = self._waiting.popleft()
        if task is None and self._kept:
            _, task = self._kept.popitem()
        if task is not None and self._waiting:
            self._kept[place] = self._waiting.popleft()
            return task._replace(following=self._kept[place].group)
        return task and task._replace(following=())

    def _release(self) -> None:
        """Let whatever is kept for somebody wait for anybody."""
        self._waiting.extendleft(reversed(self._kept.values()))
        self._kept.clear()

    def failed(self, task: Task) -> bool:
        """Put a group that failed back, whole or in halves; False where it is a single job that has had its tries.

        Halves wait until the others have been tried: whether anything can be trained here shows first.
        """
        self._release()
        if task.tries:
            self._waiting.appendleft(task._replace(tries=task.tries - 1))
        elif len(task.group) > 1:
            halves = task.group[::2], task.group[1::2]
            self._waiting.extend(task._replace(group=half) for half in halves)
        return task.tries > 0 or len(task.group) > 1

    def too_large(self, task: Task) -> bool:
        """Deal what waits, and this group, into groups of half its engine's size; False where that is one model."""
        if task.models == 1:
            return False
        self._release()
        self.size = min(self.size, task.models // 2)
        self._partition([*task.group, *(job for other in self._waiting for job in other.group)])
        return True

    def _partition(self, jobs: Sequence[Job]) -> None:
        ordered = sorted(jobs, key=lambda job: (self._places[job], job))
        alike = [list(these) for _, these in groupby(ordered, key=self._places.get)]
        groups = [group for these in alike for group in partition(these, self.size)]
        if groups:
            models, capacity = max(map(len, groups)), capacity_for(groups)
            self._waiting = deque(Task(tuple(group), models, capacity) for group in groups)


class Breaker:
    """Ends what can only go on failing: two groups with no job in common fail alike, and none has been trained yet.

    Failures are alike where their reasons differ in numbers at most: addresses, sizes, exit codes of one kind.
    """

    def __init__(self) -> None:
        self._trained = False
        self._failed: list[tuple[frozenset[Job], str]] = []

    def trained(self) -> None:
        """A group was trained: what fails from now on is to blame itself."""
        self._trained = True

    def trips(self, group: Sequence[Job], reason: str) -> bool:
        """Note that a group failed; whether it is no use to go on."""
        own, kind = frozenset(group), re.sub(r"0x[0-9a-fA-F]+|\d+", "#", reason)
        alike = any(other == kind and own.isdisjoint(jobs) for jobs, other in self._failed)
        self._failed.append((own, kind))
        return alike and not self._trained


def even_size(jobs: int, most: int, workers: int) -> int:
    """The size of groups, at most `most`, that keeps all workers busy to the end."""
    rounds = -(-jobs // (most * workers))
    return -(-jobs // (rounds * workers))
