"""What is got by choosing one cell by validation, and how far it is from the best."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import ACCENT, MUTED, POINTS, headline, new_figure, style
from skelnas.results.query import Benchmark, seed_mean

COLUMNS = ["chosen_by", "seeds", "epoch", "index", "chosen_at", "reported", "rank", "best", "gap"]


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """Per rule of choice: the cell, its accuracy by what it was chosen (`chosen_at`), its test accuracy over all seeds
    (`reported`), its rank in test, the best test accuracy of any cell and the gap to it.

    Rules: validation after the last epoch, of all seeds and of each; validation at each cell's best epoch, reported on
    test after that epoch; and test itself, which nobody may do and which is the bound.
    """
    facts = facts_of(benchmark)
    if not {"valid", "test"} <= set(facts.splits):
        return pd.DataFrame(columns=COLUMNS)
    valid, test = benchmark.values("valid"), benchmark.seed_means("test")
    rules = [("valid", "all", "last", seed_mean(valid), test)]
    if len(facts.seeds) > 1:
        rules += [("valid", str(seed), "last", valid[:, column], test) for column, seed in enumerate(facts.seeds)]
    if {"valid", "test"} <= set(facts.curves):
        chosen, reported = summary["max_valid_top1"].to_numpy(), summary["test_top1_at_best_valid"].to_numpy()
        rules.append(("valid", "all", "best by valid", chosen, reported))
    rules.append(("test (not allowed)", "all", "last", test, test))
    rows = [
        (by, seeds, epoch, *choose(chosen, reported, benchmark.cells)) for by, seeds, epoch, chosen, reported in rules
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table[table["index"] >= 0].reset_index(drop=True)


def choose(
    chosen_by: np.ndarray, reported: np.ndarray, cells: np.ndarray
) -> tuple[int, float, float, int, float, float]:
    """The cell with the highest `chosen_by` (of equal ones the first), and of it: `chosen_by`, `reported`, the rank of
    the latter (1 is best), the best of all, and how much it lacks; index -1 where no cell has both."""
    both = ~np.isnan(chosen_by) & ~np.isnan(reported)
    if not both.any():
        return -1, np.nan, np.nan, 0, np.nan, np.nan
    at = int(np.where(both, chosen_by, -np.inf).argmax())
    highest = float(np.nanmax(reported))
    found = float(reported[at])
    rank = int((reported[~np.isnan(reported)] > found).sum()) + 1
    return int(cells[at]), float(chosen_by[at]), found, rank, highest, highest - found


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """A line per rule from what is reported to the best."""
    with style():
        figure = new_figure(height=2.2 + 0.42 * len(table))
        axes = figure.subplots()
        places = range(len(table))
        axes.hlines(places, table["reported"], table["best"], color=MUTED, lw=1.6)
        axes.scatter(
            table["best"], places, s=130, facecolors="white", edgecolors=ACCENT, zorder=3, label="best of all cells"
        )
        axes.scatter(table["reported"], places, s=60, color=POINTS, zorder=3, label="test accuracy of the chosen cell")
        for place, row in zip(places, table.itertuples(), strict=True):
            words = f"cell {row.index}, rank {row.rank:,}, gap {row.gap:.2f}"
            axes.annotate(words, (row.best, place), (9, 0), textcoords="offset points", va="center", fontsize=9)
        axes.set_yticks(
            places,
            [
                f"{row.chosen_by}, {'all seeds' if row.seeds == 'all' else f'seed {row.seeds}'}, {row.epoch} epoch"
                for row in table.itertuples()
            ],
        )
        axes.set_ylim(len(table) - 0.5, -0.5)
        low, high = table["reported"].min(), table["best"].max()
        room = max(high - low, 1.0)
        axes.set_xlim(low - 0.1 * room, high + 0.75 * room)
        axes.set_xlabel("test top-1 accuracy (%)")
        figure.legend(loc="outside lower center", ncols=2)
        headline(figure, "What is got by choosing one cell?", facts.line("valid", "test"))
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The gap of the honest choice."""
    if table.empty:
        return "There is no test split beside validation, so what a choice by validation is worth cannot be told."
    row = table.iloc[0]
    return (
        f"Chosen by validation after the last epoch, cell {row['index']} reaches {row['reported']:.2f} % in test, rank "
        f"{row['rank']:,}, {row['gap']:.2f} points below the best."
    )
