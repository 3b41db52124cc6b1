"""Standard deviations that bound what a difference between two cells means."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.agreement import noise
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import POINTS, headline, new_figure, style
from skelnas.cells.equivalence import classes
from skelnas.results.query import Benchmark


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`agreement.noise` of the final accuracies."""
    split = facts_of(benchmark).split
    values = benchmark.values(split)
    graphs = np.asarray(classes("graph"))[benchmark.cells]
    table = noise(values, summary["class_representative"].to_numpy(), benchmark.samples[split], graphs)
    return table if (~np.isnan(values)).any() else table.iloc[:0]


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
