"""Accuracy by the shape of a cell: the analysis `shape`.

Columns of the table: kind ("depth and width" or one of GROUPS), group (in words), depth, width (of the first kind),
cells, mean, low, high (its 95 % interval, Student's t, missing for one cell), q05, q25, median, q75, q95, highest
(percent).
"""

import numpy as np
import pandas as pd
import scipy.stats
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.spread import QUANTILES, quantiles
from skelnas.analysis.style import (
    ACCENT,
    INK,
    MUTED,
    POINTS,
    VALUE_MAP,
    chance_line,
    headline,
    ink_on,
    new_figure,
    style,
)
from skelnas.analysis.topology.traits import traits
from skelnas.results.query import Benchmark
from skelnas.text import counted

COLUMNS = ("kind", "group", "depth", "width", "cells", "mean", "low", "high", *QUANTILES, "highest")
SHAPES = "depth and width"
GROUPS = ("all", "shortcut", "convolutions", "by name")


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    return by_shape(benchmark.cells, benchmark.seed_means(facts_of(benchmark).split))


def by_shape(cells: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """The table, of architecture indices and accuracies (cells,), NaN where missing; groups without a cell are left
    out."""
    there = ~np.isnan(values)
    table, values = traits(cells[there]), values[there]
    convolving = table["convolutions"] > 0
    alone, both = table["convolutions"] == 1, (table["input_convolutions"] >= 2) & (table["convolution_depth"] >= 2)
    other = convolving & ~alone & ~both & ~table["parallel"] & ~table["sequence"]
    groups = {
        ("all", "all cells"): np.ones(len(table), dtype=bool),
        ("shortcut", "convolutions and a shortcut"): convolving & table["shortcut"],
        ("shortcut", "convolutions, no shortcut"): convolving & ~table["shortcut"],
        ("convolutions", "one convolution"): alone,
        ("convolutions", "in parallel on the input"): table["parallel"] & ~alone,
        ("convolutions", "in sequence"): table["sequence"] & ~alone,
        ("convolutions", "in parallel and in sequence"): both,
        ("convolutions", "in parallel, not on the input"): other,
        ("by name", "ResNet's"): table["resnet"],
        ("by name", "skips only"): table["skip_only"],
        ("by name", "pools only"): table["pool_only"],
        ("by name", "input discarded"): table["input_discarding"],
    }
    rows = [
        {"kind": kind, "group": group, **_numbers(values[np.asarray(here)])}
        for (kind, group), here in groups.items()
        if np.any(here)
    ]
    for (depth, width), part in table.groupby(["depth", "width"]):
        if width:  # without a live edge there is no shape
            words = {"kind": SHAPES, "group": f"depth {depth}, width {width}", "depth": depth, "width": width}
            rows.append({**words, **_numbers(values[part.index])})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _numbers(values: np.ndarray) -> dict[str, float]:
    half = np.nan
    if len(values) > 1:
        half = scipy.stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    mean = float(values.mean())
    spread = quantiles(values)
    limits = {"mean": mean, "low": mean - half, "high": mean + half}
    return {"cells": len(values), **limits, **spread, "highest": float(values.max())}


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Left the mean accuracy by depth and width of the live graph, right its spread in groups of cells."""
    with style():
        figure = new_figure(height=5.0)
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.45))
        _draw_shapes(left, table[table["kind"] == SHAPES])
        groups = table[table["kind"] != SHAPES].to_dict("records")
        places, place = [], 0.0
        for number, row in enumerate(groups):
            place += 1 + 0.5 * (number > 0 and row["kind"] != groups[number - 1]["kind"])
            places.append(place)
        for place, row in zip(places, groups, strict=True):
            right.plot([row["q05"], row["q95"]], [place] * 2, color=POINTS, alpha=0.3, lw=9, solid_capstyle="butt")
            right.plot([row["q25"], row["q75"]], [place] * 2, color=POINTS, alpha=0.65, lw=9, solid_capstyle="butt")
            right.plot(row["median"], place, "|", color=INK, ms=11, mew=2.2)
            right.plot(row["highest"], place, "o", color=ACCENT, ms=5)
        chance_line(right, facts.chance, across=True)
        labels = [f"{row['group']} ({row['cells']:,})" for row in groups]
        right.set_yticks(places, labels, color=INK, fontsize=8.5)
        right.set_ylim(max(places) + 0.7, 0.3)
        right.tick_params(axis="y", length=0)
        right.grid(axis="y", visible=False)
        right.set_xlabel(f"{facts.split} top-1 accuracy (%)")
        right.set_title("Groups of cells (how many)")
        about = "depth: operations in sequence, skips not counted; width: live edges side by side; blue: 5 to 95 % of "
        about += "cells, and the middle half; line: median; orange: best"
        headline(figure, "The shape of a cell, and how accurate it is", f"{facts.line(facts.split)}\n{about}")
    return figure


def _draw_shapes(axes: Axes, table: pd.DataFrame) -> None:
    means, numbers = np.full((4, 4), np.nan), np.zeros((4, 4), dtype=int)
    for row in table.to_dict("records"):
        means[int(row["depth"]), int(row["width"]) - 1] = row["mean"]
        numbers[int(row["depth"]), int(row["width"]) - 1] = row["cells"]
    axes.imshow(np.ma.masked_invalid(means), cmap=VALUE_MAP, aspect="auto", origin="lower")
    low, high = np.nanmin(means, initial=np.inf), np.nanmax(means, initial=-np.inf)
    for depth, width in np.ndindex(4, 4):
        if not numbers[depth, width]:
            axes.text(width, depth, "no cell", ha="center", va="center", fontsize=8, color=MUTED)
            continue
        ink = ink_on(float(means[depth, width]), low, high)
        axes.text(width, depth + 0.08, f"{means[depth, width]:.1f}", ha="center", va="center", color=ink, fontsize=11)
        words = counted(int(numbers[depth, width]), "cell")
        axes.text(width, depth - 0.22, words, ha="center", va="center", color=ink, fontsize=7.5)
    axes.set_xticks(range(4), list("1234"))
    axes.set_yticks(range(4))
    axes.set_xlabel("width")
    axes.set_ylabel("depth")
    axes.set_title("Mean accuracy (%)")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def finding(table: pd.DataFrame, facts: Facts) -> str:
    groups = table.set_index("group")
    if table.empty or groups.loc["all cells", "cells"] < 2:
        return f"How accuracy depends on the shape of a cell cannot be told from {counted(facts.cells, 'cell')}."
    named = table[(table["kind"] != SHAPES) & (table["kind"] != "all") & (table["cells"] > 1)]
    if named.empty:
        return f"The {counted(facts.cells, 'cell')} fall into groups too small to compare."
    ordered = named.sort_values("mean", kind="stable").to_dict("records")
    words = [f"{row['group']} ({row['mean']:.1f} %, {counted(int(row['cells']), 'cell')})" for row in ordered]
    return f"On average the most accurate group of cells is: {words[-1]}; the least: {words[0]}."
