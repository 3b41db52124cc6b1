"""What accuracies are likely to be, and which ranks: empirical Bayes, and intervals from a parametric bootstrap."""

import numpy as np

SEED = 2201  # of the bootstrap; stated so that the intervals are the same every time
DRAWS = 1000
ROUNDS = 100


def prior(accuracy: np.ndarray, variance: np.ndarray) -> tuple[float, float]:
    """Mean and variance of the true accuracies of cells measured with known error variances.

    The normal-normal model, by the moment equations of Morris (1983, "Parametric Empirical Bayes Inference"), iterated;
    the variance is at least 0.
    """
    spread = max(0.0, float(accuracy.var(ddof=1)) - float(variance.mean()))
    mean = float(accuracy.mean())
    for _ in range(ROUNDS):
        total = spread + variance
        if (total <= 0).any():
            return mean, spread
        weight = 1 / total
        mean = float((weight * accuracy).sum() / weight.sum())
        parts = weight * (len(accuracy) / (len(accuracy) - 1) * (accuracy - mean) ** 2 - variance)
        before, spread = spread, max(0.0, float(parts.sum() / weight.sum()))
        if abs(spread - before) <= 1e-9 * (1 + spread):
            break
    return mean, spread


def shrink(accuracy: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each cell's true accuracy given what was measured, both (cells,).

    accuracy, variance: of cells without gaps, (cells,). Fewer than three cells are left as they are.
    """
    if len(accuracy) < 3:
        return accuracy.astype(float), np.sqrt(variance)
    mean, spread = prior(accuracy, variance)
    total = variance + spread
    own = np.divide(spread, total, out=np.ones_like(total), where=total > 0)
    return own * accuracy + (1 - own) * mean, np.sqrt(own * variance)


def rank_intervals(
    mean: np.ndarray, deviation: np.ndarray, coverage: float = 0.9, draws: int = DRAWS, seed: int = SEED
) -> tuple[np.ndarray, np.ndarray]:
    """Between which ranks (1 is best) each cell lies in that share of the draws, both int (cells,).

    True accuracies are drawn from normal distributions of that mean and deviation (Laird and Louis 1989, "Empirical
    Bayes Ranking Methods").
    """
    random = np.random.default_rng(seed)
    ranks = np.empty((draws, len(mean)), dtype=np.int32)
    for draw in range(draws):
        order = np.argsort(-(mean + deviation * random.standard_normal(len(mean))), kind="stable")
        ranks[draw, order] = np.arange(1, len(mean) + 1)
    ranks.sort(axis=0)
    ends = (int(np.floor((1 - coverage) / 2 * (draws - 1))), int(np.ceil((1 + coverage) / 2 * (draws - 1))))
    return ranks[ends[0]], ranks[ends[1]]
