"""Questions to a benchmark file: curves and accuracies of one cell, or of all cells at once."""

import json
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.recipe import SPLITS
from skelnas.results.benchmark import FORMAT

DIGITS = 9  # accuracies are rounded to a billionth of a percent, so that equal counts give equal means in any order
METRICS = ("top1", "top5", "loss")
CACHE_BYTES = 16 << 20  # HDF5's own cache of unpacked chunks


class Benchmark:
    """An opened benchmark file; only what is asked for is read.

    A cell is given as its architecture index or as its string. `metric` is "top1" or "top5" (percent of the split's
    samples) or "loss"; `split` is "train", "valid" or "test"; `epoch` counts from 0, -1 is the last; without a `seed`
    the mean over all seeds is returned. A wrong name, cell, seed or epoch raises `InputError`.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{path}: there is no such benchmark; `snakemake --cores all {path}` makes it")
        try:
            self._file = h5py.File(self.path, "r", locking=False, rdcc_nbytes=CACHE_BYTES)
            attributes = dict(self._file.attrs)
            if attributes.get("format") != FORMAT:
                raise ValueError("it is not a benchmark of this version")
            self.cells: np.ndarray = self._file["cell"][()]  # int32, ascending architecture indices
            self.seeds = tuple(map(int, self._file["seed"][()]))
            self.samples = dict(zip(SPLITS, map(int, self._file["samples"][()]), strict=True))
            self.parameters: np.ndarray = self._file["parameters"][()]
            self.macs: np.ndarray = self._file["macs"][()]  # multiply-accumulates for one image
            self.learning_rate: np.ndarray = self._file["learning_rate"][()]
            self.recipe: dict[str, int | float | bool | str] = json.loads(attributes["recipe"])
        except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
            raise InputError(
                f"{path} cannot be read as a benchmark ({error}); delete it and run `snakemake --cores all {path}`"
            ) from error
        self.dataset, self.recipe_name = str(attributes["dataset"]), str(attributes["recipe_name"])
        self.fingerprint, self.identity = str(attributes["fingerprint"]), str(attributes["identity"])
        self.classes, self.height, self.width = (int(attributes[key]) for key in ("classes", "height", "width"))
        self.epochs = len(self.learning_rate)

    def __enter__(self) -> "Benchmark":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.cells)

    def close(self) -> None:
        """Close the file; what was read stays usable."""
        self._file.close()

    def curve(self, cell: int | str, split: str = "test", metric: str = "top1", seed: int | None = None) -> np.ndarray:
        """The learning curve of one cell: float64 (epochs,)."""
        row = self._row(cell)
        return seed_mean(self._read(metric, split, (slice(row, row + 1), self._columns(seed))))[0]

    def value(
        self, cell: int | str, split: str = "test", metric: str = "top1", epoch: int = -1, seed: int | None = None
    ) -> float:
        """One cell's value after one epoch: percent or loss."""
        return float(self.curve(cell, split, metric, seed)[self._epoch(epoch)])

    def curves(self, split: str = "test", metric: str = "top1") -> np.ndarray:
        """Every learning curve: float64 (cells, seeds, epochs)."""
        return self._read(metric, split, (slice(None), slice(None)))

    def values(self, split: str = "test", metric: str = "top1", epoch: int = -1) -> np.ndarray:
        """Every cell's value after one epoch: float64 (cells, seeds)."""
        epoch = self._epoch(epoch)
        return self._read(metric, split, (slice(None), slice(None)), slice(epoch, epoch + 1))[..., 0]

    def _read(self, metric: str, split: str, rows: tuple[slice, slice], epochs: slice = slice(None)) -> np.ndarray:
        for what, name, known in (("metric", metric, METRICS), ("split", split, SPLITS)):
            if name not in known:
                raise InputError(f"there is no {what} {name!r}; there are {', '.join(known)}")
        try:
            array = self._file[metric][(*rows, SPLITS.index(split), epochs)].astype(np.float64)
        except (OSError, RuntimeError) as error:
            raise InputError(
                f"{self.path} is damaged in {metric} ({error}); delete it and run `snakemake --cores all {self.path}`"
            ) from error
        return array if metric == "loss" else 100 * array / self.samples[split]

    def _row(self, cell: int | str) -> int:
        index = space.index(space.parse(cell)) if isinstance(cell, str) else int(cell)
        space.cell(index)  # refuses what is no architecture index
        row = int(np.searchsorted(self.cells, index))
        if row == len(self.cells) or self.cells[row] != index:
            raise InputError(f"{self.path} has no cell {index}; it holds {len(self)} cells, see `cells`")
        return row

    def _columns(self, seed: int | None) -> slice:
        if seed is None:
            return slice(None)
        if seed not in self.seeds:
            raise InputError(f"{self.path} has no seed {seed}; it holds {', '.join(map(str, self.seeds))}")
        return slice(self.seeds.index(seed), self.seeds.index(seed) + 1)

    def _epoch(self, epoch: int) -> int:
        if not -self.epochs <= epoch < self.epochs:
            raise InputError(
                f"{self.path} has no epoch {epoch}; epochs run from 0 to {self.epochs - 1}, -1 is the last"
            )
        return epoch % self.epochs


def seed_mean(values: np.ndarray) -> np.ndarray:
    """The mean over the second axis, the seeds, such that equal counts stay equal in whatever order."""
    return values.mean(axis=1).round(DIGITS)
