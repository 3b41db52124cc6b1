"""The Pareto front with its uncertainty: its cells are chosen on other numbers than those that are reported of them."""

import contextlib

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skelnas.analysis.cost.accuracy_and_cost import pareto_front
from skelnas.analysis.noise.comparison import rejected, worse_than
from skelnas.analysis.noise.measured import BOTH, SAMPLES, measured
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import ACCENT, MUTED, headline, legend_below, new_figure, style
from skelnas.errors import InputError
from skelnas.results import clock
from skelnas.results.query import Benchmark
from skelnas.text import counted

COSTS = {  # the label of its axis, and by what its numbers are divided there
    "parameters": ("parameters (M)", 1e6),
    "macs": ("multiply-accumulates (M)", 1e6),
    "seconds": ("seconds of training", 1),
}
TIMED = 30  # cells from which on measured seconds are looked at: they are as good as the machine was quiet
COLUMNS = ["cost", "index", "at", "chosen_at", "accuracy", "low", "high", "cells", "rivals", "by", "on"]


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """The front by each cost: parameters, multiply-accumulates, and seconds where 30 cells or more have them.

    One row for each cell of it, which is chosen `by` validation, or by the first seed (`chosen_at`): what it costs
    (`at`), its accuracy `on` test, or on the other seeds, with its 95 % interval (errors of seeds and of samples), how
    many cells have that cost or less, and how many of these cannot be told from it (`rivals`: one-sided tests, false
    discoveries held at 5 %).

    The interval is missing where there is nothing else to choose by: what was chosen for being high is too high then.
    """
    found = measured(benchmark)
    variances = found.errors()
    variance = variances.get(BOTH, variances[SAMPLES])
    chosen_by = found.accuracy if found.chosen_by is None else found.chosen_by
    known = ~np.isnan(found.accuracy) & ~np.isnan(variance) & ~np.isnan(chosen_by)
    if known.sum() < 3:
        return pd.DataFrame(columns=COLUMNS)
    costs = {"parameters": benchmark.parameters[known], "macs": benchmark.macs[known]}
    with contextlib.suppress(InputError):
        seconds = _seconds(benchmark)[known]
        if len(seconds) >= TIMED and not np.isnan(seconds).any():
            costs["seconds"] = seconds
    rows = [
        (name, *row, found.by, found.on)
        for name, cost in costs.items()
        for row in front(
            cost,
            chosen_by[known],
            found.accuracy[known],
            variance[known],
            benchmark.cells[known],
            found.chosen_by is not None,
        )
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def front(
    cost: np.ndarray,
    chosen_by: np.ndarray,
    accuracy: np.ndarray,
    variance: np.ndarray,
    cells: np.ndarray,
    independent: bool,
) -> list[tuple[float, ...]]:
    """Rows of `tabulate`, from `index` to `rivals`; all arrays are (cells,). Without `independent` no interval."""
    rows: list[tuple[float, ...]] = []
    for place in pareto_front(cost, chosen_by):
        half = 1.96 * np.sqrt(variance[place]) if independent else np.nan
        affordable = np.flatnonzero(cost <= cost[place])
        own = int(np.searchsorted(affordable, place))
        rest = np.arange(len(affordable)) != own
        told = rejected(worse_than(accuracy[affordable], variance[affordable], own)[rest])
        value = float(accuracy[place])
        rivals = int((~told).sum())
        ends = (value - half, value + half)
        rows.append((int(cells[place]), cost[place], chosen_by[place], value, *ends, len(affordable), rivals))
    return rows


def _seconds(benchmark: Benchmark) -> np.ndarray:
    """Mean seconds of a training of each cell, (cells,); missing where none was measured."""
    table = pd.Series({key: seconds for key, (seconds, _) in clock.measured(benchmark).items()})
    return table.groupby(level=0).mean().reindex(benchmark.cells).to_numpy()


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """A panel for each cost: the front as it was chosen, and what its cells reach on the other numbers."""
    costs = list(table["cost"].unique())
    by, on = table["by"].iloc[0], table["on"].iloc[0]
    with style():
        figure = new_figure(height=4.6)
        panels = figure.subplots(1, len(costs), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, costs, strict=True):
            _panel(axes, table[table["cost"] == name], name, by, on)
        panels[0].set_ylabel("top-1 accuracy (%)")
        legend_below(figure, panels[:1], 2)
        how = "the number beside a cell: how many of that cost or less cannot be told from it"
        headline(figure, "The best cell at a cost or less", f"{facts.line(facts.split)}\n{how}")
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, name: str, by: str, on: str) -> None:
    label, unit = COSTS[name]
    at, same = rows["at"] / unit, rows["low"].isna().all()
    if not same:
        axes.step(at, rows["chosen_at"], where="post", color=MUTED, lw=1, ls="--", label=f"chosen by: {by}")
    spread = None if same else np.stack([rows["accuracy"] - rows["low"], rows["high"] - rows["accuracy"]])
    words = f"chosen and measured on {on}: too high" if same else f"measured on {on}, 95 % interval"
    axes.errorbar(
        at, rows["accuracy"], yerr=spread, fmt="o", ms=4.5, color=ACCENT, elinewidth=1, capsize=2, label=words
    )
    shown = np.linspace(0, len(rows) - 1, min(6, len(rows))).round().astype(int)
    for row, x in zip(rows.iloc[shown].itertuples(), at.iloc[shown], strict=True):
        foot = row.accuracy if same else row.low
        axes.annotate(
            f"{row.rivals:,}", (x, foot), xytext=(0, -3), textcoords="offset points", ha="center", va="top", fontsize=7
        )
    axes.set_xlabel(label)


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The most accurate cell of the front by multiply-accumulates, and how many cannot be told from it."""
    if table.empty:
        return "Fewer than three cells have an accuracy with a known error, so nothing is known of the front."
    rows = table[table["cost"] == "macs"]
    last = rows.iloc[-1]
    ends = "" if np.isnan(last["low"]) else f" ({last['low']:.1f} to {last['high']:.1f})"
    luck = "" if ends else "; as it was chosen by these same numbers, that is too high"
    return (
        f"The front by multiply-accumulates, chosen by {last['by']}, has {counted(len(rows), 'cell')}; the dearest "
        f"({last['index']:.0f}) reaches {last['accuracy']:.1f} %{ends} on {last['on']}, and {last['rivals']:,.0f} of "
        f"{last['cells']:,.0f} cells cannot be told from it{luck}."
    )
