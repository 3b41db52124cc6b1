"""The Pareto front with its uncertainty: which cells may be the best at their cost or less, and how good that is."""

import contextlib

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skelnas.analysis.cost.accuracy_and_cost import pareto_front
from skelnas.analysis.noise.measured import BOTH, SAMPLES, measured
from skelnas.analysis.noise.shrinkage import DRAWS, SEED, shrink
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import ACCENT, INK, POINTS, headline, legend_below, new_figure, style
from skelnas.errors import InputError
from skelnas.results import clock
from skelnas.results.query import Benchmark
from skelnas.text import counted

COSTS = {  # the label of its axis, and by what its numbers are divided there
    "parameters": ("parameters (millions)", 1e6),
    "macs": ("multiply-accumulates per image (millions)", 1e6),
    "seconds": ("seconds of training, measured", 1),
}
COLUMNS = ["cost", "index", "at", "accuracy", "shrunk", "measured_front", "share", "low", "middle", "high"]
SELDOM = 0.01  # cells that are on the front in fewer of the draws are left out
ENDS = (5, 50, 95)  # percentiles of the draws


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """Per cost (parameters, multiply-accumulates, and seconds where they were measured) one row for each cell that is
    on the front as measured, or in a hundredth of the draws: what it costs (`at`), its accuracy, measured and shrunk
    (empirical Bayes), in what share of the draws it is on the front, and between which accuracies the best cell of that
    cost or less lies in 90 % of them."""
    found = measured(benchmark)
    variances = found.errors()
    variance = variances.get(BOTH, variances[SAMPLES])
    known = ~np.isnan(found.accuracy) & ~np.isnan(variance)
    if known.sum() < 3:
        return pd.DataFrame(columns=COLUMNS)
    accuracy = found.accuracy[known]
    mean, deviation = shrink(accuracy, variance[known])
    costs = {"parameters": benchmark.parameters[known], "macs": benchmark.macs[known]}
    with contextlib.suppress(InputError):
        seconds = _seconds(benchmark)[known]
        if not np.isnan(seconds).any():
            costs["seconds"] = seconds
    return pd.concat(
        [_rows(name, cost, benchmark.cells[known], accuracy, mean, deviation) for name, cost in costs.items()],
        ignore_index=True,
    )


def _seconds(benchmark: Benchmark) -> np.ndarray:
    """Mean seconds of a training of each cell, (cells,); missing where none was measured."""
    table = pd.Series({key: seconds for key, (seconds, _) in clock.measured(benchmark).items()})
    return table.groupby(level=0).mean().reindex(benchmark.cells).to_numpy()


def _rows(
    name: str, cost: np.ndarray, cells: np.ndarray, accuracy: np.ndarray, mean: np.ndarray, deviation: np.ndarray
) -> pd.DataFrame:
    share, best = front_in_draws(cost, mean, deviation)
    on_front = np.isin(np.arange(len(cells)), pareto_front(cost, accuracy))
    kept = np.flatnonzero(on_front | (share >= SELDOM))
    kept = kept[np.lexsort((cells[kept], cost[kept]))]
    ends = np.percentile(best[:, np.searchsorted(np.unique(cost), cost[kept])], ENDS, axis=0)
    columns = (name, cells[kept], cost[kept], accuracy[kept], mean[kept], on_front[kept], share[kept], *ends)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def front_in_draws(
    cost: np.ndarray, mean: np.ndarray, deviation: np.ndarray, draws: int = DRAWS, seed: int = SEED
) -> tuple[np.ndarray, np.ndarray]:
    """In what share of the draws each cell is on the front, (cells,), and the best accuracy at each cost or less, from
    the lowest of the distinct costs on: (draws, costs).

    cost: (cells,); mean, deviation: of each cell's true accuracy given what was measured (`shrink`), of which it is
    drawn, normally and independently of the others.
    """
    order = np.argsort(cost, kind="stable")
    firsts = np.flatnonzero(np.diff(cost[order], prepend=-np.inf))  # where each of the distinct costs begins
    random, counts = np.random.default_rng(seed), np.zeros(len(cost), dtype=np.int64)
    best = np.empty((draws, len(firsts)))
    for draw in range(draws):
        values = (mean + deviation * random.standard_normal(len(mean)))[order]
        highest = np.maximum.reduceat(values, firsts)
        best[draw] = np.maximum.accumulate(highest)
        better = np.concatenate([[True], best[draw][1:] > best[draw][:-1]])
        winners = np.repeat(np.where(better, highest, np.inf), np.diff(firsts, append=len(values)))
        counts[order[values >= winners]] += 1
    return counts / draws, best


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """A panel for each cost: the front with its interval, and the cells that may be on it, the likelier the larger."""
    costs = list(table["cost"].unique())
    with style():
        figure = new_figure(height=4.6)
        panels = figure.subplots(1, len(costs), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, costs, strict=True):
            _panel(axes, table[table["cost"] == name], name)
        panels[0].set_ylabel(f"{facts.split} top-1 accuracy (%)")
        legend_below(figure, panels[:1], 3)
        how = f"{DRAWS:,} draws of the cells' empirical-Bayes estimates, seed {SEED}"
        headline(figure, "Which cells may be the best at their cost", f"{facts.line(facts.split)}\n{how}")
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, name: str) -> None:
    label, unit = COSTS[name]
    steps = rows.drop_duplicates("at")
    at = steps["at"] / unit
    axes.fill_between(
        at, steps["low"], steps["high"], step="post", color=POINTS, alpha=0.25, lw=0, label="90 % of draws"
    )
    axes.step(at, steps["middle"], where="post", color=INK, lw=1.1, label="best at that cost or less (median)")
    axes.scatter(
        rows["at"] / unit,
        rows["shrunk"],
        s=6 + 90 * rows["share"],
        color=ACCENT,
        alpha=0.7,
        linewidths=0,
        zorder=3,
        label="a cell, larger if likelier on the front",
    )
    axes.set_xlabel(label)


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """How many cells may be on the front, and how many surely are."""
    if table.empty:
        return "Fewer than three cells have an accuracy with a known error, so nothing is known of the front."
    rows = table[table["cost"] == "macs"]
    measured_front, sure = rows["measured_front"].sum(), (rows["share"] >= 0.9).sum()
    return (
        f"By multiply-accumulates {counted(measured_front, 'cell')} lie on the front as measured; "
        f"{counted(len(rows), 'cell')} may, in a hundredth of the draws or more, and "
        f"{sure if sure else 'none'} {'does' if sure <= 1 else 'do'} in 90 % of them."
    )
