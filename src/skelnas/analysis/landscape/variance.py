"""Which edges, and which of them together, accuracy hangs on: the analysis `variance-shares`.

Columns of the table: edges ("0>3", "0>1 0>3"), order (how many), share (of the variance of accuracy between cells),
low, high (95 % interval; missing where the share is exact), noise (the share that differences between seeds alone would
give it; missing with one seed), method (EXACT or one of SAMPLE), cells.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.landscape import anova
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import ACCENT, INK, MUTED, POINTS, headline, new_figure, style
from skelnas.cells import space
from skelnas.cells.grid import digits_of, grid_of
from skelnas.results.query import Benchmark, spread_over_seeds
from skelnas.text import counted

COLUMNS = ("edges", "order", "share", "low", "high", "noise", "method", "cells")
EXACT = "exact, all cells"
SAMPLE = {1: "regression on a sample: main effects", 2: "regression on a sample: main effects and pairs"}
NAMES = ("one edge alone", "pairs", "three", "four", "five", "all six")
SHOWN_PAIRS = 9


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    split = facts_of(benchmark).split
    noise = (
        float(np.nanmean(variances)) if (~np.isnan(variances := _mean_variances(benchmark, split))).any() else np.nan
    )
    return variance_shares(benchmark.cells, benchmark.seed_means(split), noise)


def variance_shares(cells: np.ndarray, values: np.ndarray, noise: float = np.nan) -> pd.DataFrame:
    """The table, of architecture indices and accuracies (cells,), NaN where missing; `noise` is the variance that a
    cell's accuracy has because of its seeds."""
    grid = grid_of(cells, values)
    if grid is not None:
        return _exact(grid, noise)
    there = ~np.isnan(values)
    cells, values = cells[there], values[there]
    order = anova.largest_order(len(values))
    if not order or np.ptp(values) == 0:
        return pd.DataFrame(columns=list(COLUMNS))
    shares = anova.sample_shares(digits_of(cells), values, order)
    table = _frame(shares, [numbers[0] for numbers in shares.values()], noise / float(values.var(ddof=1)))
    table["low"], table["high"] = (np.array([numbers[at] for numbers in shares.values()]) for at in (1, 2))
    table = table.assign(method=SAMPLE[order], cells=len(values))[list(COLUMNS)]
    return table.dropna(subset="share").reset_index(drop=True)


def _exact(grid: np.ndarray, noise: float) -> pd.DataFrame:
    if np.ptp(grid) == 0:
        return pd.DataFrame(columns=list(COLUMNS))
    shares = anova.exact_shares(grid)
    table = _frame(shares, list(shares.values()), noise / float(grid.var()))
    return table.assign(low=np.nan, high=np.nan, method=EXACT, cells=grid.size)[list(COLUMNS)]


def _frame(shares: dict, values: list[float], noise: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "edges": [edge_names(edges) for edges in shares],
            "order": [len(edges) for edges in shares],
            "share": values,
            "noise": [noise * anova.noise_share(len(edges)) for edges in shares],
        }
    )


def edge_names(edges: anova.Edges) -> str:
    return " ".join(f"{space.EDGES[edge][0]}>{space.EDGES[edge][1]}" for edge in edges)


