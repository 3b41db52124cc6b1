"""What one more convolution brings: an edge's operation is replaced by a convolution, and nothing else changes."""

import numpy as np
import pandas as pd
import scipy.stats
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skelnas.analysis.cell_drawing import COLOURS, LABELS, NODE_NAMES
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import MUTED, headline, legend_below, new_figure, style
from skelnas.cells import grid, space
from skelnas.results.query import Benchmark

BEFORE, EDGE, ALL = "convolutions before", "edge", "all"
CONVOLUTIONS = (space.CONV1, space.CONV3)
OTHERS = (space.NONE, space.SKIP, space.POOL)
FEWEST = 5  # pairs of cells that a mean is given of
COLUMNS = [
    "in_place_of", "convolution", "by", "value", "pairs", "gain", "low", "high", "helps", "parameters", "macs",
    "gain_per_million_macs",
]  # fmt: skip


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`gains` in points of accuracy after the last epoch."""
    accuracy = benchmark.seed_means(facts_of(benchmark).split)
    known = ~np.isnan(accuracy)
    costs = np.stack([benchmark.parameters, benchmark.macs], axis=1)
    return gains(benchmark.cells[known], accuracy[known], costs[known])


def gains(cells: np.ndarray, accuracy: np.ndarray, costs: np.ndarray) -> pd.DataFrame:
    """Mean difference of accuracy over pairs of cells that differ on one edge alone, with another operation in the one
    and a convolution in the other.

    Over all pairs, by the number of convolutions that the first of them has (`by`: convolutions before), and by edge.
    With a 95 % interval of the mean (`_row`), the share of pairs in which the convolution is better, and the
    mean of what it adds to parameters and multiply-accumulates. cells, accuracy: (n,); costs: (n, 2).
    """
    digits = grid.digits_of(cells)
    row_of = np.full(space.CELLS, -1)
    row_of[cells] = np.arange(len(cells))
    before = np.isin(digits, CONVOLUTIONS).sum(axis=1)
    rows = []
    for other in OTHERS:
        for convolution in CONVOLUTIONS:
            pairs = [_pairs(digits, row_of, edge, other, convolution) for edge in range(grid.EDGES)]
            first, second = (np.concatenate([pair[end] for pair in pairs]) for end in (0, 1))
            edge_of = np.repeat(np.arange(grid.EDGES), [len(pair[0]) for pair in pairs])
            better, added = accuracy[second] - accuracy[first], costs[second] - costs[first]
            names = (space.OPERATIONS[other], space.OPERATIONS[convolution])
            groups = [(ALL, "all", np.ones(len(better), dtype=bool))]
            groups += [(BEFORE, str(count), before[first] == count) for count in range(grid.EDGES)]
            groups += [(EDGE, "{}>{}".format(*space.EDGES[edge]), edge_of == edge) for edge in range(grid.EDGES)]
            rows += [
                (*names, by, value, *_row(better[here], added[here], np.stack([first[here], second[here]])))
                for by, value, here in groups
                if here.sum() >= FEWEST
            ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table if (table["by"] != ALL).any() else table.iloc[:0]  # so few pairs tell nothing that could be drawn


def _pairs(
    digits: np.ndarray, row_of: np.ndarray, edge: int, other: int, convolution: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the cells with `other` on that edge, and of those that have the convolution there and are equal else."""
    first = np.flatnonzero(digits[:, edge] == other)
    changed = digits[first].copy()
    changed[:, edge] = convolution
    second = row_of[grid.cells_of(changed)]
    return first[second >= 0], second[second >= 0]


def _row(better: np.ndarray, added: np.ndarray, ends: np.ndarray) -> tuple[float, ...]:
    """`pairs` to `gain_per_million_macs` of differences (pairs,), of what they cost (pairs, 2), and of their cells
    (2, pairs).

    The error allows for pairs that share a cell (Aronow, Samii and Assenova, Political Analysis 2015).
    """
    pairs, mean = len(better), better.mean()
    off = better - mean
    of_cell = np.bincount(ends.ravel(), np.concatenate([off, off]))
    alone = (off**2).sum()
    variance = max(alone * pairs / (pairs - 1), (of_cell**2).sum() - alone) / pairs**2
    half = scipy.stats.t.ppf(0.975, pairs - 1) * np.sqrt(variance)
    parameters, macs = added.mean(axis=0)
    share = float((better > 0).mean())
    return (pairs, mean, mean - half, mean + half, share, parameters, macs, mean / (macs / 1e6))


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """A row of panels for each convolution: the gain by the convolutions before, and by edge."""
    convolutions = list(table["convolution"].unique())
    with style():
        figure = new_figure(height=3.1 * len(convolutions) + 0.9)
        panels = figure.subplots(len(convolutions), 2, sharey="row", squeeze=False)
        for (left, right), convolution in zip(panels, convolutions, strict=True):
            rows = table[table["convolution"] == convolution]
            for axes, by, label in ((left, BEFORE, "convolutions that the cell had"), (right, EDGE, "edge")):
                _panel(axes, rows[rows["by"] == by], label)
            left.set_ylabel(f"points gained by a {LABELS[convolution]}")
        legend_below(figure, panels[0, :1], 3)
        headline(figure, "What one more convolution brings", f"{facts.line(facts.split)}\nmeans with 95 % intervals")
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, label: str) -> None:
    values = sorted(rows["value"].unique())
    others = [name for name in (space.OPERATIONS[other] for other in OTHERS) if name in set(rows["in_place_of"])]
    for place, name in enumerate(others):
        here = rows[rows["in_place_of"] == name]
        x = np.array([values.index(value) for value in here["value"]]) + 0.16 * (place - (len(others) - 1) / 2)
        spread = np.stack([here["gain"] - here["low"], here["high"] - here["gain"]])
        axes.errorbar(
            x, here["gain"], yerr=spread, fmt="o", ms=4.5, color=COLOURS[name], elinewidth=1.2, capsize=2,
            label=f"in place of {LABELS.get(name, name)}",
        )  # fmt: skip
    axes.axhline(0, color=MUTED, lw=0.9)
    axes.set_xticks(range(len(values)), [_named(value) for value in values])
    axes.set_xlim(-0.5, max(len(values), 1) - 0.5)
    axes.set_xlabel(label)


def _named(value: str) -> str:
    """An edge as people write it, a number of convolutions as it is."""
    return " → ".join(NODE_NAMES[int(node)] for node in value.split(">")) if ">" in value else value


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """What the first 3x3 convolution in place of nothing brings, and what a later one does."""
    name = space.OPERATIONS[space.CONV3]
    rows = table[(table["convolution"] == name) & (table["in_place_of"] == space.OPERATIONS[space.NONE])]
    if rows.empty:
        return (
            f"There are fewer than {FEWEST} pairs of cells that differ by one convolution in place of nothing, so what "
            "it brings is not known."
        )
    total, counts = rows[rows["by"] == ALL].iloc[0], rows[rows["by"] == BEFORE]
    words = (
        f"A 3x3 convolution in place of nothing changes the accuracy by {_points(total)} on average, and for the "
        f"better in {100 * total['helps']:.0f} % of {total['pairs']:,.0f} pairs"
    )
    if len(counts) < 2:
        return f"{words}."
    first, last = counts.iloc[0], counts.iloc[-1]
    return (
        f"{words}; {_points(first)} in cells with {first['value']} convolutions, {_points(last)} with {last['value']}."
    )


def _points(row: pd.Series) -> str:
    numbers = (f"{round(row[name], 1) + 0.0:+.1f}" for name in ("gain", "low", "high"))
    return "{} points ({} to {})".format(*numbers).replace("-", "−")
