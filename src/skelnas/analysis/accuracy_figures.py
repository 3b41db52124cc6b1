"""Figures of accuracy: mean learning curves, distribution over cells, accuracy against cost. In percent."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from skelnas.analysis.distribution import ecdf, pareto_front
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import ACCENT, INK, MUTED, SPLIT_COLOURS, headline, new_figure, style
from skelnas.cells import space
from skelnas.cells.edges import convolution_depth

# NAS-Bench-201's own example of a hand-made cell: the basic block of a ResNet.
RESNET_CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
DEPTH_COLOURS = ("#a5adb8", "#f0a860", "#d9622b", "#5b2a86")  # light to dark: 0..3 convolutions in sequence
DEPTH_NAMES = ("no convolution", "1 convolution", "2 convolutions in sequence", "3 convolutions in sequence")
FEW = 15  # up to so many cells are shown as large, numbered points


def learning_curves(curves: dict[str, pd.DataFrame], facts: Facts) -> Figure:
    """Mean accuracy of all cells after each epoch, with quantiles over the cells; one panel per split.

    `curves` holds `distribution.mean_curves` of each split's top-1.
    """
    with style():
        figure = new_figure(height=4.4)
        panels = figure.subplots(1, len(curves), sharey=True)
        for axes, (split, table) in zip(panels, curves.items(), strict=True):
            colour, epochs = SPLIT_COLOURS[split], table["epoch"]
            dot = {"marker": "o", "markersize": 4} if len(table) <= FEW else {}
            if facts.cells > 1:
                axes.fill_between(
                    epochs, table["q05"], table["q95"], color=colour, alpha=0.14, lw=0, label="5 to 95 % of cells"
                )
                axes.fill_between(
                    epochs, table["q25"], table["q75"], color=colour, alpha=0.28, lw=0, label="middle half of cells"
                )
            for position, seed in enumerate(facts.seeds if len(facts.seeds) > 1 else ()):
                label = "mean, each seed" if position == 0 else None
                axes.plot(epochs, table[f"mean_seed{seed}"], color=INK, lw=0.7, ls=(0, (1, 1)), label=label)
            axes.plot(epochs, table["mean"], color=colour, label="mean of all cells", **dot)
            _chance_line(axes, facts)
            axes.set_title(f"{split}: {table['mean'].iloc[-1]:.1f} % at the end", color=colour)
            axes.set_xlabel("epoch")
            axes.set_xlim(epochs.iloc[0] - (len(table) == 1) * 0.5, epochs.iloc[-1] + (len(table) == 1) * 0.5)
            axes.set_ylim(0, 100)
            axes.xaxis.get_major_locator().set_params(integer=True)
        panels[0].set_ylabel("top-1 accuracy (%)")
        handles, labels = panels[-1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), columnspacing=1.6)
        headline(figure, "Mean learning curves over all cells", facts.line(*curves))
    return figure


def accuracy_distribution(summary: pd.DataFrame, facts: Facts) -> Figure:
    """Empirical distribution of the final accuracy over cells, one step curve per split."""
    with style():
        figure = new_figure(height=4.6)
        axes = figure.subplots()
        for split, colour in SPLIT_COLOURS.items():
            values = summary[f"{split}_top1"].dropna().to_numpy()
            if not len(values):
                continue  # nobody has this split
            steps = ecdf(values)
            axes.step(
                np.concatenate([[0], steps["value"], [100]]),
                np.concatenate([[0], steps["share"], [100]]),
                where="post",
                color=colour,
                label=f"{split}: median {np.median(values):.1f} %, best {values.max():.1f} %",
            )
        axes.axvline(facts.chance, color=MUTED, lw=1, ls=(0, (4, 3)), label=f"chance, {facts.chance:.1f} %")
        axes.set(xlim=(0, 100), ylim=(0, 101))
        axes.set_xlabel("top-1 accuracy after the last epoch (%)")
        axes.set_ylabel("cells at most that accurate (%)")
        axes.legend(loc="upper left")
        headline(figure, "Distribution of final accuracy over cells", facts.line(*SPLIT_COLOURS))
    return figure


def accuracy_and_cost(summary: pd.DataFrame, facts: Facts, split: str = "test") -> Figure:
    """Final accuracy against parameters and against MACs, with the Pareto front and, if among the cells, ResNet's.

    Colour tells how many convolutions follow each other on the longest way from input to output.
    """
    accuracy = summary[f"{split}_top1"].to_numpy()
    depth = np.array([convolution_depth(space.cell(int(index))) for index in summary["index"]])
    with style():
        figure = new_figure(height=4.8)
        panels = figure.subplots(1, 2, sharey=True)
        for axes, column, label in zip(
            panels,
            ("parameters", "macs"),
            ("parameters (millions)", "multiply-accumulates per image (millions)"),
            strict=True,
        ):
            _cost_panel(axes, summary["index"].to_numpy(), summary[column].to_numpy() / 1e6, accuracy, depth)
            _chance_line(axes, facts)
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
        spread = "" if len(summary) <= FEW else "\npoints of equal cost are spread sideways a little"
        headline(figure, "Accuracy against the size and the cost of the network", facts.line(split) + spread)
    return figure


def _cost_panel(axes: Axes, index: np.ndarray, cost: np.ndarray, accuracy: np.ndarray, depth: np.ndarray) -> None:
    few = len(index) <= FEW
    shown_at = cost if few else cost + _sideways(index, cost)
    for level in np.unique(depth):
        here = depth == level
        axes.scatter(
            shown_at[here],
            accuracy[here],
            s=40 if few else 5,
            c=DEPTH_COLOURS[level],
            alpha=1 if few else 0.45,
            linewidths=0,
            rasterized=not few,
            label=f"{DEPTH_NAMES[level]} ({here.sum():,})",
        )
    front = pareto_front(cost, accuracy)
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


def _chance_line(axes: Axes, facts: Facts) -> None:
    axes.axhline(facts.chance, color=MUTED, lw=1, ls=(0, (4, 3)), label=f"chance, {facts.chance:.1f} %")
