"""How often the statistics of noise and selection find what was planted, and what was not: `python -m bench.planted`.

Tables of 120 cells and three seeds are drawn 200 times each, with a stated seed. In `nothing` every cell is equally
good and only the seeds differ; in `normal` true accuracies are normal, of the same deviation as the seeds; in
`exponential` they have a tail. Counts are of `SAMPLES` samples which all cells share, as in a benchmark.
"""

import argparse
from collections.abc import Callable

import numpy as np
import scipy.stats

from skelnas.analysis.noise.comparison import mcnemar, rejected, two_proportions, worse_than
from skelnas.analysis.noise.reliability import icc, seed_variance
from skelnas.analysis.noise.shrinkage import rank_intervals, shrink
from skelnas.analysis.ranks import rank_correlation
from skelnas.analysis.selection.winners_curse import winners
from skelnas.text import text_table

DRAWS, CELLS, SEEDS, SAMPLES, SEED = 200, 120, 3, 430, 14
NOISE = 2.0  # deviation between seeds, in points
TRUTHS: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "nothing": lambda random: np.full(CELLS, 60.0),
    "normal": lambda random: random.normal(60, NOISE, CELLS),
    "exponential": lambda random: 55 + random.exponential(3 * NOISE, CELLS),
}


def draw(truth: np.ndarray, random: np.random.Generator) -> dict[str, float]:
    """What one table shows: per statistic 1 or 0, a share, or points of percent."""
    values = truth[:, None] + random.normal(0, NOISE, (CELLS, SEEDS))
    others = values[:, 1:].mean(axis=1)
    variance = seed_variance(values[:, 1:]) / (SEEDS - 1)
    found, spread = icc(values), truth.var()
    reference = int(values[:, 0].argmax())
    rest = np.arange(CELLS) != reference
    told = rejected(worse_than(others, variance, reference)[rest])
    wrong = told & (truth[rest] >= truth[reference])
    mean, deviation = shrink(others, variance)
    low, high = rank_intervals(mean, deviation, draws=200)
    first, last = (scipy.stats.rankdata(-truth, method) for method in ("min", "max"))
    table = winners(values, (1, 2, 3))
    table = table[table["group"] == "best 10 cells"]
    difficulty = random.random(SAMPLES)  # a sample is got right by a cell with its accuracy as a chance, shifted by it
    right = [random.random(SAMPLES) < np.clip(0.6 + 0.9 * (difficulty - 0.5), 0, 1) for _ in range(2)]
    only = [int((right[one] & ~right[1 - one]).sum()) for one in (0, 1)]
    return {
        "95 % interval of ICC(1) holds the truth": found["low"] <= spread / (spread + NOISE**2) <= found["high"],
        "some cell is told from the best": bool(told.any()),
        "share of those told from it that are as good": wrong.sum() / max(1, told.sum()),
        "90 % interval of empirical Bayes holds the truth": np.mean(
            np.abs(truth - mean) <= scipy.stats.norm.ppf(0.95) * deviation + 1e-9
        ),
        "90 % interval of the rank holds the rank": np.mean((low <= last) & (first <= high)),
        "Kendall's tau-b of two seeds": rank_correlation(values[:, 0], values[:, 1])["kendall_tau_b"],
        "best 10 of one seed: points too high": table["loss"].mean(),
        "the same after shrinkage": (table["shrunk"] - table["on_other_seeds"]).mean(),
        "the same after correction by the tail": (table["tail_corrected"] - table["on_other_seeds"]).mean(),
        "two equal cells differ, unpaired, p < 5 %": two_proportions(*(int(one.sum()) for one in right), SAMPLES)
        < 0.05,
        "two equal cells differ, McNemar, p < 5 %": mcnemar(*only) < 0.05,
    }


def rates(draws: int = DRAWS) -> dict[str, dict[str, float]]:
    """The mean of every statistic over the draws, by what was planted."""
    found = {}
    for name, truths in TRUTHS.items():
        random = np.random.default_rng(SEED)
        rows = [draw(truths(random), random) for _ in range(draws)]
        found[name] = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS, help="tables of each kind")
    found = rates(parser.parse_args().draws)
    header = ["mean over the draws", *found]
    print(text_table(header, [[key, *(f"{found[name][key]:.3f}" for name in found)] for key in found["nothing"]]))


if __name__ == "__main__":
    main()
