"""Questions to a benchmark file: curves and accuracies of one cell, or of all cells at once."""

import contextlib
import json
import operator
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np

from skelnas import hdf5
from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.recipe import SPLITS
from skelnas.results.benchmark import FORMAT, FORMAT_1, LOSS_FORMAT, loss_path
from skelnas.results.counts import MISSING_LOSS, is_missing
from skelnas.results.shard import TRAINED

DIGITS = 9  # accuracies are rounded to a billionth of a percent, so that equal counts give equal means in any order
METRICS = ("top1", "top5", "loss")
SMALL = ("cell", "seed", "samples", "parameters", "macs", "learning_rate")  # read and checked when a file is opened


class Benchmark:
    """An opened benchmark file; only what is asked for is read.

    A cell is given as its architecture index or as its string. `metric` is "top1" or "top5" (percent of the split's
    samples) or "loss"; `split` is "train", "valid" or "test"; `epoch` counts from 0, -1 is the last; without a `seed`
    the mean over the seeds that were trained is returned. What nobody has (a seed that was not trained, a split or an
    epoch that was not recorded) is NaN, in losses as well, where `present` tells it from a loss that diverged. A wrong
    name, cell, seed or epoch raises `InputError`. A `Benchmark` can be pickled: the copy opens the file again.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{path}: there is no such benchmark; `snakemake --cores all {path}` makes it")
        self._open = contextlib.ExitStack()
        try:
            self._file = self._open.enter_context(hdf5.opened(self.path))
            attributes = hdf5.attributes_of(self._file)
            if attributes.get("format") not in (FORMAT, FORMAT_1):
                raise ValueError("it is not a benchmark of this version")
            small = {name: self._file[name][()] for name in SMALL}
            if attributes["format"] == FORMAT:
                hdf5.check_seal(attributes, "identity")
                hdf5.check_arrays(attributes, small)
            self.cells: np.ndarray = small["cell"].astype(np.int32)  # ascending architecture indices
            self.seeds = tuple(map(int, small["seed"]))
            self.samples = dict(zip(SPLITS, map(int, small["samples"]), strict=True))
            self.parameters: np.ndarray = small["parameters"]
            self.macs: np.ndarray = small["macs"]  # multiply-accumulates for one image
            self.learning_rate: np.ndarray = small["learning_rate"]
            self.recipe: dict[str, int | float | bool | str] = json.loads(str(attributes["recipe"]))
            self.classes, self.height, self.width = (int(attributes[key]) for key in ("classes", "height", "width"))
            self.dataset, self.recipe_name = str(attributes["dataset"]), str(attributes["recipe_name"])
            self.fingerprint, self.identity = str(attributes["fingerprint"]), str(attributes["identity"])
            self.source = str(attributes.get("source", TRAINED))  # trained here, or imported and from where
            self.has_losses = bool(attributes.get("losses", 1))
        except hdf5.READ_ERRORS as error:
            self.close()
            raise self._unreadable(self.path, error, "cannot be read as a benchmark") from error
        except InputError:
            self.close()
            raise
        self._first_format = attributes["format"] == FORMAT_1
        self._losses: h5py.File | None = self._file if self._first_format else None
        self.epochs = len(self.learning_rate)
        self._row_of = np.full(space.CELLS, -1)
        self._row_of[self.cells] = np.arange(len(self.cells))
        self._arrays: dict[str, h5py.Dataset] = {}
        self._last: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}

    def __enter__(self) -> "Benchmark":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.cells)

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "identity": self.identity}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Benchmark.__init__(self, state["path"])
        if self.identity != state["identity"]:
            self.close()
            raise InputError(f"{self.path} is another benchmark than the one that was pickled; open it anew")

    def close(self) -> None:
        """Close the file; what was read stays usable."""
        self._open.close()

    def curve(self, cell: int | str, split: str = "test", metric: str = "top1", seed: int | None = None) -> np.ndarray:
        """The learning curve of one cell: float64 (epochs,)."""
        self._check(split, metric)
        row, column = self._row(cell), self._column(seed)
        stored = self._stored(metric, np.s_[row : row + 1, :, SPLITS.index(split), :])
        values, present = self._converted(stored, split, metric), ~is_missing(stored)
        return seed_mean(values, present)[0] if column is None else values[0, column]

    def value(
        self, cell: int | str, split: str = "test", metric: str = "top1", epoch: int = -1, seed: int | None = None
    ) -> float:
        """One cell's value after one epoch: percent or loss."""
        self._check(split, metric)
        row, column, epoch = self._row(cell), self._column(seed), self._epoch(epoch)
        if epoch != self.epochs - 1:
            return float(self.curve(cell, split, metric, seed)[epoch])
        values, means = self._last_values(split, metric)
        return float(means[row] if column is None else values[row, column])

    def curves(self, split: str = "test", metric: str = "top1") -> np.ndarray:
        """Every learning curve: float64 (cells, seeds, epochs)."""
        self._check(split, metric)
        return self._converted(self._stored(metric, np.s_[:, :, SPLITS.index(split), :]), split, metric)

    def values(self, split: str = "test", metric: str = "top1", epoch: int = -1) -> np.ndarray:
        """Every cell's value after one epoch: float64 (cells, seeds)."""
        self._check(split, metric)
        return self._converted(self._at_epoch(split, metric, epoch), split, metric)

    def present(self, split: str = "test", metric: str = "top1", epoch: int | None = -1) -> np.ndarray:
        """Which values somebody has: bool (cells, seeds) after one epoch, (cells, seeds, epochs) for `epoch=None`."""
        self._check(split, metric)
        if epoch is None:
            return ~is_missing(self._stored(metric, np.s_[:, :, SPLITS.index(split), :]))
        return ~is_missing(self._at_epoch(split, metric, epoch))

    def seed_means(self, split: str = "test", metric: str = "top1", epoch: int = -1) -> np.ndarray:
        """Every cell's mean over the seeds it was trained with: float64 (cells,), NaN where there is none."""
        self._check(split, metric)
        if self._epoch(epoch) == self.epochs - 1:
            return self._last_values(split, metric)[1].copy()
        stored = self._at_epoch(split, metric, epoch)
        return seed_mean(self._converted(stored, split, metric), ~is_missing(stored))

    def _last_values(self, split: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """The values after the last epoch (cells, seeds) and their means over the seeds; read once."""
        if (split, metric) not in self._last:
            stored = self._at_epoch(split, metric, -1)
            values = self._converted(stored, split, metric)
            self._last[split, metric] = values, seed_mean(values, ~is_missing(stored))
        return self._last[split, metric]

    def _at_epoch(self, split: str, metric: str, epoch: int) -> np.ndarray:
        """What is stored after one epoch: (cells, seeds)."""
        epoch, position = self._epoch(epoch), SPLITS.index(split)
        if epoch == self.epochs - 1 and not self._first_format:
            return self._stored(metric, np.s_[:, :, position], "last_")
        return self._stored(metric, np.s_[:, :, position, epoch : epoch + 1])[..., 0]

    def _stored(self, metric: str, part: tuple[slice | int, ...], table: str = "") -> np.ndarray:
        """A part of an array as it is in its file."""
        if metric == "loss" and not self.has_losses:
            shape = (len(self), len(self.seeds), len(SPLITS), *(() if table else (self.epochs,)))
            return np.broadcast_to(MISSING_LOSS, shape)[part].copy()
        if not self._file:
            raise InputError(f"{self.path} was closed; open it again")
        path = self.path if metric != "loss" or self._first_format else loss_path(self.path)
        try:
            name = f"{table}{metric}"
            if name not in self._arrays:  # opening an array takes as long as reading a curve of it
                self._arrays[name] = (self._file if metric != "loss" else self._loss_file())[name]
            return self._arrays[name][part]
        except hdf5.READ_ERRORS as error:
            raise self._unreadable(path, error, f"is damaged in {metric}") from error

    def _loss_file(self) -> h5py.File:
        """The opened file of losses.

        Raises:
            InputError: it is not there, or belongs to another benchmark.
        """
        if self._losses is None:
            path = loss_path(self.path)
            if not path.is_file():
                raise InputError(
                    f"losses are in a file of their own, {path}, which is not there; put it beside the other"
                )
            file = self._open.enter_context(hdf5.opened(path))
            attributes = hdf5.attributes_of(file)
            hdf5.check_seal(attributes)
            if attributes["format"] != LOSS_FORMAT or attributes["benchmark"] != self.identity:
                raise InputError(
                    f"{path} holds the losses of another benchmark than {self.path}; get both from one place"
                )
            self._losses = file
        return self._losses

    def _converted(self, stored: np.ndarray, split: str, metric: str) -> np.ndarray:
        """Stored numbers as percent or loss: float64, NaN where missing."""
        if metric == "loss":
            return stored.astype(np.float64)
        missing, samples = is_missing(stored), self.samples[split]
        if ((stored < 0) | (stored > samples))[~missing].any():
            raise InputError(
                f"{self.path} counts more samples of {split} than there are, or fewer than none; {self._again}"
            )
        with np.errstate(invalid="ignore"):
            return np.where(missing, np.nan, 100 * stored.astype(np.float64) / (samples or np.nan))

    @property
    def _again(self) -> str:
        return f"delete it and run `snakemake --cores all {self.path}`, or get it again"

    def _unreadable(self, path: Path, error: BaseException, what: str) -> InputError:
        return hdf5.unreadable(path, error, what, self._again)

    def _check(self, split: str, metric: str) -> None:
        for what, name, known in (("metric", metric, METRICS), ("split", split, SPLITS)):
            if not isinstance(name, str) or name not in known:
                raise InputError(f"there is no {what} {name!r}; there are {', '.join(known)}")

    def _row(self, cell: int | str) -> int:
        index = space.index(space.parse(cell)) if isinstance(cell, str) else _whole("cell", cell)
        space.cell(index)  # refuses what is no architecture index
        if (row := int(self._row_of[index])) < 0:
            raise InputError(f"{self.path} has no cell {index}; it holds {len(self)} cells, see `cells`")
        return row

    def _column(self, seed: int | None) -> int | None:
        if seed is None:
            return None
        if _whole("seed", seed) not in self.seeds:
            raise InputError(f"{self.path} has no seed {seed}; it holds {', '.join(map(str, self.seeds))}")
        return self.seeds.index(seed)

    def _epoch(self, epoch: int) -> int:
        if not -self.epochs <= _whole("epoch", epoch) < self.epochs:
            raise InputError(
                f"{self.path} has no epoch {epoch}; epochs run from 0 to {self.epochs - 1}, -1 is the last"
            )
        return epoch % self.epochs


def _whole(what: str, value: Any) -> int:
    """`value` as int, if it is a whole number of Python or NumPy and no truth value."""
    if not isinstance(value, bool | np.bool_):
        with contextlib.suppress(TypeError):
            return operator.index(value)
    form = "an architecture index such as 1459 or a cell's string" if what == "cell" else "a whole number"
    raise InputError(f"{value!r} is no {what}: give {form}")


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
