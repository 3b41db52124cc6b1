"""Final accuracy against the size and the cost of the network, with the Pareto front."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import ACCENT, FEW, INK, chance_line, headline, new_figure, style
from skelnas.cells import space
from skelnas.cells.edges import convolution_depth
from skelnas.results.query import Benchmark
from skelnas.text import counted

# NAS-Bench-201's own example of a hand-made cell: the basic block of a ResNet.
RESNET_CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
DEPTH_COLOURS = ("#a5adb8", "#f0a860", "#d9622b", "#5b2a86")  # light to dark: 0..3 convolutions in sequence
DEPTH_NAMES = ("no convolution", "1 convolution", "2 convolutions in sequence", "3 convolutions in sequence")


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """One row per cell with an accuracy: its index, parameters, MACs and accuracy (seed mean), how many convolutions
    follow each other on the longest way from input to output, and for both costs whether it is on the Pareto front."""
    accuracy = f"{facts_of(benchmark).split}_top1"
    table = summary.loc[summary[accuracy].notna(), ["index", "parameters", "macs", accuracy]].reset_index(drop=True)
    table["convolution_depth"] = [convolution_depth(space.cell(int(index))) for index in table["index"]]
    for cost in ("parameters", "macs"):
        front = pareto_front(table[cost].to_numpy(), table[accuracy].to_numpy())
        table[f"{cost}_front"] = np.isin(np.arange(len(table)), front)
    return table


def pareto_front(cost: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Positions of the cells that no other cell beats in one of (lower cost, higher accuracy) and equals in the other.

    Ascending by cost; of cells equal in both the first is kept. Cells without an accuracy (NaN) are left out.
    """
    order = np.lexsort((-accuracy, cost))
    order = order[~np.isnan(accuracy[order])]
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(accuracy[order])[:-1]])
    return order[accuracy[order] > best_before]


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Final accuracy against parameters and against MACs, with the Pareto front and, if among the cells, ResNet's."""
    split, accuracy = facts.split, table[f"{facts.split}_top1"].to_numpy()
    depth = table["convolution_depth"].to_numpy()
    with style():
        figure = new_figure(height=4.8)
        panels = figure.subplots(1, 2, sharey=True)
        for axes, column, label in zip(
            panels,
            ("parameters", "macs"),
            ("parameters (millions)", "multiply-accumulates per image (millions)"),
            strict=True,
        ):
            front = np.flatnonzero(table[f"{column}_front"])
            front = front[np.argsort(table[column].to_numpy()[front], kind="stable")]
            _cost_panel(axes, table["index"].to_numpy(), table[column].to_numpy() / 1e6, accuracy, depth, front)
            chance_line(axes, facts.chance)
            axes.set_xlabel(label)
            axes.set_ylim(0, 100)
        panels[0].set_ylabel(f"{split} top-1 accuracy (%)")
        legend = figure.legend(
            *panels[0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=4,
            handletextpad=0.4,
            columnspacing=1.4,
        )
        for mark in legend.legend_handles:
            if isinstance(mark, PathCollection):
                mark.set(sizes=[mark.get_sizes()[0].clip(30, 110)], alpha=1)
        spread = "" if len(table) <= FEW else "\npoints of equal cost are spread sideways a little"
        headline(figure, "Accuracy against the size and the cost of the network", facts.line(split) + spread)
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """How cheap a cell is that comes within one point of the best."""
    if table.empty:
        return "No cell has an accuracy after the last epoch."
    accuracy = table[f"{facts.split}_top1"]
    best = table.loc[accuracy.idxmax()]
    near = table[accuracy >= accuracy.max() - 1]
    cheap = near.loc[near["macs"].idxmin()]
    return (
        f"The best cell ({best['index']:.0f}) reaches {accuracy.max():.1f} % ({facts.split}) with "
        f"{best['macs'] / 1e6:.1f} million multiply-accumulates an image; the cheapest of those within one point of it "
        f"({counted(len(near), 'cell')}) is {cheap['index']:.0f} with {cheap['macs'] / 1e6:.1f} million."
    )


def _cost_panel(
    axes: Axes, index: np.ndarray, cost: np.ndarray, accuracy: np.ndarray, depth: np.ndarray, front: np.ndarray
) -> None:
    few = len(index) <= FEW
    shown_at = cost if few else cost + _sideways(index, cost)
    for level in np.unique(depth):
        here = depth == level
        axes.scatter(
            shown_at[here],
            accuracy[here],
            s=40 if few else 14 if len(index) <= 500 else 5,
            c=DEPTH_COLOURS[level],
            alpha=1 if few else 0.45,
            linewidths=0,
            rasterized=not few,
            label=f"{DEPTH_NAMES[level]} ({here.sum():,})",
        )
    axes.step(cost[front], accuracy[front], where="post", color=INK, lw=1.1, label="best at that cost or less")
    if few:
        _number_points(axes, index, cost, accuracy)
    for position in np.flatnonzero(index == space.index(space.parse(RESNET_CELL))):
        label = f"ResNet cell ({index[position]}): {accuracy[position]:.1f} %"
        star: dict[str, Any] = {
            "marker": "*",
            "s": 230,
            "c": ACCENT,
            "edgecolors": "white",
            "linewidths": 1.2,
            "zorder": 5,
        }
        axes.scatter(cost[position], accuracy[position], label=label, **star)


def _number_points(axes: Axes, index: np.ndarray, cost: np.ndarray, accuracy: np.ndarray) -> None:
    """Write each cell's index beside its point, on the side where it meets the fewest points and other labels."""
    points = np.stack([(cost - cost.min()) / (np.ptp(cost) or 1), accuracy / 100], axis=1)  # in parts of the panel
    taken = [(x - 0.012, y - 0.015, x + 0.012, y + 0.015) for x, y in points]
    sides = [(5, 4, "left"), (5, -11, "left"), (-5, 4, "right"), (-5, -11, "right")]  # offsets in points of type
    for position in np.lexsort((accuracy, cost)):
        boxes = []
        for right, up, _ in sides:
            width, bottom = 0.02 + 0.017 * len(str(index[position])), points[position, 1] + (0.01 if up > 0 else -0.055)
            left = points[position, 0] + (0 if right > 0 else -width)
            boxes.append((left, bottom, left + width, bottom + 0.045))
        met = [sum(_overlap(box, other) for other in taken) for box in boxes]
        right, up, side = sides[int(np.argmin(met))]
        taken.append(boxes[int(np.argmin(met))])
        place: dict[str, Any] = {"xytext": (right, up), "textcoords": "offset points", "ha": side}
        axes.annotate(str(index[position]), (cost[position], accuracy[position]), fontsize=8, **place)


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _sideways(index: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Cost takes few values: shifts that spread equal costs a little, each cell by its index, the same every time."""
    steps = np.diff(np.unique(cost))
    width = 0.8 * min(steps.min(), np.ptp(cost) / 40) if len(steps) else 0.0
    return width * (index * 0.6180339887 % 1 - 0.5)
