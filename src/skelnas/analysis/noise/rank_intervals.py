"""The rank of every cell with its interval, and its accuracy shrunk towards what cells are like."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.noise.measured import BOTH, SAMPLES, measured
from skelnas.analysis.noise.shrinkage import DRAWS, SEED, rank_intervals, shrink
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import ACCENT, INK, POINTS, headline, legend_below, new_figure, style
from skelnas.results.query import Benchmark

SHOWN = 30  # of the best cells
COLUMNS = ["index", "accuracy", "error_std", "shrunk", "shrunk_std", "rank", "rank_low", "rank_high"]


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """Best first: accuracy and its standard error (seeds and samples; samples alone with one seed), its empirical-Bayes
    estimate with its deviation, rank by that estimate, and the ranks between which it lies in 90 % of the draws."""
    found = measured(benchmark)
    variances = found.errors()
    variance = variances.get(BOTH, variances[SAMPLES])
    known = ~np.isnan(found.accuracy) & ~np.isnan(variance)
    if known.sum() < 3:
        return pd.DataFrame(columns=COLUMNS)
    accuracy, variance = found.accuracy[known], variance[known]
    mean, deviation = shrink(accuracy, variance)
    low, high = rank_intervals(mean, deviation)
    ranks = pd.Series(-mean).rank(method="min").astype(int)
    columns = (benchmark.cells[known], accuracy, np.sqrt(variance), mean, deviation, ranks, low, high)
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    return table.sort_values(["rank", "index"], ignore_index=True)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """The best cells with their intervals, and the intervals of all."""
    top = table.head(SHOWN)
    with style():
        figure = new_figure(height=5.6)
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
        places = np.arange(len(top))
        left.hlines(
            places,
            top["shrunk"] - 1.645 * top["shrunk_std"],
            top["shrunk"] + 1.645 * top["shrunk_std"],
            color=POINTS,
            lw=2,
            alpha=0.5,
        )
        left.scatter(top["shrunk"], places, s=18, color=POINTS, zorder=3, label="shrunk, with 90 % interval")
        left.scatter(top["accuracy"], places, s=18, facecolors="white", edgecolors=ACCENT, zorder=2, label="measured")
        left.set_yticks(places, [str(index) for index in top["index"]], fontsize=7)
        left.set_ylim(len(top) - 0.4, -0.6)
        left.set_xlabel(f"{facts.split} top-1 accuracy (%)")
        left.set_ylabel("cell")
        left.set_title(f"the {len(top)} first cells")
        right.fill_between(
            table["rank"],
            table["rank_low"],
            table["rank_high"],
            color=POINTS,
            alpha=0.3,
            lw=0,
            step="mid",
            label="90 % of the draws",
        )
        right.plot(table["rank"], table["rank"], color=INK, lw=0.9, label="rank")
        right.set(xlim=(1, len(table)), ylim=(len(table), 1), xlabel="rank of the cell", ylabel="rank in a draw")
        right.set_title("all cells")
        legend_below(figure, (left, right), 4)
        how = f"parametric bootstrap of empirical-Bayes estimates: {DRAWS:,} draws, seed {SEED}"
        about = f"{facts.line(facts.split)}\n{how}"
        headline(figure, "What a rank is worth", about)
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The interval of the first rank."""
    if table.empty:
        return "Fewer than three cells have an accuracy with a known error, so there are no intervals of ranks."
    first, width = table.iloc[0], (table["rank_high"] - table["rank_low"]).median()
    return (
        f"The first cell ({first['index']:.0f}) has a rank from {first['rank_low']:.0f} to {first['rank_high']:.0f} of "
        f"{len(table):,} in 90 % of the draws; the median interval is {width:,.0f} ranks wide."
    )
