"""An opened benchmark file: what is read when it is opened, and arrays as they are in it."""

import contextlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from skelnas import hdf5, kinds
from skelnas.cells import cost, space
from skelnas.errors import InputError
from skelnas.files import sha256_of_json
from skelnas.recipe import SPLITS
from skelnas.results.benchmark import FORMAT, FORMAT_1, LOSS_FORMAT, loss_path
from skelnas.results.counts import MISSING_LOSS, is_missing
from skelnas.results.shard import TRAINED

COSTS = ("parameters", "macs")
SMALL = ("cell", "seed", "samples", "parameters", "macs", "learning_rate")  # read and checked when a file is opened


def _check_format_1(attributes: hdf5.Attributes, small: dict[str, np.ndarray]) -> None:
    """Refuse what does not fit together in a file without a seal, with `ValueError`; names alone stay unchecked."""
    cells = small["cell"]
    content = [attributes["fingerprint"], json.loads(str(attributes["recipe"])), attributes["network_version"]]
    if attributes["identity"] != sha256_of_json([*content, cells.tolist(), small["seed"].tolist()]):
        raise ValueError("it does not carry the identity of its own content")
    try:
        costs = cost.costs(*(int(attributes[name]) for name in ("classes", "height", "width")))
    except (InputError, OverflowError) as error:
        raise ValueError(str(error)) from error
    if not all(np.array_equal(small[name], all_cells[cells]) for name, all_cells in zip(COSTS, costs, strict=True)):
        raise ValueError("its costs are not those of its classes, height and width")


class StoredBenchmark:
    """A benchmark file; only what is asked for is read. `query.Benchmark` has the questions."""

    def __init__(self, path: Path | str) -> None:
        if not isinstance(path, str | os.PathLike):
            raise InputError(f"{path!r} is no benchmark: give the path of a file")
        self.path = Path(path)
        if not self.path.is_file():
            raise kinds.missing(path, "benchmark")
        self._open = contextlib.ExitStack()
        try:
            self._file, attributes = self._open.enter_context(hdf5.opened(self.path))
            kinds.check_format(path, self._file, attributes, (FORMAT, FORMAT_1), "a benchmark")
            small = {name: hdf5.dataset(self._file, name)[()] for name in SMALL}
            if attributes["format"] == FORMAT:
                hdf5.check_seal(attributes, "identity")
                hdf5.check_arrays(attributes, small)
            else:
                _check_format_1(attributes, small)
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
        self._last: dict[tuple[str, str], tuple[np.ndarray, np.ndarray, np.ndarray]] = {}  # of `query.Benchmark`
        self._arrays: dict[str, h5py.Dataset] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.cells)

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "identity": self.identity}

    def __setstate__(self, state: dict[str, Any]) -> None:
        StoredBenchmark.__init__(self, state["path"])
        if self.identity != state["identity"]:
            self.close()
            raise InputError(f"{self.path} is another benchmark than the one that was pickled; open it anew")

    def close(self) -> None:
        """Close the file; what was read stays usable."""
        self._open.close()

    @property
    def loss_is_here(self) -> bool:
        """Whether losses can be asked for: somebody has them, and their file lies beside the other."""
        return self.has_losses and (self._first_format or loss_path(self.path).is_file())

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
                self._arrays[name] = hdf5.dataset(self._file if metric != "loss" else self._loss_file(), name)
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
            file, attributes = self._open.enter_context(hdf5.opened(path))
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
        return kinds.again(self.path)

    def _unreadable(self, path: Path, error: BaseException, what: str) -> InputError:
        return hdf5.unreadable(path, error, what, self._again)
