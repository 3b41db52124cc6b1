"""How far published trainings agree with our own of the same cells and seeds."""

import numpy as np
import pandas as pd

from skelnas.errors import InputError
from skelnas.recipe import SPLITS
from skelnas.results.query import Benchmark

COLUMNS = (
    *("index", "seed", "split", "epoch", "samples", "published_correct", "own_correct"),
    *("published_top1", "own_top1", "difference", "published_loss", "own_loss"),
)


def agreement(published: Benchmark, own: Benchmark) -> pd.DataFrame:
    """One row for each cell, seed, split and epoch that both have, of one data set and one number of epochs.

    Columns: index, seed, split, epoch (from 0), samples; correct predictions and top1 (%) of both, difference (own less
    published, in percentage points), and losses (nats, NaN where one has none).

    Raises:
        InputError: they are of other data sets, splits or recipes, or have no training in common.
    """
    for what in ("dataset", "samples", "recipe"):
        one, other = getattr(published, what), getattr(own, what)
        if one != other:
            raise InputError(f"{published.path} and {own.path} cannot be compared: {what} is {one} and {other}")
    cells = np.intersect1d(published.cells, own.cells)
    seeds = [seed for seed in published.seeds if seed in own.seeds]
    parts = [_split(published, own, split, cells, seeds) for split in SPLITS]
    table = pd.concat(parts, ignore_index=True)
    if table.empty:
        raise InputError(f"{published.path} and {own.path} have no training in common")
    return table.sort_values(["index", "seed", "epoch", "split"], ignore_index=True)


def _split(one: Benchmark, other: Benchmark, split: str, cells: np.ndarray, seeds: list[int]) -> pd.DataFrame:
    places = [
        np.ix_(np.searchsorted(each.cells, cells), np.searchsorted(each.seeds, np.array(seeds, dtype=np.int64)))
        for each in (one, other)
    ]
    counts = [each.counts(split)[place] for each, place in zip((one, other), places, strict=True)]
    loss = [
        each.curves(split, "loss")[place] if each.loss_is_here else np.full(counts[0].shape, np.nan)
        for each, place in zip((one, other), places, strict=True)
    ]
    row, column, epoch = np.nonzero((counts[0] >= 0) & (counts[1] >= 0))
    at = row, column, epoch
    samples = one.samples[split]
    percent = [100 * found[at] / samples for found in counts]
    values = (
        cells[row],
        np.array(seeds, dtype=np.int64)[column],
        pd.Categorical([split] * len(row), categories=list(SPLITS)),
        epoch,
        samples,
        counts[0][at],
        counts[1][at],
        *percent,
        percent[1] - percent[0],
        loss[0][at],
        loss[1][at],
    )
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each split, after the last epoch that both have: trainings, equal ones, and how far they differ.

    Columns: split, epoch, trainings, equal (correct predictions), mean_difference and mean_absolute_difference
    (percentage points), noise (points by which two independent draws of that accuracy and number of samples differ on
    average: the mean absolute value of a normal with twice the binomial variance).
    """
    last = table[table["epoch"] == table["epoch"].max()]
    rows = []
    for split, part in last.groupby("split", observed=True):
        share = (part["published_correct"] + part["own_correct"]) / (2 * part["samples"])
        deviation = 100 * np.sqrt(2 * share * (1 - share) / part["samples"])
        rows.append(
            {
                "split": split,
                "epoch": int(part["epoch"].iloc[0]),
                "trainings": len(part),
                "equal": int((part["published_correct"] == part["own_correct"]).sum()),
                "mean_difference": part["difference"].mean(),
                "mean_absolute_difference": part["difference"].abs().mean(),
                "noise": (np.sqrt(2 / np.pi) * deviation).mean(),
            }
        )
    return pd.DataFrame(rows)
