"""How like a cell its neighbours are: the analysis `autocorrelation`.

Columns of the table: kind ("distance": cells that differ on so many edges; "walk": cells so many random steps apart;
"neighbours": the pairs of neighbours themselves), steps, correlation, low, high (95 % interval over cells, missing
where all cells are known), pairs, method (`variance.EXACT` or SAMPLE), cells.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.landscape import anova
from skelnas.analysis.landscape.variance import EXACT
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import ACCENT, INK, MUTED, POINTS, headline, new_figure, style
from skelnas.cells import space
from skelnas.cells.grid import EDGES, NEIGHBOURS, digits_of, distances, grid_of, neighbours
from skelnas.results.query import Benchmark
from skelnas.text import counted

COLUMNS = ("kind", "steps", "correlation", "low", "high", "pairs", "method", "cells")
SAMPLE = "pairs of a sample"
FEWEST_CELLS, FEWEST_PAIRS = 30, 100
WALK = 20
DRAWS, SEED, LARGEST_SAMPLE = 1000, 14, 1000


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    return autocorrelation(benchmark.cells, benchmark.seed_means(facts_of(benchmark).split))


def autocorrelation(cells: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """The table, of architecture indices and accuracies (cells,), NaN where missing.

    Of all cells everything follows exactly from the shares of variance, and the correlation of neighbours, computed
    from their pairs, must equal the first step. Of a sample its pairs are correlated, distance by distance, with
    intervals from a bootstrap over cells (seed 14); of more than 1,000 cells, the first 1,000.
    """
    grid = grid_of(cells, values)
    if grid is not None:
        return _exact(grid)
    there = ~np.isnan(values)
    cells, values = cells[there][:LARGEST_SAMPLE], values[there][:LARGEST_SAMPLE]
    if len(values) < FEWEST_CELLS or np.ptp(values) == 0:
        return pd.DataFrame(columns=list(COLUMNS))
    apart = distances(digits_of(cells), digits_of(cells))
    found = pair_correlations(apart, values, np.ones((1, len(values))))[0]
    pairs = np.array([(apart[np.triu_indices(len(values), 1)] == distance).sum() for distance in range(1, EDGES + 1)])
    weights = np.random.default_rng(SEED).multinomial(len(values), np.full(len(values), 1 / len(values)), DRAWS)
    low, high = np.nanquantile(pair_correlations(apart, values, weights.astype(float)), [0.025, 0.975], axis=0)
    table = pd.DataFrame({"kind": "distance", "steps": range(1, EDGES + 1), "correlation": found})
    table = table.assign(low=low, high=high, pairs=pairs, method=SAMPLE, cells=len(values))
    return table[table["pairs"] >= FEWEST_PAIRS].reset_index(drop=True)


def pair_correlations(apart: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The correlation of pairs of cells at distances 1 to 6, about the mean of all: float64 (draws, 6).

    apart: distances (n, n); values: (n,); weights: how often each cell counts (draws, n). A pair of a cell with itself,
    which a bootstrap draws, is none.
    """
    mean = weights @ values / weights.sum(axis=1)
    off = values - mean[:, None]
    variance = (weights * off**2).sum(axis=1) / weights.sum(axis=1)
    result = np.full((len(weights), EDGES), np.nan)
    for distance in range(1, EDGES + 1):
        here = (apart == distance).astype(float)
        products = ((weights * off) @ here * (weights * off)).sum(axis=1)
        number = (weights @ here * weights).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            result[:, distance - 1] = products / number / variance
    return result


def neighbour_correlation(grid: np.ndarray) -> float:
    """Pearson's correlation of all 187,500 pairs of neighbours, each in both directions."""
    flat = grid.ravel()
    off = flat - flat.mean()
    return float((off[:, None] * off[neighbours()]).sum() / NEIGHBOURS / (off**2).sum())


