"""Questions to a benchmark file: curves and accuracies of one cell, or of all cells at once."""

from typing import TYPE_CHECKING

import numpy as np

from skelnas.cells import naming, space
from skelnas.errors import InputError
from skelnas.recipe import SPLITS
from skelnas.results.counts import counts_of, is_missing
from skelnas.results.number import Number
from skelnas.results.stored import StoredBenchmark

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from skelnas.results.clock import Clock, Cost

DIGITS = 9  # accuracies are rounded to a billionth of a percent, so that equal counts give equal means in any order
METRICS = ("top1", "top5", "loss")
UNITS = {"top1": "%", "top5": "%", "loss": "nats"}  # percent of the split's samples; mean cross-entropy


class Benchmark(StoredBenchmark):
    """An opened benchmark file; only what is asked for is read.

    A cell is given as its architecture index, its string, six digits (`"313124"` or a sequence), or the class of equal
    networks that it stands for (`"class 3"`, see `cells.naming`). `metric` is "top1" or "top5" (percent of the split's
    samples) or "loss"; `split` is "train", "valid" or "test"; `epoch` counts from 0, -1 or "final" is the last, and
    "best", of one cell, the one with the highest validation accuracy of its seed, the earliest of equals; without a
    `seed` the mean over the seeds that were trained is returned. What nobody has (a seed that was not trained, a split
    or an epoch that was not recorded) is NaN, in losses as well, where `present` tells it from a loss that diverged. A
    wrong name, cell, seed or epoch raises `InputError`. A `Benchmark` can be pickled: the copy opens the file again.
    """

    def curve(
        self, cell: naming.Named, split: str = "test", metric: str = "top1", seed: int | None = None
    ) -> np.ndarray:
        """The learning curve of one cell: float64 (epochs,)."""
        self._check(split, metric)
        row, column = self._row(cell), self._column(seed)
        stored = self._stored(metric, np.s_[row : row + 1, :, SPLITS.index(split), :])
        values, present = self._converted(stored, split, metric), ~is_missing(stored)
        return seed_mean(values, present)[0] if column is None else values[0, column]

    def value(
        self,
        cell: naming.Named,
        split: str = "test",
        metric: str = "top1",
        epoch: int | str = -1,
        seed: int | None = None,
    ) -> Number:
        """One cell's value after one epoch: percent or loss, with what it is the value of."""
        self._check(split, metric)
        row, column = self._row(cell), self._column(seed)
        if epoch == "best":
            return self._value_at_best(row, column, split, metric)
        at = self.epoch_number(epoch)
        if at == self.epochs - 1:
            values, means, present = self._last_values(split, metric)
            if column is None:
                return self._number(float(means[row]), metric, split, row, self._seeds_of(present[row]), at)
            return self._number(float(values[row, column]), metric, split, row, (self.seeds[column],), at)
        return self._value_after(row, column, split, metric, np.full(len(self.seeds), at))

    def best(
        self, split: str = "valid", metric: str = "top1", epoch: int | str = -1, seed: int | None = None
    ) -> Number:
        """The best cell's value: the most accurate, or of lowest loss; of equals the one with the lowest index."""
        self._check(split, metric)
        column = self._column(seed)
        values = (
            self.seed_means(split, metric, epoch) if column is None else self.values(split, metric, epoch)[:, column]
        )
        if np.isnan(values).all():
            raise InputError(f"{self.path} has no {metric} of {split} to choose by; choose another split or metric")
        row = int(np.nanargmin(values) if metric == "loss" else np.nanargmax(values))
        return self.value(int(self.cells[row]), split, metric, epoch, seed)

    def table(self, split: str = "test", metric: str = "top1", epoch: int | str = -1) -> "pd.DataFrame":
        """One row for each cell and seed, see `results.tables`."""
        from skelnas.results import tables

        return tables.values(self, split, metric, epoch)

    def cost(self, cell: naming.Named) -> "Cost":
        """Parameters, multiply-accumulates, and the seconds that training took, see `results.clock`."""
        from skelnas.results import clock

        return clock.cost(self, self.index(cell))

    def clock(self) -> "Clock":
        """A clock that charges the seconds that each training took."""
        from skelnas.results.clock import Clock

        return Clock(self)

    def network(self, cell: naming.Named) -> "nn.Module":
        """The untrained network of a cell, for images of `height` x `width`; needs torch.

        Raises:
            InputError: torch is not installed.
        """
        try:
            from skelnas.network import Network
        except ModuleNotFoundError as error:
            raise InputError("a network needs torch, which is not here: pip install 'skelnas[train]'") from error
        return Network(space.cell(self.index(cell)), self.classes)

    def index(self, cell: naming.Named) -> int:
        """The architecture index of a cell of this benchmark, however it is named."""
        return int(self.cells[self._row(cell)])

    def curves(self, split: str = "test", metric: str = "top1") -> np.ndarray:
        """Every learning curve: float64 (cells, seeds, epochs)."""
        self._check(split, metric)
        return self._converted(self._stored(metric, np.s_[:, :, SPLITS.index(split), :]), split, metric)

    def counts(self, split: str = "test", metric: str = "top1") -> np.ndarray:
        """Correct predictions: int32 (cells, seeds, epochs), -1 where missing; `metric` is "top1" or "top5"."""
        self._check(split, metric)
        if metric == "loss":
            raise InputError("a loss is no count; ask for top1 or top5")
        return counts_of(self._stored(metric, np.s_[:, :, SPLITS.index(split), :]))

    def values(self, split: str = "test", metric: str = "top1", epoch: int | str = -1) -> np.ndarray:
        """Every cell's value after one epoch: float64 (cells, seeds)."""
        self._check(split, metric)
        return self._converted(self._at_epoch(split, metric, epoch), split, metric)

    def present(self, split: str = "test", metric: str = "top1", epoch: int | str | None = -1) -> np.ndarray:
        """Which values somebody has: bool (cells, seeds) after one epoch, (cells, seeds, epochs) for `epoch=None`."""
        self._check(split, metric)
        if epoch is None:
            return ~is_missing(self._stored(metric, np.s_[:, :, SPLITS.index(split), :]))
        return ~is_missing(self._at_epoch(split, metric, epoch))

    def seed_means(self, split: str = "test", metric: str = "top1", epoch: int | str = -1) -> np.ndarray:
        """Every cell's mean over the seeds it was trained with: float64 (cells,), NaN where there is none."""
        self._check(split, metric)
        if self.epoch_number(epoch) == self.epochs - 1:
            return self._last_values(split, metric)[1].copy()
        stored = self._at_epoch(split, metric, epoch)
        return seed_mean(self._converted(stored, split, metric), ~is_missing(stored))

    def _number(
        self, value: float, metric: str, split: str, row: int, seeds: tuple[int, ...], epoch: int | None
    ) -> Number:
        return Number(value, UNITS[metric], metric, split, int(self.cells[row]), seeds, epoch, self.epochs)

    def _seeds_of(self, present: np.ndarray) -> tuple[int, ...]:
        """The seeds of one cell: `present` is bool (seeds,)."""
        return self.seeds if present.all() else tuple(np.array(self.seeds)[present].tolist())

    def _value_at_best(self, row: int, column: int | None, split: str, metric: str) -> Number:
        """The value where each seed's validation accuracy is highest."""
        accuracy = self._converted(self._stored("top1", np.s_[row, :, SPLITS.index("valid"), :]), "valid", "top1")
        if np.isnan(accuracy if column is None else accuracy[column]).all():
            raise InputError(f"{self.path} has no validation accuracy of cell {self.cells[row]} to choose an epoch by")
        best = np.where(np.isnan(accuracy), -np.inf, accuracy).argmax(axis=1)
        return self._value_after(row, column, split, metric, best)

    def _value_after(self, row: int, column: int | None, split: str, metric: str, epochs: np.ndarray) -> Number:
        """The value after an epoch of each seed, int64 (seeds,)."""
        stored = self._stored(metric, np.s_[row, :, SPLITS.index(split), :])
        chosen = stored[np.arange(len(epochs)), epochs][None]
        values, present = self._converted(chosen, split, metric), ~is_missing(chosen)
        if column is not None:
            value, at = float(values[0, column]), int(epochs[column])
            return self._number(value, metric, split, row, (self.seeds[column],), at)
        different = set(epochs[present[0]].tolist() or epochs.tolist())
        at_all = different.pop() if len(different) == 1 else None
        mean = float(seed_mean(values, present)[0])
        return self._number(mean, metric, split, row, self._seeds_of(present[0]), at_all)

    def _at_epoch(self, split: str, metric: str, epoch: int | str) -> np.ndarray:
        """What is stored after one epoch: (cells, seeds)."""
        epoch, position = self.epoch_number(epoch), SPLITS.index(split)
        if epoch == self.epochs - 1 and not self._first_format:
            return self._stored(metric, np.s_[:, :, position], "last_")
        return self._stored(metric, np.s_[:, :, position, epoch : epoch + 1])[..., 0]

    def _last_values(self, split: str, metric: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The values after the last epoch (cells, seeds), their means over the seeds, which are there; read once."""
        if (split, metric) not in self._last:
            stored = self._at_epoch(split, metric, -1)
            values = self._converted(stored, split, metric)
            present = ~is_missing(stored)
            self._last[split, metric] = values, seed_mean(values, present), present
        return self._last[split, metric]

    def _check(self, split: str, metric: str) -> None:
        for what, name, known in (("metric", metric, METRICS), ("split", split, SPLITS)):
            if not isinstance(name, str) or name not in known:
                raise InputError(f"there is no {what} {name!r}; there are {', '.join(known)}")

    def _row(self, cell: naming.Named) -> int:
        number = naming.class_number(cell)
        if number is not None:
            return self._row_of_class(number)
        index = naming.index_of(cell)
        if (row := int(self._row_of[index])) < 0:
            raise InputError(f"{self.path} has no cell {index}; it holds {len(self)} cells, see `cells`")
        return row

    def _row_of_class(self, number: int) -> int:
        from skelnas.cells.equivalence import members

        cells = members(number)
        if cells[0] != number:
            raise InputError(f"cell {number} gives no class its name: it belongs to class {cells[0]}")
        rows = self._row_of[cells]
        if (rows < 0).all():
            raise InputError(f"{self.path} has none of the {len(cells)} cells of class {number}, see `cells`")
        return int(rows[rows >= 0][0])

    def _column(self, seed: int | None) -> int | None:
        if seed is None:
            return None
        if naming.whole("seed", seed) not in self.seeds:
            raise InputError(f"{self.path} has no seed {seed}; it holds {', '.join(map(str, self.seeds))}")
        return self.seeds.index(seed)

    def epoch_number(self, epoch: int | str) -> int:
        """An epoch, however it is given, counted from 0.

        Raises:
            InputError: there is no such epoch.
        """
        if isinstance(epoch, str):
            if epoch == "final":
                return self.epochs - 1
            raise InputError(f"{epoch!r} is no epoch: give a whole number, 'final', or for one cell 'best'")
        epoch = naming.whole("epoch", epoch)
        if not -self.epochs <= epoch < self.epochs:
            raise InputError(
                f"{self.path} has no epoch {epoch}; epochs run from 0 to {self.epochs - 1}, -1 is the last"
            )
        return epoch % self.epochs


def seed_mean(values: np.ndarray, present: np.ndarray | None = None) -> np.ndarray:
    """The mean over the second axis, the seeds, of those that are present; NaN where none is.

    Without `present`, NaN is what is missing: right for accuracies, while of losses a diverged one must count. Equal
    counts give equal means in whatever order.
    """
    present = ~np.isnan(values) if present is None else present
    number = present.sum(axis=1)
    with np.errstate(invalid="ignore"):
        total = np.where(present, values, 0.0).sum(axis=1)
        return (total / np.where(number, number, np.nan)).round(DIGITS)


def spread_over_seeds(values: np.ndarray) -> np.ndarray:
    """Sample standard deviation of (cells, seeds) over the seeds of each cell; NaN where it has fewer than two."""
    there = ~np.isnan(values)
    number = there.sum(axis=1, keepdims=True)
    mean = np.where(there, values, 0).sum(axis=1, keepdims=True) / np.maximum(number, 1)
    squares = np.where(there, (values - mean) ** 2, 0).sum(axis=1)
    return np.sqrt(squares / np.where(number > 1, number - 1, np.nan)[:, 0]).round(DIGITS)
