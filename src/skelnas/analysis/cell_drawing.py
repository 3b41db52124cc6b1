"""Drawings of cells: four nodes in a row, six edges coloured by operation, idle edges faint."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from skelnas.cells.edges import TrainedEdges, trained_edges
from skelnas.cells.space import EDGES, NODES, NONE, OPERATIONS, Cell

# Okabe and Ito's palette, which people with any colour vision tell apart: none blue, skip light blue, 1x1 green,
# 3x3 yellow (darkened to be read on white), pool red.
COLOURS = dict(zip(OPERATIONS, ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00"), strict=True))
DRAWN = OPERATIONS[1:]  # `none` has neither letters nor a colour in the legend: its dotted line says enough
LABELS = dict(zip(DRAWN, ("skip", "1×1", "3×3", "pool"), strict=True))
NAMES = dict(zip(DRAWN, ("skip", "1×1 convolution", "3×3 convolution", "3×3 average pool"), strict=True))
# The same hues, dark enough for small letters.
LETTERS = dict(zip(DRAWN, ("#2478AE", "#00724F", "#9A6700", "#AE4A00"), strict=True))

NODE_NAMES = ("in", "1", "2", "out")
RADIUS = 0.175  # of a node, where neighbours are 1 apart
LETTER_SIZE = 0.165
INK, PAPER, FAINT = "#333333", "#FFFFFF", 0.45
# Height of an edge's middle over the row of nodes, edge by edge in the order of EDGES: no two edges cross.
RISE = (0.0, 0.58, 0.0, 1.2, -0.58, 0.0)
LIMITS = ((-0.3, 3.3), (-0.9, 1.55))  # x, y

# Line width, style and opacity per kind of edge.
STYLES: dict[str, tuple[float, Any, float]] = {
    "signal": (2.2, "solid", 1.0),
    "bias": (1.6, (0, (3, 1.2, 1, 1.2)), 0.9),
    "idle": (1.3, (0, (3, 2)), FAINT),
    "none": (0.9, (0, (1, 2.5)), 0.6),
}


def draw_cell(axes: Axes, cell: Cell, title: str = "") -> None:
    """Draw `cell` into `axes`, whose frame and ticks are removed.

    Edges that carry the input to the output are solid; those that add only a learned constant (a convolution of an
    all-zero node and what follows it) are dash-dotted; edges without effect are dashed and faint, `none` is dotted.
    For the reduced graph draw `pruned(cell)`.
    """
    axes.set(xlim=LIMITS[0], ylim=LIMITS[1], aspect="equal")
    axes.set_axis_off()
    trained = trained_edges(cell)
    touched = {node for edge in trained.all for node in EDGES[edge]}
    circles = [_draw_node(axes, node, node in touched) for node in range(NODES)]
    for edge, digit in enumerate(cell):
        _draw_edge(axes, circles, edge, OPERATIONS[digit], _kind(edge, digit, trained))
    if title:
        axes.set_title(title, fontsize=9, color=INK, pad=3)


def _kind(edge: int, digit: int, trained: TrainedEdges) -> str:
    if digit == NONE:
        return "none"
    if edge in trained.signal:
        return "signal"
    return "bias" if edge in trained.all else "idle"


def _draw_edge(axes: Axes, circles: Sequence[Circle], edge: int, operation: str, kind: str) -> None:
    source, target = EDGES[edge]
    width, style, opacity = STYLES[kind]
    rise = RISE[edge]
    axes.add_patch(
        FancyArrowPatch(
            (source, 0),
            (target, 0),
            # A quadratic curve rises to half the height of its control point, which "arc3" counts downwards.
            connectionstyle=f"arc3,rad={-2 * rise / (target - source)}",
            arrowstyle="-|>" if kind != "none" else "-",
            mutation_scale=5 + 2 * width,
            patchA=circles[source],
            patchB=circles[target],
            shrinkA=1,
            shrinkB=1,
            linewidth=width,
            linestyle=style,
            color=COLOURS[operation],
            alpha=opacity,
            joinstyle="miter",
            capstyle="butt",
        )
    )
    if operation in DRAWN:
        opacity = 1.0 if kind in ("signal", "bias") else 0.8
        height = rise + (0.16 if rise >= 0 else -0.15)
        _write(axes, LABELS[operation], ((source + target) / 2, height), LETTERS[operation], opacity)


def _draw_node(axes: Axes, node: int, touched: bool) -> Circle:
    opacity = 1 if touched else FAINT
    circle = Circle((node, 0), RADIUS, facecolor=PAPER, edgecolor=INK, linewidth=1.2, alpha=opacity, zorder=3)
    axes.add_patch(circle)
    _write(axes, NODE_NAMES[node], (node, 0), INK, opacity)
    return circle


def _write(axes: Axes, words: str, centre: tuple[float, float], colour: str, opacity: float) -> None:
    """Letters that grow and shrink with the drawing, so that they keep clear of nodes and edges at any size."""
    path = TextPath((0, 0), words, size=LETTER_SIZE)
    box, x_height = path.get_extents(), TextPath((0, 0), "x", size=LETTER_SIZE).get_extents().ymax
    placed = path.transformed(Affine2D().translate(centre[0] - (box.x0 + box.x1) / 2, centre[1] - x_height / 2))
    axes.add_patch(PathPatch(placed, facecolor=colour, edgecolor="none", alpha=opacity, zorder=4))
