"""What cells are made of, from the worst to the best: the analysis `operations-by-rank`.

Columns of the table, one row per group of cells next to each other in rank, the worst first: from_share, to_share (of
the cells, percent), cells, lowest, highest (accuracy in percent), and the mean number of live edges with each operation
of the six (`none`: those that carry nothing from input to output).
"""

import itertools

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.cell_drawing import COLOURS, NAMES
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import INK, headline, new_figure, style
from skelnas.analysis.topology.traits import traits
from skelnas.cells import space
from skelnas.results.query import Benchmark
from skelnas.text import counted

LIVE = {"nor_conv_3x3": "convolutions_3x3", "nor_conv_1x1": "convolutions_1x1", "skip_connect": "skips",
        "avg_pool_3x3": "pools"}  # fmt: skip
COLUMNS = ("from_share", "to_share", "cells", "lowest", "highest", *LIVE, "none")
GROUPS, FEWEST = 50, 10


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    return operations_by_rank(benchmark.cells, benchmark.seed_means(facts_of(benchmark).split))


def operations_by_rank(cells: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """The table, of architecture indices and accuracies (cells,), NaN where missing: 50 groups, fewer where a group
    would hold fewer than 10 cells, and no rows for one group."""
    there = ~np.isnan(values)
    order = np.argsort(values[there], kind="stable")
    cells, values = cells[there][order], values[there][order]
    groups = min(GROUPS, len(cells) // FEWEST)
    if groups < 2 or np.ptp(values) == 0:
        return pd.DataFrame(columns=list(COLUMNS))
    structure, borders = traits(cells), np.linspace(0, len(cells), groups + 1).round().astype(int)
    rows = []
    for start, end in itertools.pairwise(borders):
        part = structure.iloc[start:end]
        means = {operation: float(part[column].mean()) for operation, column in LIVE.items()}
        share = {"from_share": 100 * start / len(cells), "to_share": 100 * end / len(cells), "cells": end - start}
        rest = len(space.EDGES) - sum(means.values())
        rows.append({**share, "lowest": values[start], "highest": values[end - 1], **means, "none": rest})
    return pd.DataFrame(rows)[list(COLUMNS)]


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Stacked areas: how many of the six edges carry what, from the worst cells on the left to the best on the
    right."""
    with style():
        figure = new_figure(height=5.2)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2.6))
        borders = [table["from_share"].iloc[0], *table["to_share"]]
        above.stairs(table["highest"], borders, baseline=table["lowest"], fill=True, color=INK, alpha=0.75)
        above.set_ylabel(f"{facts.split}\naccuracy (%)")
        bottom = np.zeros(len(table))
        kinds = [*LIVE, "none"]
        for operation in kinds:
            top = bottom + table[operation].to_numpy()
            colour = COLOURS[operation] if operation != "none" else "#e6e9ed"
            label = NAMES.get(operation, "carries nothing")
            below.stairs(top, borders, baseline=bottom, fill=True, color=colour, label=label)
            bottom = top
        below.set(xlim=(0, 100), ylim=(0, len(space.EDGES)))
        below.set_ylabel("edges of a cell, mean")
        below.set_xlabel("cells by rank, the worst on the left (%)")
        below.grid(visible=False)
        figure.legend(
            *below.get_legend_handles_labels(), loc="outside lower center", ncols=len(kinds), columnspacing=1.4
        )
        cells = counted(int(table["cells"].max()), "cell")
        about = f"{len(table)} groups of up to {cells}; edges off every way to the output carry nothing"
        title = "What cells are made of, from the worst to the best"
        headline(figure, title, f"{facts.line(facts.split)}\n{about}")
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty:
        return f"What good and bad cells are made of cannot be told from {counted(facts.cells, 'cell')}."
    worst, best = table.to_dict("records")[0], table.to_dict("records")[-1]
    words = [f"{best[operation]:.1f} {NAMES[operation]}s against {worst[operation]:.1f}" for operation in LIVE]
    return f"The best group of {best['cells']} cells has, per cell, {', '.join(words)} in the worst group."
