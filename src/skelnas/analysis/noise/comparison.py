"""Which of two cells is better, and which cells are not worse than the best: tests from counts and from seeds."""

import numpy as np
import scipy.stats

LEVEL = 0.05


def two_proportions(first: int, second: int, samples: int) -> float:
    """Two-sided p value of two counts of right predictions out of `samples` each, as of two test sets.

    The z test with pooled variance. Both cells are in truth tested on the same samples, whose difficulty they share, so
    that the true error of the difference is smaller and the test conservative. `mcnemar` is right where predictions are
    kept.
    """
    share = (first + second) / (2 * samples)
    if share in (0, 1):
        return 1.0
    z = (first - second) / samples / np.sqrt(2 * share * (1 - share) / samples)
    return float(2 * scipy.stats.norm.sf(abs(z)))


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p value of McNemar's test (1947): samples that only the first, only the second gets right."""
    differing = only_first + only_second
    return float(scipy.stats.binomtest(only_first, differing).pvalue) if differing else 1.0


def least_difference(variance: np.ndarray | float, level: float = LEVEL) -> np.ndarray:
    """The smallest difference of two cells with that error variance each which is significant, two-sided."""
    return scipy.stats.norm.isf(level / 2) * np.sqrt(2 * np.asarray(variance, dtype=float))


def worse_than(accuracy: np.ndarray, variance: np.ndarray, reference: int) -> np.ndarray:
    """One-sided p values of each cell being as good as the one at `reference`; its own and missing ones are 1.

    accuracy, variance: (cells,), with errors taken as normal and independent.
    """
    error = np.sqrt(variance + variance[reference])
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (accuracy[reference] - accuracy) / error
    p = np.where(np.isnan(z), 1.0, scipy.stats.norm.sf(z))
    p[reference] = 1.0
    return p


def rejected(p: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """Which hypotheses Benjamini and Hochberg (1995) reject at that rate of false discoveries: bool."""
    order = np.argsort(p, kind="stable")
    passed = np.flatnonzero(p[order] <= level * np.arange(1, len(p) + 1) / max(1, len(p)))
    found = np.zeros(len(p), dtype=bool)
    if len(passed):
        found[order[: passed[-1] + 1]] = True
    return found