def _exact(grid: np.ndarray) -> pd.DataFrame:
    if np.ptp(grid) == 0:
        return pd.DataFrame(columns=list(COLUMNS))
    by_order = anova.shares_by_order(anova.exact_shares(grid))
    steps = np.arange(WALK + 1)
    kinds = {
        "distance": (np.arange(EDGES + 1), anova.distance_correlation(by_order)),
        "walk": (steps, anova.walk_correlation(by_order, steps)),
        "neighbours": (np.array([1]), np.array([neighbour_correlation(grid)])),
    }
    parts = [pd.DataFrame({"kind": kind, "steps": at, "correlation": value}) for kind, (at, value) in kinds.items()]
    table = pd.concat(parts, ignore_index=True)
    table["pairs"] = np.where(table["kind"] == "neighbours", space.CELLS * NEIGHBOURS // 2, np.nan)
    return table.assign(low=np.nan, high=np.nan, method=EXACT, cells=grid.size)[list(COLUMNS)]


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Correlation against distance, and where all cells are known, along a random walk."""
    exact = table["method"].iloc[0] == EXACT
    near = table[table["kind"] == "distance"]
    with style():
        figure = new_figure(height=4.4, width=9.0 if exact else 6.4)
        panels = figure.subplots(1, 2 if exact else 1, sharey=exact, squeeze=False)[0]
        panels[0].plot(near["steps"], near["correlation"], "o-", color=POINTS, ms=7, zorder=3)
        if not exact:
            spread = np.stack([near["correlation"] - near["low"], near["high"] - near["correlation"]]).clip(0)
            panels[0].errorbar(
                near["steps"], near["correlation"], yerr=spread, fmt="none", ecolor=INK, elinewidth=1, capsize=3
            )
        for step, value in zip(near["steps"], near["correlation"], strict=True):
            right = {"xytext": (7, 6 if value >= 0 else -12), "textcoords": "offset points", "fontsize": 9}
            panels[0].annotate(f"{value:.2f}".replace("-", "−"), (step, value), **right)
        panels[0].set_xlabel("edges on which two cells differ")
        panels[0].set_xticks(range(EDGES + 1))
        panels[0].set_xlim(-0.3, EDGES + 0.7)
        panels[0].set_ylabel("correlation of accuracy")
        if exact:
            walk, pairs = table[table["kind"] == "walk"], table[table["kind"] == "neighbours"]
            panels[1].plot(walk["steps"], walk["correlation"], "o-", color=POINTS, ms=4)
            panels[1].plot(
                pairs["steps"], pairs["correlation"], "o", ms=13, mfc="none", mec=ACCENT, mew=1.8,
                label=f"from the pairs of neighbours: {pairs['correlation'].iloc[0]:.4f}",
            )  # fmt: skip
            panels[1].legend(loc="upper right")
            panels[1].set_xlabel("steps of a random walk")
            panels[1].xaxis.get_major_locator().set_params(integer=True)
        for axes in panels:
            axes.axhline(0, color=MUTED, lw=1)
        title = "How like a cell its neighbours are"
        how = (
            "exact, from the shares of variance of all cells"
            if exact
            else f"from the pairs of {counted(int(table['cells'].iloc[0]), 'cell')}; 95 % intervals (bootstrap)"
        )
        headline(figure, title, f"{facts.line(facts.split)}\n{how}")
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty:
        return (
            f"How like a cell its neighbours are cannot be told from {counted(facts.cells, 'cell')}: it takes "
            f"{FEWEST_CELLS} with different accuracies."
        )
    if table["method"].iloc[0] == EXACT:
        walk = table[table["kind"] == "walk"].set_index("steps")["correlation"]
        length = "" if walk[1] <= 0 else f", a correlation length of {-1 / np.log(walk[1]):.1f} steps"
        return f"Neighbours correlate with {walk[1]:.3f} in accuracy{length}; this is exact."
    first = table.to_dict("records")[0]
    return (
        f"Cells of the sample that differ on {counted(int(first['steps']), 'edge')} correlate with "
        f"{first['correlation']:.2f} (95 % interval {first['low']:.2f} to {first['high']:.2f}; "
        f"{counted(int(first['pairs']), 'pair')})."
    )
