"""The rank of every cell on one data set and recipe against its rank on another."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import scipy.stats
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from skelnas.analysis.across.agreement import about, accuracies
from skelnas.analysis.provenance import Facts
from skelnas.analysis.ranks import rank_correlation
from skelnas.analysis.style import MUTED, POINTS, VALUE_MAP, headline, new_figure, style
from skelnas.results.query import Benchmark

MOST = 6  # pairs that are drawn
MANY = 500  # cells above which they are drawn as hexagons


def tabulate(benchmarks: Sequence[Benchmark], summaries: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row per cell that two benchmarks have, with its final accuracy in each."""
    found = accuracies(benchmarks)
    table = pd.DataFrame(found).rename_axis("index").reset_index()
    return table[table[list(found)].notna().sum(axis=1) > 1].reset_index(drop=True)


def draw(table: pd.DataFrame, facts: Sequence[Facts]) -> Figure:
    """A panel for each of the first pairs: ranks among the cells that both have, as percent from worst to best."""
    pairs = [
        (first, second, table[[first, second]].dropna())
        for first, second in combinations(table.columns[1:], 2)
        if table[[first, second]].notna().all(axis=1).any()
    ]
    shown = pairs[:MOST]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    with style():
        figure = new_figure(width=max(6.0, 3.1 * columns), height=1.2 + 3.2 * rows)
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat[len(shown) :]:
            axes.set_axis_off()
        for axes, (first, second, both) in zip(grid.flat, shown, strict=False):
            across, up = (100 * scipy.stats.rankdata(both[name]) / len(both) for name in (first, second))
            axes.plot([0, 100], [0, 100], color=MUTED, lw=0.8)
            if len(both) > MANY:
                axes.hexbin(
                    across, up, gridsize=40, mincnt=1, norm=LogNorm(), cmap=VALUE_MAP, lw=0.1, extent=(0, 100, 0, 100)
                )
            else:
                axes.scatter(across, up, s=14, color=POINTS, linewidths=0, zorder=3)
            tau = rank_correlation(*both.to_numpy().T)["kendall_tau_b"]
            words = "undefined" if np.isnan(tau) else f"{tau:.2f}"
            axes.set_title(f"τ-b {words}, {len(both):,} cells", fontsize=9)
            axes.set(xlim=(0, 101), ylim=(0, 101), aspect="equal")
            axes.set_xlabel(f"{first} (rank, %)", fontsize=8)
            axes.set_ylabel(f"{second} (rank, %)", fontsize=8)
        more = f"\nthe first {MOST} of {len(pairs)} pairs; 100 is the best cell" if len(pairs) > MOST else ""
        headline(figure, "Where do cells stand elsewhere?", about(facts) + (more or "\n100 is the best cell"))
    return figure


def finding(table: pd.DataFrame, facts: Sequence[Facts]) -> str:
    """How many of the best tenth on the first are in the best tenth on the second."""
    if table.empty:
        return "No two benchmarks of the study have cells in common."
    for first, second in combinations(table.columns[1:], 2):
        both = table[[first, second]].dropna()
        if len(both) < 10:
            continue
        size = max(1, round(len(both) / 10))
        best = [set(both[name].nlargest(size).index) for name in (first, second)]
        share = len(best[0] & best[1]) / size
        return f"Of the best tenth of cells on {first}, {share:.0%} are in the best tenth on {second}."
    return "Fewer than ten cells are shared, too few to speak of the best tenth."
