"""Effects with intervals by a bootstrap over cells; the best and the worst cells are chosen anew in every draw.

Cells of a study that trained a sample were drawn at random, so the draws say how far its numbers would hold for all
cells. Where all cells were trained nothing is left to sample, and the same interval is wider than it need be: it holds
for cells like these.
"""

from collections.abc import Callable

import numpy as np

DRAWS, SEED = 1000, 14

Statistic = Callable[[np.ndarray], tuple[float, float, float]]  # of the weight of each cell: effect, and two raw values


def bootstrap(statistic: Statistic, cells: int, level: float, draws: int = DRAWS) -> tuple[float, float]:
    """The percentile interval of a statistic's effect over draws of that many cells with replacement; missing where a
    twentieth of the draws or more have no value."""
    random = np.random.default_rng(SEED)
    values = np.array(
        [
            statistic(np.bincount(random.integers(0, cells, cells), minlength=cells).astype(float))[0]
            for _ in range(draws)
        ]
    )
    if np.isnan(values).mean() >= 0.05:
        return np.nan, np.nan
    low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def difference(values: np.ndarray, first: np.ndarray, second: np.ndarray) -> Statistic:
    """Cohen's d: how far the means of two groups of cells (bool) lie apart, in pooled standard deviations."""
    centre = values.mean() if len(values) else 0.0
    sums = np.stack([group * (values - centre) ** power for group in (first, second) for power in range(3)])

    def statistic(weights: np.ndarray) -> tuple[float, float, float]:
        one, one_sum, one_squares, other, other_sum, other_squares = (sums * weights).sum(axis=1)
        if min(one, other) < 2:
            return np.nan, np.nan, np.nan
        means = one_sum / one, other_sum / other
        squares = one_squares - one * means[0] ** 2 + other_squares - other * means[1] ** 2
        pooled = np.sqrt(max(0.0, squares) / (one + other - 2))
        return (means[0] - means[1]) / pooled if pooled else np.nan, means[0] + centre, means[1] + centre

    return statistic


def extreme_mean(values: np.ndarray, number: np.ndarray, share: float) -> Callable[[np.ndarray], float]:
    """The mean of a number over the `share` of the cells with the highest values, as a function of the weights.

    Cells of equal value at the border count in equal parts.
    """
    levels, place = np.unique(-values, return_inverse=True)

    def mean(weights: np.ndarray) -> float:
        at_level = np.bincount(place, weights=weights, minlength=len(levels))
        sums = np.bincount(place, weights=weights * number, minlength=len(levels))
        ends = np.cumsum(at_level)
        target = share * ends[-1]
        last = int(np.searchsorted(ends, target))
        left = target - (ends[last - 1] if last else 0.0)
        return float(sums[:last].sum() + left * sums[last] / at_level[last]) / target

    return mean


def enrichment(values: np.ndarray, trait: np.ndarray, share: float) -> Statistic:
    """Cohen's h: how much more frequent a trait (bool) is among the best `share` of the cells than among all."""
    trait = trait.astype(float)
    among_best = extreme_mean(values, trait, share)

    def statistic(weights: np.ndarray) -> tuple[float, float, float]:
        among = min(1.0, max(0.0, among_best(weights)))
        everywhere = float((weights * trait).sum() / weights.sum())
        return 2 * (np.arcsin(np.sqrt(among)) - np.arcsin(np.sqrt(everywhere))), among, everywhere

    return statistic


def mean_of_best(values: np.ndarray, number: np.ndarray, share: float) -> Statistic:
    """The mean of a number over the best `share` of the cells, in standard deviations of it over all cells."""
    best = extreme_mean(values, number, share)

    def statistic(weights: np.ndarray) -> tuple[float, float, float]:
        mean, overall = best(weights), float((weights * number).sum() / weights.sum())
        deviation = np.sqrt((weights * (number - overall) ** 2).sum() / weights.sum())
        return mean / deviation if deviation else np.nan, mean, overall

    return statistic
