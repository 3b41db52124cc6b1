"""How far a ranking of cells can be trusted: rank correlations, noise between seeds, noise between equivalent cells."""

import itertools

import numpy as np
import pandas as pd
import scipy.stats

from skelnas.results.query import seed_mean, spread_over_seeds

FEWEST = 10  # cells below which the best tenth is too small a group to correlate


def rank_correlation(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Number of cells with both values, Kendall's tau-b (corrects for ties), Spearman's rho; both missing where one
    side is constant."""
    both = ~(np.isnan(first) | np.isnan(second))
    first, second = first[both], second[both]
    constant = len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0
    return {
        "cells": len(first),
        "kendall_tau_b": np.nan if constant else float(scipy.stats.kendalltau(first, second, variant="b").statistic),
        "spearman_rho": np.nan if constant else float(scipy.stats.spearmanr(first, second).statistic),
    }


def rank_agreement(
    valid: np.ndarray | None, test: np.ndarray, seeds: tuple[int, ...], split: str = "test"
) -> pd.DataFrame:
    """Rank correlations of final accuracies (cells, seeds), over all cells and, where it
    is at least `FEWEST` cells, over the best tenth by `first`.

    Compared are validation with test (seed means; left out without `valid`), every pair of seeds in test, and each seed
    with the mean of the others. `split` is what `test` is called.
    """
    pairs = []
    if valid is not None:
        pairs.append(("valid, seed mean", f"{split}, seed mean", seed_mean(valid), seed_mean(test)))
    for one, other in itertools.combinations(range(len(seeds)), 2):
        pairs.append((f"{split}, seed {seeds[one]}", f"{split}, seed {seeds[other]}", test[:, one], test[:, other]))
    if len(seeds) > 2:
        for one, seed in enumerate(seeds):
            others = seed_mean(np.delete(test, one, axis=1))
            pairs.append((f"{split}, seed {seed}", f"{split}, mean of the other seeds", test[:, one], others))
    rows = []
    for first, second, left, right in pairs:
        pair = {"first": first, "second": second}
        rows.append({**pair, "among": "all cells", **rank_correlation(left, right)})
        ranked = np.argsort(-left, kind="stable")[: len(left) - np.isnan(left).sum()]  # NaN comes last
        best = ranked[: round(len(ranked) / 10)]
        if len(best) >= FEWEST:
            rows.append({**pair, "among": "best tenth by first", **rank_correlation(left[best], right[best])})
    columns = ["first", "second", "among", "cells", "kendall_tau_b", "spearman_rho"]
    return pd.DataFrame(rows, columns=columns)


def noise(test: np.ndarray, representatives: np.ndarray, samples: int, graphs: np.ndarray) -> pd.DataFrame:
    """Standard deviations (points of percent) that bound what a difference between two cells means.

    test: final test accuracies (cells, seeds); representatives: the class of each cell by
    `equivalence.classes("network")` (same trained function, other initial values); samples: test samples; graphs: the
    class by `equivalence.classes("graph")`. Rows: between cells; between seeds of a cell (pooled); within network
    classes, which is the noise floor, and within graph classes, which may differ in constants that are added (seed
    means, pooled within classes of two or more, cells without a path from input to output included); and what drawing
    that many test samples anew would give at the mean accuracy (binomial). Missing where there is nothing to compare.
    """
    means = seed_mean(test)
    share = np.nanmean(means) / 100 if (~np.isnan(means)).any() else np.nan
    known = int((~np.isnan(means)).sum())
    rows = {
        "between cells (seed means)": (known, _deviation(means[~np.isnan(means)])),
        "between seeds of a cell": pooled_deviation(test),
        "within network classes: noise floor (seed means)": _within(means, representatives),
        "within graph classes (seed means)": _within(means, graphs),
        "sampling of the test set (binomial)": (known, 100 * float(np.sqrt(share * (1 - share) / samples))),
    }
    return pd.DataFrame([{"noise": name, "cells": cells, "std": value} for name, (cells, value) in rows.items()])


def _within(means: np.ndarray, representatives: np.ndarray) -> tuple[int, float]:
    """How many cells share a class with another one, and the deviation between them, pooled over the classes."""
    classes = pd.Series(means).groupby(np.asarray(representatives)).agg(["count", "var"])
    classes = classes[classes["count"] > 1]
    pooled = _root(np.average(classes["var"], weights=classes["count"] - 1)) if len(classes) else np.nan
    return int(classes["count"].sum()), pooled


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan


def pooled_deviation(values: np.ndarray) -> tuple[int, float]:
    """Standard deviation between the seeds of a cell, and over how many cells it is pooled: those of (cells, seeds)
    with two or more. Missing without any."""
    deviations = spread_over_seeds(values)
    deviations = deviations[~np.isnan(deviations)]
    return len(deviations), _root(np.mean(deviations**2)) if len(deviations) else np.nan


def _root(variance: float) -> float:
    return float(np.sqrt(variance))
