"""One published training, whatever file it came from, checked against the search space and the data set."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skelnas.cells import cost, space
from skelnas.errors import InputError
from skelnas.recipe import SPLITS
from skelnas.results.counts import MISSING, MISSING_LOSS


@dataclass(frozen=True)
class DataSet:
    """What the files do not say: it follows from the name of their data set.

    name: ours; samples: of train, x-valid and ori-test.
    """

    name: str
    samples: tuple[int, int, int]
    classes: int
    height: int
    width: int
    batch_size: int


DATA_SETS = {
    "utdmhad": DataSet("utd_mhad", (323, 108, 430), classes=27, height=20, width=68, batch_size=32),
    "ntu60_cross_subject": DataSet(
        "ntu60_xsub", (27_561, 12_530, 16_487), classes=60, height=28, width=84, batch_size=256
    ),
}
# A percentage went through float32: 100 k / n is off by at most half a step of float32 near 100, which is 3.8e-6.
COUNT_TOLERANCE, PERCENT_ERROR = 1e-4, 4e-6


class Skipped(InputError):
    """A run that is not taken, because it is damaged or says two things at once; the others may be."""


@dataclass(frozen=True)
class Run:
    """One training. top1, top5: int32 (3, epochs), -1 is missing; loss: float32 (3, epochs).

    epochs: of its recipe, whatever folder it lay in; hp: the name of that folder. seconds: of the whole training with
    its evaluations, NaN where nobody says.
    """

    dataset: DataSet
    cell: int
    seed: int
    hp: str
    epochs: int
    top1: np.ndarray = field(repr=False)
    top5: np.ndarray = field(repr=False)
    loss: np.ndarray = field(repr=False)
    seconds: float
    torch: str
    where: str

    @property
    def key(self) -> tuple[str, int, int, int]:
        """What it is the training of: data set, epochs of the recipe, cell, seed."""
        return self.dataset.name, self.epochs, self.cell, self.seed

    @property
    def has_losses(self) -> bool:
        """Whether somebody wrote its losses."""
        return bool((self.loss.view(np.uint32) != MISSING_LOSS.view(np.uint32)).any())


def data_set(key: Any, where: str) -> DataSet:
    """The data set that a file means by `key`, such as "utdmhad-valid".

    Raises:
        Skipped: it is none of those that were published.
    """
    name = key.removesuffix("-valid") if isinstance(key, str) else ""
    if name not in DATA_SETS:
        raise Skipped(f"{where} is of the data set {key!r}; published ones are {', '.join(DATA_SETS)}")
    return DATA_SETS[name]


def counts(percents: Sequence[float] | np.ndarray, samples: int, where: str) -> np.ndarray:
    """Correct predictions, exactly, of percentages that went through float32; NaN becomes missing. int32.

    Raises:
        Skipped: one is no whole number of that many samples.
    """
    percents = np.asarray(percents, dtype=np.float64)
    exact = percents * samples / 100
    with np.errstate(invalid="ignore"):
        found = np.rint(exact)
        wrong = np.abs(exact - found) > COUNT_TOLERANCE + samples * PERCENT_ERROR / 100
        wrong |= (found < 0) | (found > samples)
    if wrong.any():
        raise Skipped(f"{where}: {percents[wrong][0]} % is no whole number of {samples} samples")
    return np.where(np.isnan(percents), MISSING, found).astype(np.int32)


def by_epoch(values: Mapping[Any, Any], keys: Sequence[Any], where: str) -> list[float]:
    """The values of `keys` in their order, NaN where a key is missing.

    Raises:
        Skipped: there are keys of other epochs, or a value is no number.
    """
    if not isinstance(values, Mapping):
        raise Skipped(f"{where} has no values by epoch")
    found = [values.get(key, math.nan) for key in keys]
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in found):
        raise Skipped(f"{where} has a value that is no number")
    return [float(value) for value in found]


def losses(values: Sequence[float], there: Sequence[bool]) -> np.ndarray:
    """Losses as float32, missing where nobody wrote one; NaN that was written stays a diverged one."""
    found = np.array(values, dtype=np.float64).astype(np.float32)
    found[np.isnan(found)] = np.float32("nan")
    found[~np.asarray(there)] = MISSING_LOSS
    return found


def check_cell(said: int, string: str, where: str) -> int:
    """The architecture index, if the string of the file is that of its number.

    Raises:
        Skipped: it is another cell, or none.
    """
    try:
        found = space.index(space.parse(string))
    except (InputError, AttributeError) as error:
        raise Skipped(f"{where} holds no cell of the search space") from error
    if isinstance(said, bool) or not isinstance(said, int) or found != said:
        raise Skipped(f"{where} says cell {said} and holds cell {found}")
    return found


def check_costs(parameters_million: float, macs_million: float, cell: int, of: DataSet, where: str) -> None:
    """Refuse a run whose network is not that of its cell and data set.

    Raises:
        Skipped: parameters or multiply-accumulates differ.
    """
    digits = space.cell(cell)
    told = {"parameters": parameters_million, "multiply-accumulates": macs_million}
    right = {
        "parameters": cost.parameters(digits, of.classes),
        "multiply-accumulates": cost.macs(digits, of.height, of.width, of.classes),
    }
    for what, million in told.items():
        if not isinstance(million, int | float) or round(million * 1e6) != right[what]:
            raise Skipped(f"{where} has {million} million {what}; cell {cell} of {of.name} has {right[what]:,}")


SPLIT_KEYS = dict(zip(SPLITS, ("", "x-valid", "ori-test"), strict=True))  # how the files call them
