"""How accuracy is distributed over cells, over epochs and over cost. Arrays in, tables out; accuracies in percent."""

import numpy as np
import pandas as pd

from skelnas.results.query import seed_mean

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


def mean_curves(curves: np.ndarray, seeds: tuple[int, ...], present: np.ndarray | None = None) -> pd.DataFrame:
    """Learning curves (cells, seeds, epochs) averaged over all cells, with their spread over cells.

    One row per epoch, counted from 1: the mean over the cells of their seed means, quantiles over these, and the mean
    over cells of each seed. Missing seeds and epochs are left out, and so are cells with a value that is there and not
    finite (diverged losses; `present`, bool of the same shape, tells them from missing ones). An epoch that no cell
    has is missing.
    """
    present = ~np.isnan(curves) if present is None else present
    finite = np.where(np.isfinite(curves), curves, np.nan)
    per_cell = seed_mean(np.where(present, finite, 0.0), present)
    table = {"epoch": np.arange(1, curves.shape[2] + 1), "mean": _mean(per_cell)}
    spread = np.full((len(QUANTILES), curves.shape[2]), np.nan)
    some = ~np.isnan(per_cell).all(axis=0)
    spread[:, some] = np.nanquantile(per_cell[:, some], list(QUANTILES.values()), axis=0)
    table |= dict(zip(QUANTILES, spread, strict=True))
    table |= {f"mean_seed{seed}": _mean(finite[:, column]) for column, seed in enumerate(seeds)}
    return pd.DataFrame(table)


def _mean(values: np.ndarray) -> np.ndarray:
    """The mean over the cells that have a value: (cells, epochs) to (epochs,)."""
    there = ~np.isnan(values)
    number = there.sum(axis=0)
    return np.where(there, values, 0).sum(axis=0) / np.where(number, number, np.nan)


def ecdf(values: np.ndarray) -> pd.DataFrame:
    """Empirical distribution function: for every value (accuracy) that occurs, how many cells have it, and the share
    (percent) of those at most that good.

    Cells without a value (NaN) are not counted.
    """
    levels, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return pd.DataFrame({"accuracy": levels, "cells": counts, "share": 100 * np.cumsum(counts) / max(1, counts.sum())})


def pareto_front(cost: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Positions of the cells that no other cell beats in one of (lower cost, higher accuracy) and equals in the other.

    Ascending by cost; of cells equal in both the first is kept. Cells without an accuracy (NaN) are left out.
    """
    order = np.lexsort((-accuracy, cost))
    order = order[~np.isnan(accuracy[order])]
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(accuracy[order])[:-1]])
    return order[accuracy[order] > best_before]


def ranking(summary: pd.DataFrame, column: str = "test_top1") -> pd.DataFrame:
    """The summary in descending order of `column` with a `rank` from 1; equals share it and go by index.

    Cells without a value there are left out.
    """
    ordered = summary[summary[column].notna()]
    ordered = ordered.sort_values([column, "index"], ascending=[False, True], ignore_index=True)
    ordered.insert(0, "rank", ordered[column].rank(method="min", ascending=False).astype(int))
    return ordered
