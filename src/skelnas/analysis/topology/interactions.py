"""What two operations add together, beyond what each adds alone: the analysis `interactions` (`effects`)."""

import numpy as np
import pandas as pd
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from skelnas.analysis.landscape.anova import PAIRS, PER_PARAMETER
from skelnas.analysis.landscape.variance import EXACT
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import INK, MUTED, headline, new_figure, style
from skelnas.analysis.topology import effects
from skelnas.analysis.topology.main_effects import WORDS
from skelnas.cells import space
from skelnas.results.query import Benchmark
from skelnas.text import counted

SIZE = len(space.EDGES) * len(space.OPERATIONS)
NAMED = 6


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    return effects.interactions(benchmark.cells, benchmark.seed_means(facts_of(benchmark).split))


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Every operation on every edge against every other; the strongest pairs in words, in the empty triangle."""
    names = [(effects.name(edge), operation) for edge in range(len(space.EDGES)) for operation in space.OPERATIONS]
    place = {one: number for number, one in enumerate(names)}
    matrix = np.full((SIZE, SIZE), np.nan)
    rows = [place[one] for one in zip(table["other_edge"], table["other_operation"], strict=True)]
    columns = [place[one] for one in zip(table["edge"], table["operation"], strict=True)]
    matrix[rows, columns] = table["effect"]
    step, reach = len(space.OPERATIONS), effects.reach_of(table["effect"].to_numpy())
    with style():
        figure = new_figure(height=8.6)
        axes = figure.subplots()
        colours = SymLogNorm(linthresh=reach / 8, vmin=-reach, vmax=reach)  # most effects are far below the largest
        image = axes.imshow(matrix, cmap="PuOr_r", norm=colours, aspect="equal")
        for border in range(0, SIZE + 1, step):
            axes.plot([-0.5, border - 0.5], [border - 0.5] * 2, color="white", lw=2.5)
            axes.plot([border - 0.5] * 2, [border - 0.5, SIZE - 0.5], color="white", lw=2.5)
        words = [WORDS[operation] for _, operation in names]
        axes.set_xticks(range(SIZE), words, rotation=90, fontsize=7, color=INK)
        axes.set_yticks(range(SIZE), words, fontsize=7, color=INK)
        axes.set_xlim(-0.5, SIZE - step - 0.5)
        axes.set_ylim(SIZE - 0.5, step - 0.5)
        for edge in range(len(space.EDGES)):
            centre = edge * step + (step - 1) / 2
            label = effects.name(edge).replace(">", " → ")
            if edge < len(space.EDGES) - 1:
                axes.text(centre, SIZE + 2.0, label, ha="center", va="top", fontsize=10, color=INK, fontweight="bold")
            if edge:
                axes.text(-3.1, centre, label, ha="center", va="center", fontsize=10, color=INK, rotation=90,
                          fontweight="bold")  # fmt: skip
        axes.tick_params(length=0)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        lines = [_words(row) for row in strongest(table).to_dict("records")]
        axes.text(
            0.985, 0.985, "Strongest together\n\n" + "\n".join(lines), transform=axes.transAxes, ha="right", va="top",
            fontsize=8.5, linespacing=1.45,
        )  # fmt: skip
        ticks = [sign * reach * part for sign in (-1, 1) for part in (1, 0.5, 0.25, 0.125)] + [0]
        bar = figure.colorbar(
            image, ax=axes, pad=0.02, aspect=35, shrink=0.6, location="right", anchor=(0, 0), ticks=sorted(ticks),
            format=FuncFormatter(lambda value, _: f"{value:+.1f}".replace("-", "−")),
        )  # fmt: skip
        bar.minorticks_off()
        bar.set_label("points of accuracy beyond the two alone", color=MUTED)
        bar.outline.set_visible(False)
        headline(figure, "What two operations add together", f"{facts.line(facts.split)}\n{_sense(table)}")
    return figure


def strongest(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with the largest effects, whatever their sign; of a sample those whose interval leaves out 0."""
    sure = table["low"].isna() | (table["low"] > 0) | (table["high"] < 0)
    order = table["effect"][sure].abs().sort_values(ascending=False, kind="stable").index[:NAMED]
    return table.loc[order]


def _words(row: dict) -> str:
    one, other = (
        f"{WORDS[row['operation']]} on {row['edge']}",
        f"{WORDS[row['other_operation']]} on {row['other_edge']}",
    )
    return f"{one} with {other}: {row['effect']:+.1f}".replace("-", "−")


def _sense(table: pd.DataFrame) -> str:
    exact = table["method"].iloc[0] == EXACT
    return "exact: means of all cells" if exact else f"{table['method'].iloc[0]}; intervals are in the table"


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty:
        return (
            f"What operations add together cannot be told from {counted(facts.cells, 'cell')}: a regression with pairs "
            f"needs {PER_PARAMETER * PAIRS}."
        )
    found = strongest(table).to_dict("records")
    if not found:
        return f"No pair of operations can be told from nothing in this sample of {counted(facts.cells, 'cell')}."
    return f"The strongest pair is {_words(found[0])} points beyond the two alone ({table['method'].iloc[0]})."
