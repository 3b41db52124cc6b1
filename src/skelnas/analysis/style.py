"""The house style of every figure, and the one way to save one: the same figure gives the same bytes.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), told apart with every common colour-blindness; maps
of values use cividis, which reads the same with and without red-green vision.
"""

import itertools
import textwrap
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox

from skelnas.errors import InputError
from skelnas.files import whole_file

INK, MUTED, RULE = "#1f2933", "#616e7c", "#d9dee4"
SPLIT_COLOURS = {"train": "#009e73", "valid": "#d55e00", "test": "#0072b2"}
ACCENT = "#d55e00"
POINTS = "#0072b2"
VALUE_MAP = "cividis"
FEW = 15  # up to so many cells are shown as large, numbered points
FULL_WIDTH = 9.0  # inches; the width of a page of the report

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # shipped inside matplotlib, so text measures the same everywhere
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": True,
    "legend.edgecolor": "none",
    "legend.framealpha": 1.0,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "text.parse_math": False,  # a $ in a class name is a dollar; no axis of ours needs matplotlib's mathematics
    "svg.hashsalt": "skelnas",
    "svg.fonttype": "path",
}


def style() -> AbstractContextManager[None]:
    """The context in which figures are made: `with style(): ...`."""
    return matplotlib.rc_context(STYLE)


def new_figure(width: float = FULL_WIDTH, height: float = 5.0) -> Figure:
    """An empty figure of that many inches, laid out so that labels never overlap; it needs no display."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def headline(figure: Figure, title: str, facts: str = "", room: float = 0) -> float:
    """Write what is seen at the top left, and below it, smaller, what it was computed from.

    `room` inches below are left free; they begin at the height (share of the figure) that is returned.
    """
    width, height = figure.get_size_inches()
    facts = "\n".join(textwrap.fill(line, int(15 * width)) for line in facts.splitlines())
    lines = 1 + facts.count("\n") if facts else 0
    top = 1 - (0.42 + 0.17 * lines) / height
    figure.set_layout_engine("constrained", rect=(0, 0, 1, top - room / height), w_pad=0.08, h_pad=0.08)
    figure.text(0.012, 1 - 0.12 / height, title, fontsize=13, fontweight="bold", va="top", ha="left")
    figure.text(0.012, 1 - 0.38 / height, facts, fontsize=9, color=MUTED, va="top", ha="left", linespacing=1.35)
    return top


def words_instead(title: str, reason: str, facts: str = "") -> Figure:
    """A figure that says in a sentence why there is nothing to be drawn."""
    with style():
        figure = new_figure(height=1.9)
        axes = figure.subplots()
        axes.set_axis_off()
        axes.text(0.5, 0.5, textwrap.fill(reason, 90), ha="center", va="center", fontsize=11, color=MUTED)
        headline(figure, title, facts)
    return figure


def chance_line(axes: Axes, chance: float, across: bool = False, **changes: Any) -> None:
    """A dashed line at the accuracy of guessing (percent): horizontal, or with `across` vertical."""
    look: dict[str, Any] = {"color": MUTED, "lw": 1, "ls": (0, (4, 3)), "label": f"chance, {chance:.1f} %", **changes}
    (axes.axvline if across else axes.axhline)(chance, **look)


def legend_below(figure: Figure, panels: Iterable[Axes], columns: int) -> None:
    """One legend for all of several panels, below them."""
    found = [axes.get_legend_handles_labels() for axes in panels]
    handles, labels = (list(itertools.chain(*part)) for part in zip(*found, strict=True))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)


def ink_on(value: float, low: float, high: float) -> str:
    """The colour of letters on a field of `VALUE_MAP` from `low` to `high`; these exchanged: of the reversed map."""
    bright = (value - min(low, high)) / (abs(high - low) or 1)
    return "white" if (bright > 0.55 if low > high else bright <= 0.55) else INK


def save_figure(figure: Figure, *paths: Path | str) -> None:
    """Write a figure as `.svg` or `.png`, whole or not at all, without date, so that equal figures are equal files.

    Raises:
        InputError: the name ends in something else, or the disk refuses the file.
    """
    for path in map(Path, paths):
        _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    metadata = {".svg": {"Date": None, "Creator": "skelnas"}, ".png": {"Software": "skelnas"}}
    if path.suffix not in metadata:
        raise InputError(f"{path}: figures are saved as .svg or .png, not as {path.suffix or 'a file without ending'}")
    with style(), whole_file(path) as temporary:
        _settle(figure)
        figure.savefig(temporary, format=path.suffix[1:], metadata=metadata[path.suffix])


def _settle(figure: Figure) -> None:
    """Lay the figure out once, and round the places of its parts to a millionth of its size.

    The solver of the layout leaves their last bits to chance, and svg names clip paths after all bits.
    """
    if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for axes in figure.axes:
            axes.set_position(Bbox(axes.get_position(original=True).get_points().round(6)))
