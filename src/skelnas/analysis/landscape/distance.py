"""Whether accuracy leads to the best cell: the analysis `distance-to-best`, with the fitness-distance correlation.

Columns of the table: distance (edges that differ from the nearest of the best cells), cells, mean, q05, q25, median,
q75, q95, highest (accuracy in percent of the cells there); and in every row alike: best (the cell, the first of
equals), among (all cells or those of the sample), pearson and tau_b with low and high each (95 % interval, bootstrap
over cells; missing where all cells are known).
"""

import numpy as np
import pandas as pd
import scipy.stats
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.spread import QUANTILES, quantiles
from skelnas.analysis.style import ACCENT, INK, POINTS, chance_line, headline, new_figure, style
from skelnas.cells import space
from skelnas.cells.grid import EDGES, digits_of, distances
from skelnas.results.query import Benchmark
from skelnas.text import counted

CORRELATIONS = ("pearson", "pearson_low", "pearson_high", "tau_b", "tau_b_low", "tau_b_high")
COLUMNS = ("distance", "cells", "mean", *QUANTILES, "highest", "best", "among", *CORRELATIONS)
FEWEST = 10
DRAWS, SEED = 500, 14


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    return distance_to_best(benchmark.cells, benchmark.seed_means(facts_of(benchmark).split))


def distance_to_best(cells: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """The table, of architecture indices and accuracies (cells,), NaN where missing."""
    there = ~np.isnan(values)
    cells, values = cells[there], values[there]
    if len(values) < FEWEST or np.ptp(values) == 0:
        return pd.DataFrame(columns=list(COLUMNS))
    best = cells[values == values.max()]
    apart = distances(digits_of(cells), digits_of(best)).min(axis=1)
    rows = []
    for distance in np.unique(apart):
        here = values[apart == distance]
        spread = quantiles(here)
        rows.append({"distance": distance, "cells": len(here), "mean": here.mean(), **spread, "highest": here.max()})
    among = "all cells" if len(values) == space.CELLS else "a sample of the cells"
    constant = {"best": best[0], "among": among, **fitness_distance(apart, values, among != "all cells")}
    return pd.DataFrame(rows).assign(**constant)[list(COLUMNS)]


def fitness_distance(apart: np.ndarray, values: np.ndarray, interval: bool) -> dict[str, float]:
    """Pearson's correlation and Kendall's tau-b of accuracy and distance (Jones and Forrest 1995), with intervals from
    a bootstrap over cells (seed 14) that holds the best cells where they are."""
    found = np.full((2, 3), np.nan)
    found[:, 0] = _correlations(apart, values)
    if interval:
        random = np.random.default_rng(SEED)
        drawn = random.integers(0, len(values), (DRAWS, len(values)))
        draws = np.array([_correlations(apart[chosen], values[chosen]) for chosen in drawn])
        found[:, 1:] = np.nanquantile(draws, [0.025, 0.975], axis=0).T
    return dict(zip(CORRELATIONS, map(float, found.ravel()), strict=True))


def _correlations(apart: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    if np.ptp(apart) == 0 or np.ptp(values) == 0:
        return np.nan, np.nan
    return float(np.corrcoef(apart, values)[0, 1]), float(scipy.stats.kendalltau(apart, values, variant="b").statistic)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Accuracy of the cells that differ from the best on 0 to 6 edges: quantiles, mean and the best of them."""
    first = table.to_dict("records")[0]
    at = table["distance"].to_numpy()
    with style():
        figure = new_figure(height=4.8)
        axes = figure.subplots()
        axes.bar(
            at, table["q95"] - table["q05"], 0.5, table["q05"], color=POINTS, alpha=0.18, label="5 to 95 % of cells"
        )
        axes.bar(at, table["q75"] - table["q25"], 0.5, table["q25"], color=POINTS, alpha=0.45, label="middle half")
        axes.hlines(table["median"], at - 0.25, at + 0.25, color=INK, lw=2, label="median")
        axes.plot(at, table["highest"], "o-", color=ACCENT, ms=6, lw=1.2, label="best at that distance")
        low, high = float(table["q05"].min()), float(table["highest"].max())
        pad = 0.08 * max(high - low, 1)
        if low - pad < facts.chance:
            chance_line(axes, facts.chance)
        axes.set_ylim(min(low, facts.chance if low - pad < facts.chance else low) - pad, high + 1.6 * pad)
        axes.set_xlim(-0.5, EDGES + 0.5)
        numbers = dict(zip(at, table["cells"], strict=True))
        labels = [f"{step}\n{counted(int(numbers.get(step, 0)), 'cell')}" for step in range(EDGES + 1)]
        axes.set_xticks(range(EDGES + 1), labels)
        axes.set_xlabel(f"edges that differ from the best cell ({first['best']})")
        axes.set_ylabel(f"{facts.split} top-1 accuracy (%)")
        axes.grid(axis="x", visible=False)
        axes.legend(loc="upper right", ncols=5, columnspacing=1.2)
        about = f"fitness-distance correlation: {_words(first)}; best of {first['among']}"
        headline(figure, "Does accuracy lead to the best cell?", f"{facts.line(facts.split)}\n{about}")
    return figure


def _words(row: dict) -> str:
    words = []
    for name, label in (("pearson", "Pearson"), ("tau_b", "Kendall's tau-b")):
        limits = "" if np.isnan(row[f"{name}_low"]) else f" ({row[f'{name}_low']:.2f} to {row[f'{name}_high']:.2f})"
        words.append(f"{label} {row[name]:.3f}{limits}")
    return ", ".join(words).replace("-0", "−0")


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty:
        return (
            f"Whether accuracy leads to the best cell cannot be told from {counted(facts.cells, 'cell')}: it takes "
            f"{FEWEST} with different accuracies."
        )
    first = table.to_dict("records")[0]
    if first["pearson_low"] <= 0 <= first["pearson_high"]:
        return (
            f"Whether accuracy falls with the distance from the best of {first['among']} ({first['best']}) cannot be "
            f"told from {counted(facts.cells, 'cell')}: fitness-distance correlation {_words(first)}."
        )
    strength = abs(first["pearson"])
    way = "falls" if first["pearson"] < 0 else "rises"
    how = "hardly" if strength < 0.15 else "somewhat" if strength < 0.5 else "clearly"
    return (
        f"Accuracy {way} {how} with the distance from the best cell of {first['among']} ({first['best']}): "
        f"fitness-distance correlation {_words(first)}."
    )
