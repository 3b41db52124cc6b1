"""Standard deviations that bound what a difference between two cells means."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import POINTS, headline, new_figure, style
from skelnas.cells.equivalence import classes
from skelnas.results.query import Benchmark, seed_mean, spread_over_seeds


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`noise` of the final accuracies."""
    split = facts_of(benchmark).split
    values = benchmark.values(split)
    graphs = np.asarray(classes("graph"))[benchmark.cells]
    table = noise(values, summary["class_representative"].to_numpy(), benchmark.samples[split], graphs)
    return table if (~np.isnan(values)).any() else table.iloc[:0]


def noise(test: np.ndarray, representatives: np.ndarray, samples: int, graphs: np.ndarray) -> pd.DataFrame:
    """Standard deviations (points of percent) that bound what a difference between two cells means.

    test: final test accuracies (cells, seeds); representatives: the class of each cell by
    `equivalence.classes("network")` (same trained function, other initial values); samples: test samples; graphs: the
    class by `equivalence.classes("graph")`. Rows: between cells; between seeds of a cell (pooled); within network
    classes, which is the noise floor, and within graph classes, which may differ in constants that are added (seed
    means, pooled within classes of two or more, cells without a path from input to output included); and what drawing
    that many test samples anew would give at the mean accuracy (binomial). Missing where there is nothing to compare.
    """
    means = seed_mean(test)
    share = np.nanmean(means) / 100 if (~np.isnan(means)).any() else np.nan
    known = int((~np.isnan(means)).sum())
    rows = {
        "between cells (seed means)": (known, _deviation(means[~np.isnan(means)])),
        "between seeds of a cell": pooled_deviation(test),
        "within network classes: noise floor (seed means)": _within(means, representatives),
        "within graph classes (seed means)": _within(means, graphs),
        "sampling of the test set (binomial)": (known, 100 * float(np.sqrt(share * (1 - share) / samples))),
    }
    return pd.DataFrame([{"noise": name, "cells": cells, "std": value} for name, (cells, value) in rows.items()])


def _within(means: np.ndarray, representatives: np.ndarray) -> tuple[int, float]:
    """How many cells share a class with another one, and the deviation between them, pooled over the classes."""
    classes = pd.Series(means).groupby(np.asarray(representatives)).agg(["count", "var"])
    classes = classes[classes["count"] > 1]
    pooled = _root(np.average(classes["var"], weights=classes["count"] - 1)) if len(classes) else np.nan
    return int(classes["count"].sum()), pooled


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan


def pooled_deviation(values: np.ndarray) -> tuple[int, float]:
    """Standard deviation between the seeds of a cell, and over how many cells it is pooled: those of (cells, seeds)
    with two or more. Missing without any."""
    deviations = spread_over_seeds(values)
    deviations = deviations[~np.isnan(deviations)]
    return len(deviations), _root(np.mean(deviations**2)) if len(deviations) else np.nan


def _root(variance: float) -> float:
    return float(np.sqrt(variance))


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """A bar for each deviation."""
    with style():
        figure = new_figure(height=2.0 + 0.45 * len(table))
        axes = figure.subplots()
        axes.barh(range(len(table)), table["std"].fillna(0), color=POINTS, height=0.6)
        for place, value in enumerate(table["std"]):
            words = "cannot be told" if np.isnan(value) else f"{value:.2f}"
            end = (0 if np.isnan(value) else value, place)
            axes.annotate(words, end, (4, 0), textcoords="offset points", va="center")
        axes.set_yticks(range(len(table)), table["noise"])
        axes.set_ylim(len(table) - 0.5, -0.5)
        axes.margins(x=0.12)
        axes.set_xlabel(f"standard deviation of {facts.split} accuracy (points of percent)")
        headline(figure, "What a difference between two cells must exceed", facts.line(facts.split))
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The noise between seeds beside the differences between cells."""
    if table.empty:
        return "No cell has an accuracy after the last epoch."
    deviation = table.set_index("noise")["std"]
    cells, seeds = deviation["between cells (seed means)"], deviation["between seeds of a cell"]
    if np.isnan(seeds):
        floor = deviation["within network classes: noise floor (seed means)"]
        stand_in = (
            ""
            if np.isnan(floor)
            else (
                f", but cells that are the same trained network deviate by {floor:.2f} points, all cells by {cells:.2f}"
            )
        )
        return f"Every cell was trained with one seed, so the noise between seeds cannot be told{stand_in}."
    if np.isnan(cells):
        return f"Two seeds of the cell differ with a standard deviation of {seeds:.2f} points."
    return f"Cells differ with a standard deviation of {cells:.2f} points, seeds of one cell with {seeds:.2f}."
