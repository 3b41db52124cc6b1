"""What each operation adds on each edge, drawn on the cell itself: the analysis `main-effects` (`effects`)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch

from skelnas.analysis.cell_drawing import COLOURS, INK, LABELS, NODE_NAMES
from skelnas.analysis.landscape.anova import MAIN, PER_PARAMETER
from skelnas.analysis.landscape.variance import EXACT
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import MUTED, headline, new_figure, style
from skelnas.analysis.topology import effects
from skelnas.cells import space
from skelnas.results.query import Benchmark
from skelnas.text import counted

WORDS = {**LABELS, "none": "none"}
WIDTH, HEIGHT = 9.0, 6.9  # all lengths in inches
CENTRES, ROW = (0.45, 3.15, 5.85, 8.55), 2.15  # of the nodes
RISES = (0.0, 1.62, 0.0, 3.05, -1.42, 0.0)  # of the middle of each edge over the row of nodes
PANEL = (1.5, 1.1)


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    return effects.main_effects(benchmark.cells, benchmark.seed_means(facts_of(benchmark).split))


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Six panels in the places of the edges of a cell, each with a bar for every operation."""
    exact = table["method"].iloc[0] == EXACT
    low, high = ("effect", "effect") if exact else ("low", "high")
    bottom, top = min(0.0, table[low].min()), max(0.0, table[high].max())
    pad = 0.16 * (top - bottom or 1.0)
    with style():
        figure = new_figure(WIDTH, HEIGHT)
        figure.set_layout_engine("none")
        frame = figure.add_axes((0, 0, 1, 1))
        _draw_frame(frame)
        for place, edge in enumerate(table["edge"].unique()):
            axes = figure.add_axes(_place(place))
            _draw_edge(axes, table[table["edge"] == edge], exact)
            axes.set_ylim(bottom - pad, top + pad)
        sense = "exact means of all cells" if exact else f"{table['method'].iloc[0]}, 95 % intervals"
        about = f"points of {facts.split} accuracy above or below the mean, {table['mean'].iloc[0]:.1f} %; {sense}"
        headline(figure, "What an operation adds, edge by edge", f"{facts.line(facts.split)}\n{about}")
        figure.set_layout_engine("none")
    return figure


def _place(edge: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of the panel of an edge, in parts of the figure: on the middle of its arrow."""
    source, target = space.EDGES[edge]
    x, y = (CENTRES[source] + CENTRES[target]) / 2, ROW + RISES[edge]
    return (x - PANEL[0] / 2) / WIDTH, (y - PANEL[1] / 2) / HEIGHT, PANEL[0] / WIDTH, PANEL[1] / HEIGHT


def _draw_frame(axes: Axes) -> None:
    """The four nodes and, faintly, the six edges behind the panels."""
    axes.set_axis_off()
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    circles = [
        axes.add_patch(Circle((x, ROW), 0.24, facecolor="white", edgecolor=INK, lw=1.4, zorder=3)) for x in CENTRES
    ]
    for x, words in zip(CENTRES, NODE_NAMES, strict=True):
        axes.text(x, ROW, words, ha="center", va="center", fontsize=10, color=INK, zorder=4)
    for (source, target), rise in zip(space.EDGES, RISES, strict=True):
        bend = -2 * rise / (CENTRES[target] - CENTRES[source])  # a quadratic curve rises to half its control point
        look: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 16, "lw": 2.4, "color": "#c9d0d8", "zorder": 1}
        ends: dict[str, Any] = {"patchA": circles[source], "patchB": circles[target]}
        start, end = (CENTRES[source], ROW), (CENTRES[target], ROW)
        axes.add_patch(FancyArrowPatch(start, end, connectionstyle=f"arc3,rad={bend}", **look, **ends))


def _draw_edge(axes: Axes, table: pd.DataFrame, exact: bool) -> None:
    values = table["effect"].to_numpy()
    operations = table["operation"].tolist()
    axes.patch.set(facecolor="white", edgecolor="#dfe4e9", linewidth=1)
    axes.bar(range(len(values)), values, color=[COLOURS[one] for one in operations], width=0.8, zorder=2)
    ends = values, values
    if not exact:
        ends = table["low"].to_numpy(), table["high"].to_numpy()
        spread = np.stack([values - ends[0], ends[1] - values])
        axes.errorbar(range(len(values)), values, yerr=spread, fmt="none", ecolor=INK, elinewidth=0.9, capsize=2)
    for place, (value, low, high) in enumerate(zip(values, *ends, strict=True)):
        end, side = (high, "bottom") if value >= 0 else (low, "top")
        words = f"{round(value, 1) + 0.0:+.1f}".replace("-", "−")
        axes.annotate(
            words, (place, end), xytext=(0, 2 if value >= 0 else -2), textcoords="offset points", ha="center", va=side,
            fontsize=7.5,
        )  # fmt: skip
    axes.axhline(0, color=MUTED, lw=0.9)
    axes.set_xticks(range(len(values)), [WORDS[one] for one in operations], fontsize=7.5, color=INK)
    axes.tick_params(length=0, pad=2)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set(visible=True, color="#dfe4e9")
    edge = table["edge"].iloc[0]
    source, target = NODE_NAMES[int(edge[0])], NODE_NAMES[int(edge[2])]
    axes.set_title(f"{source} → {target}", fontsize=8.5, loc="center", pad=3, color=INK)


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty:
        return (
            f"What an operation adds cannot be told from {counted(facts.cells, 'cell')}: a regression needs "
            f"{PER_PARAMETER * MAIN}, and each operation on each edge among them."
        )
    exact = table["method"].iloc[0] == EXACT
    ordered = table.sort_values("effect", kind="stable").to_dict("records")
    words = [
        f"{WORDS[row['operation']]} on {row['edge']} ({row['effect']:+.1f}"
        + ("" if exact else f", 95 % interval {row['low']:+.1f} to {row['high']:+.1f}")
        + ")"
        for row in (ordered[-1], ordered[0])
    ]
    sense = "exact, of all cells" if exact else f"from a sample of {counted(facts.cells, 'cell')}"
    return f"The most is gained by {words[0]} and lost by {words[1]}, in points of accuracy; {sense}."
