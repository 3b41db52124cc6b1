"""Mean accuracy of the cells that have an operation on an edge."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import INK, MUTED, VALUE_MAP, headline, ink_on, new_figure, style
from skelnas.analysis.topology.structure import by_operation_and_edge
from skelnas.cells import space
from skelnas.results.query import Benchmark
from skelnas.text import counted

OPERATION_LABELS = {
    "none": "none",
    "skip_connect": "skip",
    "nor_conv_1x1": "1×1 convolution",
    "nor_conv_3x3": "3×3 convolution",
    "avg_pool_3x3": "3×3 average pool",
}


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`structure.by_operation_and_edge` of the final accuracy."""
    column = f"{facts_of(benchmark).split}_top1"
    table = by_operation_and_edge(summary, column)
    return table if summary[column].notna().any() else table.iloc[:0]


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Heat map of the mean accuracy of the cells with an operation on an edge."""
    split = facts.split
    names = [f"{source}>{target}" for source, target in space.EDGES]
    means = table.pivot(index="operation", columns="edge", values="mean").loc[list(space.OPERATIONS), names].to_numpy()
    counts = (
        table.pivot(index="operation", columns="edge", values="cells").loc[list(space.OPERATIONS), names].to_numpy()
    )
    with style():
        figure = new_figure(height=4.6)
        axes = figure.subplots()
        equal = counts.min() == counts.max()
        image = axes.imshow(np.ma.masked_invalid(means), cmap=VALUE_MAP, aspect="auto")
        low, high = np.nanmin(means), np.nanmax(means)
        for row, column in np.ndindex(means.shape):
            if counts[row, column] == 0:
                axes.text(column, row, "no cell", ha="center", va="center", fontsize=8, color=MUTED)
                continue
            ink = ink_on(means[row, column], low, high)
            axes.text(
                column,
                row - 0.09 * (not equal),
                f"{means[row, column]:.1f} %",
                ha="center",
                va="center",
                color=ink,
                fontsize=11,
            )
            if not equal:
                number = counted(int(counts[row, column]), "cell")
                axes.text(column, row + 0.24, number, ha="center", va="center", color=ink, fontsize=7.5)
        axes.set_xticks(range(len(names)), [f"{name[0]} → {name[2]}" for name in names])
        axes.set_yticks(range(len(space.OPERATIONS)), [OPERATION_LABELS[name] for name in space.OPERATIONS])
        axes.tick_params(length=0, labelcolor=INK, labelsize=10)
        axes.set_xlabel("edge (0 is the cell's input, 3 its output)")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        bar = figure.colorbar(image, ax=axes, pad=0.02, aspect=25)
        bar.set_label(f"mean {split} top-1 accuracy (%)")
        bar.outline.set_visible(False)
        overall = np.nansum((means * counts)[:, 0]) / counts[:, 0].sum()
        each = f"  ·  {counts.min():,} cells in each field" if equal else ""
        about = f"{facts.line(split)}\nmean of all cells {overall:.1f} %  ·  chance {facts.chance:.1f} %{each}"
        headline(figure, "Mean accuracy by operation and edge", about)
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The operation and edge of the highest and of the lowest mean."""
    if table.empty:
        return "No cell has an accuracy after the last epoch."
    high, low = table.loc[table["mean"].idxmax()], table.loc[table["mean"].idxmin()]
    return (
        f"Cells with {OPERATION_LABELS[high['operation']]} on edge {high['edge']} are the best on average "
        f"({high['mean']:.1f} %), those with {OPERATION_LABELS[low['operation']]} on edge {low['edge']} the worst "
        f"({low['mean']:.1f} %); a mean over cells is no effect of one edge alone where not all cells were trained."
    )
