"""How much of a measured difference between cells is the cells': variance between seeds, and intraclass correlation."""

import numpy as np
import pandas as pd
import scipy.stats

from skelnas.analysis.ranks import best
from skelnas.results.query import seed_mean, spread_over_seeds

BINS = 20  # groups of cells of like accuracy that share one variance between seeds
FEWEST = 10  # cells of such a group


def seed_variance(values: np.ndarray) -> np.ndarray:
    """The variance between seeds of every cell of (cells, seeds), shared by cells of like accuracy: (cells,).

    Two or three seeds tell nobody's own variance. Cells are put in order of their mean and cut into at most `BINS`
    groups with at least `FEWEST` cells of two or more seeds each; a group's variance is pooled over its cells. Missing
    where no cell has two seeds, or the cell has none.
    """
    means, own = seed_mean(values), spread_over_seeds(values) ** 2
    found = np.full(len(means), np.nan)
    known = ~np.isnan(own)
    if not known.any():
        return found
    freedom = (~np.isnan(values)).sum(axis=1) - 1
    bins = max(1, min(BINS, int(known.sum()) // FEWEST))
    edges = np.quantile(means[known], np.linspace(0, 1, bins + 1)[1:-1])
    group = np.searchsorted(edges, means, side="right")
    weight = np.bincount(group[known], freedom[known], bins)
    total = np.bincount(group[known], (own * freedom)[known], bins)
    there = ~np.isnan(means)
    with np.errstate(invalid="ignore"):  # a group of equal cells may be empty: its neighbours of all bins count
        pooled = np.where(weight > 0, total / weight, total.sum() / weight.sum())
    found[there] = pooled[group[there]]
    return found


def sampling_variance(accuracy: np.ndarray, samples: int) -> np.ndarray:
    """Binomial variance of an accuracy in percent that was counted on that many samples."""
    share = np.clip(np.asarray(accuracy, dtype=float), 0, 100) / 100
    return 1e4 * share * (1 - share) / samples


def icc(values: np.ndarray, confidence: float = 0.95) -> dict[str, float]:
    """One-way intraclass correlation ICC(1) of (cells, seeds): the share of one seed's variance that is the cells'.

    Shrout and Fleiss (1979), with the usual mean number of seeds where cells lack some; the interval by the F
    distribution is exact where none does. Can be below 0. Cells with one seed are left out; all is missing where fewer
    than two cells are left or nothing differs.
    """
    values = values[(~np.isnan(values)).sum(axis=1) > 1]
    there = ~np.isnan(values)
    number, cells = there.sum(axis=1), len(values)
    nothing = {"cells": cells, "icc": np.nan, "low": np.nan, "high": np.nan}
    if cells < 2:
        return nothing
    total, means = int(number.sum()), np.where(there, values, 0).sum(axis=1) / number
    grand = np.where(there, values, 0).sum() / total
    between = (number * (means - grand) ** 2).sum() / (cells - 1)
    within = np.where(there, (values - means[:, None]) ** 2, 0).sum() / (total - cells)
    seeds = (total - (number**2).sum() / total) / (cells - 1)
    if between + (seeds - 1) * within <= 0:
        return nothing
    if within == 0:
        return {"cells": cells, "icc": 1.0, "low": 1.0, "high": 1.0}
    ratio, freedom = between / within, (cells - 1, total - cells)
    ends = [ratio / scipy.stats.f.ppf(part, *freedom) for part in ((1 + confidence) / 2, (1 - confidence) / 2)]
    found, low, high = ((each - 1) / (each + seeds - 1) for each in (ratio, *ends))
    return {"cells": cells, "icc": float(found), "low": float(low), "high": float(high)}


def icc_among_best(values: np.ndarray, chosen_by: np.ndarray | None, share: float) -> dict[str, float]:
    """`icc` of the best share of the cells, chosen by what is not measured.

    values: (cells, seeds); chosen_by: another split's (cells,), or None to choose by each seed in turn, measure on the
    others and take the mean, which needs three seeds. The interval is left out of a mean.
    """
    if chosen_by is not None:
        return icc(values[best(chosen_by, share)])
    found = []
    for seed in range(values.shape[1] if values.shape[1] > 2 else 0):
        others = np.delete(values, seed, axis=1)
        whole = ~np.isnan(values).any(axis=1)
        found.append(icc(others[whole][best(values[whole, seed], share)]))
    mean = pd.DataFrame(found, columns=["cells", "icc"]).mean()
    return {"cells": 0 if not found else round(mean["cells"]), "icc": mean["icc"], "low": np.nan, "high": np.nan}