def _mean_variances(benchmark: Benchmark, split: str) -> np.ndarray:
    """The variance of each cell's mean over its seeds, NaN for those with one."""
    number = (~np.isnan(benchmark.values(split))).sum(axis=1)
    return spread_over_seeds(benchmark.values(split)) ** 2 / np.maximum(number, 1)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Left how much of the variance one edge, two, three... explain; right the edges and the strongest pairs."""
    exact = table["method"].iloc[0] == EXACT
    single, pairs = table[table["order"] == 1], table[table["order"] == 2]
    strongest = pairs.sort_values("share", ascending=False, kind="stable").head(SHOWN_PAIRS)
    with style():
        figure = new_figure(height=5.0)
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
        _draw_orders(left, table, exact)
        shown = pd.concat([single.sort_values("share", ascending=False, kind="stable"), strongest])
        places = np.arange(len(shown)) + (shown["order"].to_numpy() > 1) * 0.6
        colours = np.where(shown["order"] == 1, POINTS, ACCENT)
        right.barh(places, 100 * shown["share"], color=colours, height=0.72)
        if not exact:
            spread = 100 * np.stack([shown["share"] - shown["low"], shown["high"] - shown["share"]]).clip(0)
            right.errorbar(100 * shown["share"], places, xerr=spread, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
        ends = 100 * (shown["share"] if exact else shown["high"])
        for place, end, share in zip(places, ends, shown["share"], strict=True):
            right.annotate(
                f"{100 * share:.1f}", (end, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5
            )
        labels = [" with ".join(f"{edge[0]} → {edge[2]}" for edge in name.split(" ")) for name in shown["edges"]]
        right.set_yticks(places, labels, color=INK)
        right.invert_yaxis()
        right.tick_params(axis="y", length=0)
        right.grid(axis="y", visible=False)
        right.set_xlim(0, max(1.0, 1.12 * float(ends.max())))
        right.set_xlabel("share of the variance of accuracy (%)")
        right.set_title("Edges, and the pairs that matter most" if len(pairs) else "Edges alone")
        about = [facts.line(facts.split), _about(table)]
        headline(figure, "What accuracy hangs on", "\n".join(about))
    return figure


def _draw_orders(axes, table: pd.DataFrame, exact: bool) -> None:
    by_order = table.groupby("order")[["share", "noise"]].sum(min_count=1)
    names = [NAMES[order - 1] for order in by_order.index]
    shares = 100 * by_order["share"].to_numpy()
    if not exact:  # what the model leaves over is no share of its own: it holds noise and whatever was not fitted
        names.append("not fitted, and noise")
        shares = np.append(shares, max(0.0, 100 - shares.sum()))
    colours = [POINTS, ACCENT, "#e69f00", "#f0c674", "#f6deb0", "#faeed7"][: len(by_order)] + [MUTED] * (not exact)
    axes.bar(range(len(names)), shares, color=colours, width=0.72)
    for place, share in enumerate(shares):
        axes.text(place, share + 0.8, f"{share:.1f}" if share < 99.95 else "100", ha="center", fontsize=9.5)
    noise = 100 * by_order["noise"].to_numpy()
    if exact and not np.isnan(noise).all():
        axes.plot(range(len(noise)), noise, "_", color=INK, ms=22, mew=1.4, label="noise of seeds alone")
        axes.legend(loc="upper right")
    axes.set_xticks(range(len(names)), ["\n".join(name.split(" ")) for name in names], color=INK, fontsize=8.5)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="x", visible=False)
    axes.set_ylim(0, 1.14 * shares.max())
    axes.set_ylabel("share of the variance (%)")
    axes.set_title("Edges that act together" if exact else "What the model explains")


def _about(table: pd.DataFrame) -> str:
    if table["method"].iloc[0] == EXACT:
        return "exact functional ANOVA of the full factorial: shares of all 63 sets of edges sum to 100 %"
    return f"{table['method'].iloc[0]} ({counted(int(table['cells'].iloc[0]), 'cell')}), 95 % intervals"


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty:
        return (
            f"What accuracy hangs on cannot be told from {counted(facts.cells, 'cell')}: a regression needs at least "
            f"{anova.PER_PARAMETER * anova.MAIN} with different accuracies, the exact shares all {space.CELLS:,}."
        )
    single = table[table["order"] == 1].sort_values("share", ascending=False, kind="stable")
    first = single.iloc[0]
    if table["method"].iloc[0] == EXACT:
        orders = 100 * table.groupby("order")["share"].sum()
        return (
            f"One edge alone explains {orders[1]:.1f} % of the variance between cells, pairs another {orders[2]:.1f} "
            f"%, three and more together {orders.loc[3:].sum():.1f} %; the edge that matters most is {first['edges']} "
            f"({100 * first['share']:.1f} %). All cells are known, so this is exact."
        )
    sure = ", ".join(single["edges"][single["low"] > 0])
    return (
        f"From a sample of {counted(int(first['cells']), 'cell')}: edge {first['edges']} explains "
        f"{100 * first['share']:.1f} % of the variance (95 % interval {100 * first['low']:.1f} to "
        f"{100 * first['high']:.1f}); of the edges alone, "
        + (f"only {sure} can be told from nothing." if sure else "none can be told from nothing.")
    )
