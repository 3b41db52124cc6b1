"""Do data sets and recipes agree on which cells are good, and does a cell that was chosen on one serve on another?"""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.ranks import FEWEST, best, rank_correlation
from skelnas.analysis.style import MUTED, VALUE_MAP, headline, ink_on, new_figure, style
from skelnas.results.query import Benchmark
from skelnas.text import counted

COLUMNS = [
    "first",
    "second",
    "cells",
    "kendall_tau_b",
    "spearman_rho",
    "pearson",
    "kendall_best_tenth",
    "spearman_best_tenth",
    "chosen",
    "reached",
    "best",
    "regret",
]


def tabulate(benchmarks: Sequence[Benchmark], summaries: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """`pair` of every two benchmarks, both ways, on the cells that both have; final accuracies, seed means."""
    accuracy, rows = accuracies(benchmarks), []
    for first, second in permutations(accuracy, 2):
        both = pd.concat([accuracy[first], accuracy[second]], axis=1, join="inner").dropna()
        if len(both) > 1:
            found = pair(both.index.to_numpy(), *both.to_numpy().T)
            rows.append({"first": first, "second": second, **found})
    return pd.DataFrame(rows, columns=COLUMNS)


def accuracies(benchmarks: Sequence[Benchmark]) -> dict[str, pd.Series]:
    """The final accuracies (seed means, of the split that is reported on) by `{dataset}/{recipe}`, by cell."""
    return {
        f"{one.dataset}/{one.recipe_name}": pd.Series(one.seed_means(facts_of(one).split), index=one.cells)
        for one in benchmarks
    }


def pair(cells: np.ndarray, first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Correlations of two accuracies (cells,) without gaps, over all cells and over the tenth best in the first; and
    what the cell that is best in the first reaches in the second, beside the best there."""
    everyone, tenth = rank_correlation(first, second), best(first, 0.1)
    enough = len(tenth) >= FEWEST
    among = rank_correlation(first[tenth], second[tenth]) if enough else {}
    constant = np.ptp(first) == 0 or np.ptp(second) == 0
    chosen = int(first.argmax())
    return {
        **everyone,
        "pearson": np.nan if constant else float(np.corrcoef(first, second)[0, 1]),
        "kendall_best_tenth": among.get("kendall_tau_b", np.nan),
        "spearman_best_tenth": among.get("spearman_rho", np.nan),
        "chosen": int(cells[chosen]),
        "reached": float(second[chosen]),
        "best": float(second.max()),
        "regret": float(second.max() - second[chosen]),
    }


def draw(table: pd.DataFrame, facts: Sequence[Facts]) -> Figure:
    """Three matrices: correlation over all cells, over the best tenth, and the regret of a choice made elsewhere."""
    names = list(dict.fromkeys([*table["first"], *table["second"]]))
    panels = {
        "kendall_tau_b": ("Kendall τ-b, all cells", "{:.2f}"),
        "kendall_best_tenth": ("Kendall τ-b, best tenth of the row", "{:.2f}"),
        "regret": ("regret of the row's best (points)", "{:.2f}"),
    }
    with style():
        figure = new_figure(height=2.6 + 0.5 * len(names))
        for position, (axes, (column, (title, form))) in enumerate(
            zip(figure.subplots(1, 3, sharey=True), panels.items(), strict=True)
        ):
            matrix = table.pivot(index="first", columns="second", values=column).reindex(index=names, columns=names)
            _matrix(axes, matrix.to_numpy(dtype=float), form, reverse=column == "regret")
            axes.set_title(title, fontsize=10)
            axes.set_xticks(range(len(names)), [name.replace("/", "\n") for name in names], rotation=45, ha="right")
            if position == 0:
                axes.set_yticks(range(len(names)), [name.replace("/", "\n") for name in names])
                axes.set_ylabel("ranked or chosen on")
            axes.set_xlabel("seen on")
        headline(figure, "Do data sets and recipes agree on which cells are good?", about(facts))
    return figure


def about(facts: Sequence[Facts]) -> str:
    """The line below the title: every benchmark with its cells and the split that is reported."""
    parts = [f"{one.dataset}, {one.recipe}: {counted(one.cells, 'cell')}, {one.split}" for one in facts]
    return "  ·  ".join(parts)


def _matrix(axes: Axes, matrix: np.ndarray, form: str, reverse: bool) -> None:
    shown = np.ma.masked_invalid(matrix)
    colours = f"{VALUE_MAP}_r" if reverse else VALUE_MAP
    low, high = (0.0, max(float(shown.max()), 1e-9)) if reverse and shown.count() else (0.0, 1.0)
    axes.imshow(shown, cmap=colours, aspect="auto", vmin=low, vmax=high)
    for row, column in np.ndindex(matrix.shape):
        value = matrix[row, column]
        if np.isnan(value):
            axes.text(column, row, "" if row == column else "–", ha="center", va="center", color=MUTED)
            continue
        ink = ink_on(float(value), *((high, low) if reverse else (low, high)))
        axes.text(column, row, form.format(value), ha="center", va="center", color=ink, fontsize=9)
    axes.grid(visible=False)
    axes.tick_params(length=0, labelsize=8)
    axes.spines[:].set_visible(False)


def finding(table: pd.DataFrame, facts: Sequence[Facts]) -> str:
    """The pair that agrees least, and the regret of the worst transfer."""
    if table.empty or table["kendall_tau_b"].isna().all():
        return "No two benchmarks of the study have cells in common, with accuracies that differ."
    least, worst = table.loc[table["kendall_tau_b"].idxmin()], table.loc[table["regret"].idxmax()]
    return (
        f"{least['first']} and {least['second']} agree least on the ranking (Kendall's tau-b "
        f"{least['kendall_tau_b']:.2f} over {least['cells']:,} cells); the cell chosen on {worst['first']} loses "
        f"{worst['regret']:.2f} points on {worst['second']}, the most of all pairs."
    )
