"""How much of a winner's accuracy was luck: chosen by one seed, measured by the others."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.noise.reliability import seed_variance
from skelnas.analysis.noise.shrinkage import shrink
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.ranks import best
from skelnas.analysis.style import ACCENT, INK, MUTED, POINTS, headline, new_figure, style
from skelnas.results.query import Benchmark, seed_mean

COLUMNS = ["seed", "group", "cells", "at_selection", "shrunk", "tail_corrected", "on_other_seeds", "loss"]
TAIL, FEWEST_OF_TAIL = 0.01, 20  # the share and the least number of cells that are taken as an exponential tail
GROUPS = ("best cell", "best 10 cells", "best 1 %")


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`winners` of the final accuracies."""
    facts = facts_of(benchmark)
    return winners(benchmark.values(facts.split), facts.seeds)


def winners(values: np.ndarray, seeds: tuple[int, ...]) -> pd.DataFrame:
    """Per seed and group of winners: their mean accuracy by the seed that chose them; what that seed and the noise
    between seeds alone make of it, by normal-normal empirical Bayes (`shrunk`) and by `tail_corrected`; their mean on
    the other seeds; and the loss between.

    values: (cells, seeds). Cells that lack the seed, or all others, do not take part.
    """
    rows, variance = [], seed_variance(values)
    for column, seed in enumerate(seeds if len(seeds) > 1 else ()):
        others = seed_mean(np.delete(values, column, axis=1))
        known = ~np.isnan(values[:, column]) & ~np.isnan(others) & ~np.isnan(variance)
        chosen, measured = values[known, column], others[known]
        if len(chosen) < 2:
            continue
        shrunk, _ = shrink(chosen, variance[known])
        corrected = tail_corrected(chosen, variance[known])
        shares = {"best cell": 0.0, "best 10 cells": 10 / len(chosen), "best 1 %": 0.01}
        for group in GROUPS:
            if (group == "best 10 cells" and len(chosen) < 20) or (group == "best 1 %" and len(chosen) < 200):
                continue
            who = best(chosen, shares[group])
            found = [float(array[who].mean()) for array in (chosen, shrunk, corrected, measured)]
            rows.append(dict(zip(COLUMNS, (seed, group, len(who), *found, found[0] - found[3]), strict=True)))
    return pd.DataFrame(rows, columns=COLUMNS)


def tail_corrected(accuracy: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Accuracies (cells,) less what luck adds to the best of them, where errors have that variance.

    Tweedie's formula (Efron 2011, "Tweedie's Formula and Selection Bias"): accuracy + variance times the slope of the
    logarithm of the density of accuracies. Of the best 1 % (at least 20 cells) that slope is taken as constant, minus
    one over their mean excess over the worst of them, as of an exponential tail. Fewer cells, all other cells and equal
    cells stay as they are.
    """
    found = accuracy.astype(float)
    top = best(accuracy, max(TAIL, FEWEST_OF_TAIL / max(1, len(accuracy))))
    if len(top) < FEWEST_OF_TAIL:
        return found
    excess = float((accuracy[top] - accuracy[top].min()).sum()) / (len(top) - 1)
    if excess > 0:
        found[top] -= variance[top] / excess
    return found


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """A line per seed and group from the accuracy at selection to that on other seeds."""
    groups = [group for group in GROUPS if group in set(table["group"])]
    with style():
        figure = new_figure(height=3.4 + 0.22 * len(table))
        panels = figure.subplots(len(groups), 1, sharex=True, squeeze=False)[:, 0]
        for axes, group in zip(panels, groups, strict=True):
            rows = table[table["group"] == group].reset_index(drop=True)
            places = range(len(rows))
            axes.hlines(places, rows["on_other_seeds"], rows["at_selection"], color=MUTED, lw=1.6)
            marks = {
                "at_selection": ("by the seed that chose", {"facecolors": "white", "edgecolors": ACCENT, "s": 60}),
                "shrunk": ("normal-normal empirical Bayes", {"color": MUTED, "marker": "|", "s": 130}),
                "tail_corrected": ("corrected by the tail (Tweedie)", {"color": INK, "marker": "|", "s": 130}),
                "on_other_seeds": ("on the other seeds", {"color": POINTS, "s": 60}),
            }
            for column, (words, look) in marks.items():
                axes.scatter(rows[column], places, zorder=3, label=words, **look)
            axes.set_yticks(places, [f"seed {seed}" for seed in rows["seed"]])
            axes.set_ylim(len(rows) - 0.5, -0.5)
            axes.set_title(f"{group}: loses {_points(rows['loss'].mean())} points")
        panels[-1].set_xlabel(f"{facts.split} top-1 accuracy (%)")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
        headline(figure, "The winner's curse: what a choice by one seed loses", facts.line(facts.split))
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The loss of the best cell, and whether the correction foresaw it."""
    if table.empty:
        return "No two seeds of a cell are there, so the winner's curse cannot be measured."
    rows = table[table["group"] == "best cell"]
    left = {name: (rows[name] - rows["on_other_seeds"]).mean() for name in ("shrunk", "tail_corrected")}
    return (
        f"The best cell of one seed loses {_points(rows['loss'].min())} to {_points(rows['loss'].max())} points on the "
        f"others, {_points(rows['loss'].mean())} on average; after shrinkage {_points(left['shrunk'])} are left of it, "
        f"after the correction by the tail {_points(left['tail_corrected'])}."
    )


def _points(number: float) -> str:
    """Two decimals, and no negative zero."""
    return f"{round(number, 2) + 0.0:.2f}"
