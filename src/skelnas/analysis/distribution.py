"""How accuracy is distributed over cells, over epochs and over cost. Arrays in, tables out; accuracies in percent."""

import numpy as np
import pandas as pd

QUANTILES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


def mean_curves(curves: np.ndarray, seeds: tuple[int, ...]) -> pd.DataFrame:
    """Learning curves (cells, seeds, epochs) averaged over all cells, with their spread over cells.

    One row per epoch, counted from 1: the mean over cells and seeds, quantiles over the cells' seed means, and the
    mean over cells of each seed. Cells with a value that is not finite (diverged losses) are left out of that epoch.
    """
    finite = np.where(np.isfinite(curves), curves, np.nan)
    per_cell = finite.mean(axis=1)
    table = {"epoch": np.arange(1, curves.shape[2] + 1), "mean": np.nanmean(per_cell, axis=0)}
    spread = np.nanquantile(per_cell, list(QUANTILES.values()), axis=0)
    table |= dict(zip(QUANTILES, spread, strict=True))
    table |= {f"mean_seed{seed}": np.nanmean(finite[:, column], axis=0) for column, seed in enumerate(seeds)}
    return pd.DataFrame(table)


def ecdf(values: np.ndarray) -> pd.DataFrame:
    """Empirical distribution function: for every value that occurs, the share (percent) of cells at most that good."""
    levels, counts = np.unique(values, return_counts=True)
    return pd.DataFrame({"value": levels, "share": 100 * np.cumsum(counts) / len(values)})


def pareto_front(cost: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Positions of the cells that no other cell beats in one of (lower cost, higher accuracy) and equals in the other.

    Ascending by cost; of cells equal in both the first is kept.
    """
    order = np.lexsort((-accuracy, cost))
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(accuracy[order])[:-1]])
    return order[accuracy[order] > best_before]


def ranking(summary: pd.DataFrame, column: str = "test_top1") -> pd.DataFrame:
    """The summary in descending order of `column` with a `rank` from 1; equals share it and go by index."""
    ordered = summary.sort_values([column, "index"], ascending=[False, True], ignore_index=True)
    ordered.insert(0, "rank", ordered[column].rank(method="min", ascending=False).astype(int))
    return ordered
