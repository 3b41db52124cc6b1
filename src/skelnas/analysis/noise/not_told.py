"""How many cells cannot be told from the best."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.noise.comparison import rejected, worse_than
from skelnas.analysis.noise.measured import BOTH, SAMPLES, SEEDS, measured
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import ACCENT, INK, MUTED, POINTS, headline, new_figure, style
from skelnas.results.query import Benchmark
from skelnas.text import counted

COLUMNS = ["errors", "by", "on", "index", "accuracy", "difference", "p", "told_apart", "reference"]
SHOWN = 30  # of the best cells, at least
COLOURS = {SEEDS: ACCENT, SAMPLES: POINTS, BOTH: INK}


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """For each kind of error and each cell: its accuracy, how much less than the best cell's (`reference`) it is, the
    one-sided p value, and whether Benjamini and Hochberg's rule at 5 % tells it apart.

    The best cell is chosen by other numbers (`by`) than those that are compared (`on`), or its luck would be taken for
    merit, and the others found worse than they are.
    """
    found, tables = measured(benchmark), []
    if found.chosen_by is None or np.isnan(found.accuracy).all():
        return pd.DataFrame(columns=COLUMNS)
    candidates = np.where(np.isnan(found.accuracy), np.nan, found.chosen_by)
    if np.isnan(candidates).all():
        return pd.DataFrame(columns=COLUMNS)
    reference = int(np.nanargmax(candidates))
    for name, variance in found.errors().items():
        known = ~np.isnan(found.accuracy) & ~np.isnan(variance)
        if not known[reference]:
            continue
        at = int(known[:reference].sum())
        accuracy = found.accuracy[known]
        p = worse_than(accuracy, variance[known], at)
        others = np.arange(len(p)) != at
        told = np.zeros(len(p), dtype=bool)
        told[others] = rejected(p[others])
        columns = {"index": benchmark.cells[known], "accuracy": accuracy, "difference": accuracy[at] - accuracy}
        table = pd.DataFrame({**columns, "p": p, "told_apart": told, "reference": ~others})
        tables.append(table.assign(errors=name, by=found.by, on=found.on)[COLUMNS])
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(tables).sort_values(["errors", "difference", "index"], ignore_index=True)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """The accuracies of the first cells in order, and for each kind of error the last that cannot be told apart."""
    one = table[table["errors"] == table["errors"].iloc[0]].reset_index(drop=True)
    best = one[one["reference"]].iloc[0]
    kinds = {str(name): rows for name, rows in table.groupby("errors")}
    most = max(int((~rows["told_apart"]).sum()) for rows in kinds.values())
    one = one.head(max(SHOWN, 3 * most))
    with style():
        figure = new_figure(height=4.8)
        axes = figure.subplots()
        axes.plot(np.arange(1, len(one) + 1), one["accuracy"], color=MUTED, lw=2.2, label="cells, best first")
        for name, rows in kinds.items():
            same = rows[~rows["told_apart"]]
            last = same["accuracy"].min()
            place = int((one["accuracy"] >= last).sum())
            words = f"errors of {name}: {counted(len(same) - 1, 'cell')} cannot be told from it"
            axes.plot([1, place], [last, last], color=COLOURS[name], lw=1, ls=(0, (4, 3)))
            axes.scatter(place, last, s=60, color=COLOURS[name], zorder=3, label=words)
        where = int((one["accuracy"] > best["accuracy"]).sum()) + 1
        words = f"cell {best['index']}, the best by {best['by']}: {best['accuracy']:.2f} %"
        axes.scatter(
            where, best["accuracy"], marker="*", s=200, color=ACCENT, edgecolors="white", zorder=4, label=words
        )
        axes.set_xlim(0, len(one) + 1)
        axes.set_xlabel("rank")
        axes.set_ylabel(f"{best['on']}, top-1 accuracy (%)")
        axes.legend(loc="upper right")
        about = f"{facts.line(facts.split)}\none-sided z tests, Benjamini-Hochberg at 5 %"
        headline(figure, "How many cells cannot be told from the best?", about)
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The numbers of such cells."""
    if table.empty:
        return "There is one seed and one split, so a best cell would be chosen and measured by the same numbers."
    parts = []
    for name, rows in table.groupby("errors"):
        parts.append(f"{int((~rows['told_apart']).sum()) - 1:,} by errors of {name}")
    total = int((table["errors"] == table["errors"].iloc[0]).sum()) - 1
    best = table[table["reference"]].iloc[0]
    return (
        f"Of {total:,} other cells these cannot be told from cell {best['index']}, the best by {best['by']}: "
        f"{', '.join(parts)}."
    )
