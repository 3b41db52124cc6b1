"""Does a narrower arithmetic change what a cell scores? Two benchmarks of the same cells and seeds, compared.

The yardstick is the noise between seeds: a difference between precisions that is no larger than between two seeds of
the same precision cannot be told from one. The same seed means the same initial values and sample order in both, but
rounding parts the two trainings within a few steps, so they are taken as independent draws. Cells that the narrower
precision has nothing to do with (on a CPU, those without a 3x3 convolution) train alike bit for bit and are left out.
"""

import itertools

import numpy as np
import pandas as pd
import scipy.stats

from skelnas.analysis.noise.deviations import pooled_deviation
from skelnas.analysis.ranks import rank_correlation
from skelnas.errors import InputError
from skelnas.results.query import Benchmark, seed_mean

CONFIDENCE = 0.95
COMPARED_SPLITS = ("test", "valid")
MAY_DIFFER = ("precision", "exact_epochs")


def check_comparable(first: Benchmark, second: Benchmark) -> None:
    """Refuse two benchmarks that differ in more than the precision of their recipes.

    Raises:
        InputError: they hold other images, cells or seeds, or were trained with other hyper-parameters.
    """
    differing = [key for key in first.recipe if first.recipe[key] != second.recipe.get(key) and key not in MAY_DIFFER]
    faults = {
        "image sets": first.fingerprint != second.fingerprint,
        "cells": first.cells.tolist() != second.cells.tolist(),
        "seeds": first.seeds != second.seeds,
        f"recipes ({', '.join(differing)})": bool(differing),
    }
    if found := [what for what, fault in faults.items() if fault]:
        raise InputError(
            f"{first.path} and {second.path} have different {' and '.join(found)}, so that precision is not all that "
            f"differs; train both with the same run of config.yaml but for the recipe's precision"
        )


def differing(first: Benchmark, second: Benchmark) -> np.ndarray:
    """The cells to be compared, bool (cells,): those whose curves are not the same in every bit; all, where all are."""
    one, other = first.curves("train", "loss"), second.curves("train", "loss")
    found = ((one != other) & ~(np.isnan(one) & np.isnan(other))).any(axis=(1, 2))
    return found if found.any() else ~found


def pooled_std(values: np.ndarray) -> float:
    """Standard deviation between seeds, pooled over the cells of (cells, seeds); missing with one seed."""
    return pooled_deviation(values)[1]


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean of (n,) with the ends of its confidence interval by Student's t; ends are missing for fewer than two.

    Missing values are left out.
    """
    values = values[~np.isnan(values)]
    mean = float(values.mean()) if len(values) else np.nan
    if len(values) < 2:
        return mean, np.nan, np.nan
    half = scipy.stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return mean, float(mean - half), float(mean + half)


def seed_noise(first: np.ndarray, second: np.ndarray) -> float:
    """Standard deviation that noise between seeds alone gives to a cell's difference of seed means.

    Both arrays are (cells, seeds); missing with one seed.
    """
    variance = sum(pooled_std(values) ** 2 * _mean_reciprocal(values) for values in (first, second))
    return float(np.sqrt(variance))


def _mean_reciprocal(values: np.ndarray) -> float:
    """The mean over cells of 1 / number of seeds, of the cells of (cells, seeds) that have one."""
    number = (~np.isnan(values)).sum(axis=1)
    return float(np.mean(1 / number[number > 0])) if number.any() else np.nan


def correlation_between(first: np.ndarray, second: np.ndarray, key: str) -> float:
    """Mean rank correlation of one seed of `first` with another seed of `second`, over all pairs of unequal seeds.

    With `second` being `first` it is the agreement between seeds. Missing with one seed.
    """
    pairs = itertools.permutations(range(first.shape[1]), 2)
    values = [rank_correlation(first[:, one], second[:, other])[key] for one, other in pairs]
    return float(np.mean(values)) if values else np.nan


def compare(first: np.ndarray, second: np.ndarray) -> pd.DataFrame:
    """Everything said about two precisions, from final accuracies in percent, both (cells, seeds).

    Columns: quantity, value, and for means over cells the ends `low` and `high` of their confidence interval.
    Differences are second less first, in points of percent.
    """
    difference = seed_mean(second) - seed_mean(first)
    noise = seed_noise(first, second)
    rows: list[tuple[str, float, float, float]] = [
        ("cells", len(first), np.nan, np.nan),
        ("seeds", first.shape[1], np.nan, np.nan),
        ("mean accuracy, first", *mean_interval(seed_mean(first))),
        ("mean accuracy, second", *mean_interval(seed_mean(second))),
        ("mean difference", *mean_interval(difference)),
        ("standard error of the mean difference by seed noise alone", noise / np.sqrt(len(first)), np.nan, np.nan),
        ("std of the cells' differences", _std(difference), np.nan, np.nan),
        ("std of the cells' differences by seed noise alone", noise, np.nan, np.nan),
        ("std between seeds, first", pooled_std(first), np.nan, np.nan),
        ("std between seeds, second", pooled_std(second), np.nan, np.nan),
    ]
    for key, name in (("kendall_tau_b", "Kendall tau-b"), ("spearman_rho", "Spearman rho")):
        between = rank_correlation(seed_mean(first), seed_mean(second))[key]
        rows += [
            (f"{name} of seed means, first with second", between, np.nan, np.nan),
            (f"{name} of two seeds, first with second", correlation_between(first, second, key), np.nan, np.nan),
            (f"{name} of two seeds, first with first", correlation_between(first, first, key), np.nan, np.nan),
            (f"{name} of two seeds, second with second", correlation_between(second, second, key), np.nan, np.nan),
        ]
    return pd.DataFrame(rows, columns=["quantity", "value", "low", "high"])


def precision_table(first: Benchmark, second: Benchmark) -> pd.DataFrame:
    """`compare` for the final accuracy on test and on valid, told apart by `split`, and counts of trainings.

    Raises:
        InputError: the benchmarks are not comparable.
    """
    check_comparable(first, second)
    used = differing(first, second)
    tables = [
        compare(first.values(split)[used], second.values(split)[used]).assign(split=split) for split in COMPARED_SPLITS
    ]
    counts = {f"diverged trainings, {name}": _diverged(one) for name, one in (("first", first), ("second", second))}
    counts |= {"cells left out, as they train alike bit for bit": int((~used).sum())}
    counted = pd.DataFrame([{"quantity": name, "value": count, "split": "train"} for name, count in counts.items()])
    table = pd.concat([*tables, counted], ignore_index=True)
    return table.assign(first=first.recipe_name, second=second.recipe_name)[
        ["first", "second", "split", "quantity", "value", "low", "high"]
    ]


def _diverged(benchmark: Benchmark) -> int:
    there = benchmark.present("train", "loss", epoch=None)
    return int((~np.isfinite(benchmark.curves("train", "loss")) & there).any(axis=2).sum())


def _std(values: np.ndarray) -> float:
    values = values[~np.isnan(values)]
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan
