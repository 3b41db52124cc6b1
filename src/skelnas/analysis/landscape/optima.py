"""Local optima and the passes between them: the analysis `local-optima`.

Columns of the table, one row per peak as `peaks.peaks` has them, the highest first: cell, cells (of its plateau),
accuracy, basin, parent, pass, steps; seeds_tested, seeds_agreeing (of the seeds that every cell has, in how many the
cell is a weak local maximum too); and in every row alike strict_maxima and weak_maxima (cells that are one).
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skelnas.analysis.cell_drawing import draw_cell
from skelnas.analysis.landscape.peaks import maxima, peaks
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import ACCENT, INK, MUTED, POINTS, headline, new_figure, style
from skelnas.cells import space
from skelnas.cells.grid import grid_of, places_of
from skelnas.results.query import Benchmark
from skelnas.text import counted

COLUMNS = (
    *("cell", "cells", "accuracy", "basin", "parent", "pass", "steps"),
    *("seeds_tested", "seeds_agreeing", "strict_maxima", "weak_maxima"),
)
SHOWN, DRAWN = 26, 5


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    split = facts_of(benchmark).split
    return local_optima(benchmark.cells, benchmark.seed_means(split), benchmark.values(split))


def local_optima(cells: np.ndarray, values: np.ndarray, by_seed: np.ndarray) -> pd.DataFrame:
    """The table, of architecture indices, accuracies (cells,) and those of each seed (cells, seeds), NaN where missing.

    Without rows unless every cell is known: a cell whose neighbour is missing is no optimum that anybody could vouch
    for.
    """
    grid = grid_of(cells, values)
    if grid is None or np.ptp(grid) == 0:
        return pd.DataFrame(columns=list(COLUMNS))
    table = peaks(grid.ravel())
    places = places_of(table["cell"].to_numpy())
    grids = [one for seed in by_seed.T if (one := grid_of(cells, seed)) is not None]
    agreeing = [maxima(one.ravel())[1][places] for one in grids]
    strict, weak = maxima(grid.ravel())
    table["seeds_tested"] = len(grids)
    table["seeds_agreeing"] = np.sum(agreeing, axis=0) if grids else 0
    return table.assign(strict_maxima=strict.sum(), weak_maxima=weak.sum())[list(COLUMNS)]


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """The tree of passes between the highest peaks; below it the cells of the first few."""
    shown = table.head(SHOWN)
    drawn = shown.head(DRAWN)
    with style():
        figure = new_figure(height=7.4)
        above, below = figure.subfigures(2, 1, height_ratios=(3.1, 1), squeeze=False)[:, 0]
        _draw_tree(above.subplots(), shown, facts)
        for axes, (_, row) in zip(below.subplots(1, DRAWN).flat, drawn.iterrows(), strict=False):
            draw_cell(axes, space.cell(int(row["cell"])))
            axes.set_title(f"{int(row['cell'])}: {row['accuracy']:.2f} %", fontsize=9, loc="center", pad=4)
        for axes in below.axes[len(drawn) :]:
            axes.set_axis_off()
        first = table.to_dict("records")[0]
        number = f"{counted(int(first['strict_maxima']), 'strict local maximum').replace('maximums', 'maxima')}, "
        number += f"{first['weak_maxima']:,} weak"
        if len(shown) < len(table):
            number += f"; the {len(shown)} highest of {len(table):,} peaks are drawn"
        about = (
            f"{number}. Size: cells from which the steepest way up ends there. A line goes down to the pass over which "
            "a better peak is reached most easily; the number on it: edges that differ between the two cells."
        )
        headline(figure, "Peaks of the landscape, and the passes between them", f"{facts.line(facts.split)}\n{about}")
    return figure


def _draw_tree(axes: Axes, shown: pd.DataFrame, facts: Facts) -> None:
    place = dict(zip(_in_order(shown), range(len(shown)), strict=True))
    rows = {int(row["cell"]): row for _, row in shown.iterrows()}
    lowest = min([*shown["accuracy"], *shown["pass"].dropna()])
    span = float(shown["accuracy"].max() - lowest) or 1.0
    bottom = {cell: row["pass"] for cell, row in rows.items()}
    for cell, row in rows.items():
        deepest = min([row["pass"], *(bottom[other] for other, one in rows.items() if one["parent"] == cell)])
        if np.isnan(deepest):
            deepest = min([lowest, *(bottom[other] for other in rows if rows[other]["parent"] == cell)])
        axes.plot([place[cell]] * 2, [row["accuracy"], deepest], color=MUTED, lw=1.3, zorder=1, solid_capstyle="round")
        if row["parent"] in place:
            parent = place[int(row["parent"])]
            axes.plot([place[cell], parent], [row["pass"]] * 2, color=MUTED, lw=1.3, zorder=1)
            axes.annotate(
                f"{int(row['steps'])}", ((place[cell]), row["pass"]), xytext=(0, -10), textcoords="offset points",
                ha="center", fontsize=8, color=INK,
            )  # fmt: skip
    where = [place[int(cell)] for cell in shown["cell"]]
    sizes = 25 + 1400 * np.sqrt(shown["basin"] / space.CELLS) ** 1.5
    sure = (shown["seeds_tested"] > 1) & (shown["seeds_agreeing"] == shown["seeds_tested"])
    axes.scatter(where, shown["accuracy"], s=sizes, c=np.where(sure, ACCENT, POINTS), zorder=3, ec="white", lw=0.8)
    for x, (_, row), size in zip(where, shown.iterrows(), sizes, strict=True):
        axes.annotate(
            f"{int(row['cell'])}", (x, row["accuracy"]), xytext=(0, 4 + np.sqrt(size) / 2), textcoords="offset points",
            ha="center", fontsize=8, fontweight="bold" if row["parent"] < 0 else "normal",
            rotation=90 if len(shown) > 16 else 0,
        )  # fmt: skip
    tested = int(shown["seeds_tested"].iloc[0])
    if tested > 1 and sure.any():
        axes.scatter([], [], s=60, c=ACCENT, label=f"an optimum in each of {tested} seeds too")
        axes.legend(loc="upper right")
    axes.set_ylim(lowest - 0.07 * span, float(shown["accuracy"].max()) + (0.22 if len(shown) > 16 else 0.14) * span)
    axes.set_xlim(-0.8, len(shown) - 0.2)
    axes.set_xticks([])
    axes.grid(axis="x", visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_ylabel(f"{facts.split} top-1 accuracy (%)")


def _in_order(shown: pd.DataFrame) -> list[int]:
    """The cells from left to right so that the tree's lines do not cross: a peak, then those that join it last
    first."""
    children: dict[int, list[int]] = {}
    present = set(shown["cell"])
    for _, row in shown.sort_values("pass", ascending=False, kind="stable").iterrows():
        children.setdefault(int(row["parent"]) if row["parent"] in present else -1, []).append(int(row["cell"]))
    order: list[int] = []
    waiting = list(reversed(children.get(-1, [])))
    while waiting:
        cell = waiting.pop()
        order.append(cell)
        waiting += reversed(children.get(cell, []))
    return order


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty:
        return (
            f"Local optima cannot be told from {counted(facts.cells, 'cell')}: each needs its 24 neighbours, "
            f"so all {space.CELLS:,} cells with an accuracy."
        )
    first = table.to_dict("records")[0]
    agreeing = int(((table["seeds_tested"] > 0) & (table["seeds_agreeing"] == table["seeds_tested"])).sum())
    seeds = (
        f"; {agreeing} of {len(table)} peaks are optima in every one of {int(first['seeds_tested'])} complete seeds too"
        if first["seeds_tested"] > 1
        else ""
    )
    return (
        f"There are {first['strict_maxima']:,} strict and {first['weak_maxima']:,} weak local maxima; the steepest way "
        f"up ends at the best cell ({first['cell']}) from {100 * first['basin'] / space.CELLS:.1f} % of all{seeds}."
    )
