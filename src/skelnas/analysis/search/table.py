"""What a search is told, what it is judged by, and what each training costs it: a benchmark as plain arrays."""

import functools
from dataclasses import dataclass

import numpy as np

from skelnas.cells import space
from skelnas.results.query import seed_mean


@dataclass(frozen=True)
class Table:
    """All 15,625 cells, rows in the order of architecture indices.

    seen: float32 (cells, seeds, epochs), the validation accuracy in percent that a search is told; NaN: not trained.
    judged: float64 (cells, seeds), the accuracy in percent that its choice is worth when it was told of this seed.
    best: the largest that a choice can be worth, percent.
    seconds: float64 (cells, seeds), what a whole training costs; of a part of its epochs, that part of it.
    unit: of `seconds`; "trainings" where nobody measured, and then each costs 1.
    """

    seen: np.ndarray
    judged: np.ndarray
    best: float
    seconds: np.ndarray
    unit: str

    @property
    def epochs(self) -> int:
        return self.seen.shape[2]

    def told(self, cells: np.ndarray, seeds: np.ndarray, epoch: int = -1) -> np.ndarray:
        """What a search is told of these trainings after `epoch`."""
        return self.seen[cells, seeds, epoch]

    def draw_seeds(self, cells: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """For each cell one of the seeds that it was trained with, each as likely as the others."""
        number, order = self._trained
        return order[cells, (random.random(cells.shape) * number[cells]).astype(int)]

    @functools.cached_property
    def _trained(self) -> tuple[np.ndarray, np.ndarray]:
        """How many seeds each cell was trained with, (cells,), and all of them with those first, (cells, seeds)."""
        present = ~np.isnan(self.seen[..., -1])
        return present.sum(axis=1), np.argsort(~present, axis=1, kind="stable")


def asked(valid: np.ndarray, test: np.ndarray, seconds: np.ndarray | None = None) -> Table:
    """The table of accuracies in percent: `valid` (cells, seeds, epochs), `test` (cells, seeds) after the last epoch.

    A choice is worth the mean of its test accuracies; where there are none, the mean of its validation accuracies with
    the *other* seeds, so that nothing is chosen and measured on the same numbers. `seconds` is (cells, seeds).

    Raises:
        ValueError: not all cells are there, with a validation accuracy each.
    """
    last = valid[..., -1]
    if len(valid) != space.CELLS or np.isnan(last).all(axis=1).any():
        raise ValueError("a search needs every cell")
    tested = not np.isnan(test).all()
    measured = seconds is not None and bool((np.isfinite(seconds) | np.isnan(last)).all())
    return Table(
        seen=valid.astype(np.float32),
        judged=np.repeat(seed_mean(test)[:, None], last.shape[1], axis=1) if tested else _others(last),
        best=float(np.nanmax(seed_mean(test if tested else last))),
        seconds=seconds if measured and seconds is not None else np.ones(last.shape),
        unit="seconds" if measured else "trainings",
    )


def _others(values: np.ndarray) -> np.ndarray:
    """For each value of (cells, seeds) the mean of the cell's other ones; of a cell with one seed, itself."""
    present = ~np.isnan(values)
    total = np.where(present, values, 0.0).sum(axis=1, keepdims=True)
    others = present.sum(axis=1, keepdims=True) - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(others > 0, (total - values) / others, values)
