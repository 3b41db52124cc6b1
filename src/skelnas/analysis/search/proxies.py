"""Do zero-cost proxies, which look at an untrained network, rank the cells as training does? The analysis `proxies`.

The number of parameters is the baseline that a proxy has to beat. The table of `results.proxies` adds what a study
asked for.
"""

import numpy as np
import pandas as pd
import scipy.stats
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.ranks import FEWEST, best, rank_correlation
from skelnas.analysis.style import ACCENT, MUTED, POINTS, headline, new_figure, style
from skelnas.recipe import PROXIES
from skelnas.results.proxies import proxies_of
from skelnas.results.query import Benchmark
from skelnas.text import counted

DRAWS, SEED, LEVEL = 200, 14, 0.95
BASELINE = "parameters"
LABELS = {BASELINE: "number of parameters", "macs": "multiply-accumulates"}
GROUPS = {"all cells": POINTS, "best tenth": ACCENT}
NUMBERS = ("spearman_rho", "kendall_tau_b", "gain")
COLUMNS = (
    "proxy",
    "among",
    "cells",
    "lowest",
    *(f"{name}{end}" for name in NUMBERS for end in ("", "_low", "_high")),
    "chosen_by",
)


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`correlations` of every proxy with the final accuracy, seed means; the best tenth is chosen by validation where
    the final accuracy is that of test, so that nothing is chosen and measured on the same numbers."""
    split = facts_of(benchmark).split
    final, chosen_by = benchmark.seed_means(split), split
    if split == "test" and benchmark.present("valid").any():
        chosen_by = "valid"
    scores = {BASELINE: benchmark.parameters.astype(float), "macs": benchmark.macs.astype(float)}
    scored = proxies_of(benchmark)
    if scored is not None:
        scores |= {name: scored[name].to_numpy() for name in PROXIES if name in scored}
    table = correlations(scores, final, benchmark.seed_means(chosen_by), summary["class_representative"].to_numpy())
    return table.assign(chosen_by=chosen_by)[list(COLUMNS)]


def correlations(
    scores: dict[str, np.ndarray], final: np.ndarray, choosing: np.ndarray, classes: np.ndarray
) -> pd.DataFrame:
    """Per proxy Spearman's rho and Kendall's tau-b with `final`, over all cells and over the tenth that is best by
    `choosing`; `gain`, how much larger its rho is than that of the number of parameters; `lowest`, how many cells have
    minus infinity, the lowest rank. Groups of fewer than ten cells are left out.

    All arrays are (cells,). The 95 % intervals are percentiles of a bootstrap over `classes`: cells that are the same
    network share their score, so they are drawn together.
    """
    rows = []
    known = np.flatnonzero(~np.isnan(final))
    tenth = known[best(choosing[known], 0.1)] if len(known) else known
    for among, cells in zip(GROUPS, (known, tenth), strict=True):
        if len(cells) < FEWEST:
            continue
        part = {name: values[cells] for name, values in scores.items()}
        drawn = [_numbers(part, final[cells], drawn_rows) for drawn_rows in _draws(classes[cells])]
        found = _numbers(part, final[cells], np.arange(len(cells)))
        for name in scores:
            row: dict[str, object] = {"proxy": name, "among": among, "cells": len(cells)}
            row["lowest"] = int(np.isneginf(part[name]).sum())
            for number in NUMBERS:
                values = np.array([one[name, number] for one in drawn])
                low, high = np.nan, np.nan
                if not np.isnan(values).any():
                    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
                row |= {number: found[name, number], f"{number}_low": low, f"{number}_high": high}
            rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS[:-1]))


def _draws(classes: np.ndarray) -> list[np.ndarray]:
    """Rows of cells for each draw, whole classes at a time."""
    random = np.random.default_rng(SEED)
    _, place = np.unique(classes, return_inverse=True)
    number, rows = int(place.max()) + 1, np.arange(len(classes))
    return [
        np.repeat(rows, np.bincount(random.integers(0, number, number), minlength=number)[place]) for _ in range(DRAWS)
    ]


def _numbers(scores: dict[str, np.ndarray], final: np.ndarray, rows: np.ndarray) -> dict[tuple[str, str], float]:
    """The three numbers of every proxy over some rows; ranks stand for scores, since these may be minus infinity."""
    found: dict[tuple[str, str], float] = {}
    for name, values in scores.items():
        correlation = rank_correlation(scipy.stats.rankdata(values[rows]), final[rows])
        found |= {(name, number): correlation[number] for number in NUMBERS[:2]}
        found[name, "gain"] = found[name, NUMBERS[0]] - found[BASELINE, NUMBERS[0]]
    return found


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """A line for each proxy, a dot with its interval for each group of cells; dashed: the number of parameters."""
    names = list(dict.fromkeys(table["proxy"]))
    with style():
        figure = new_figure(height=2.2 + 0.5 * len(names))
        panels = figure.subplots(1, 2, sharey=True)
        for axes, number, title in zip(panels, NUMBERS, ("Spearman ρ", "Kendall τ-b"), strict=False):
            for position, (among, colour) in enumerate(GROUPS.items()):
                rows = table[(table["among"] == among) & table[number].notna()]
                if rows.empty:
                    continue
                places = np.array([names.index(name) for name in rows["proxy"]]) + 0.22 * (position - 0.5)
                label = f"{among} ({rows['cells'].iloc[0]:,})"
                axes.hlines(places, rows[f"{number}_low"], rows[f"{number}_high"], color=colour, lw=2.2)
                axes.scatter(rows[number], places, s=42, color=colour, label=label, zorder=3)
                baseline = rows.loc[rows["proxy"] == BASELINE, number]
                for value in baseline:
                    axes.axvline(value, color=colour, lw=1, ls=(0, (4, 3)))
            axes.axvline(0, color=MUTED, lw=0.9)
            axes.set_title(f"{title} with the {facts.split} accuracy")
        panels[0].set_yticks(range(len(names)), [LABELS.get(name, name) for name in names])
        panels[0].set_ylim(len(names) - 0.5, -0.5)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
        about = f"{facts.line(*dict.fromkeys((table['chosen_by'].iloc[0], facts.split)))}\n{_about(table)}"
        headline(figure, "Do scores of untrained networks rank the cells as training does?", about)
    return figure


def _about(table: pd.DataFrame) -> str:
    lowest = int(table["lowest"].max())
    without = f"; lowest score: {counted(lowest, 'cell')}, input discarded" if lowest else ""
    return f"95 % intervals: bootstrap over classes of equal networks; dashed: parameters{without}"


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The best scored proxy beside the number of parameters, over all cells and over the best tenth."""
    if table.empty or table["spearman_rho"].isna().all():
        return f"Fewer than {FEWEST} cells have accuracies, or all are equal, so there is no ranking to compare with."
    parts = []
    for among in GROUPS:
        rows = table[(table["among"] == among) & table["spearman_rho"].notna()].set_index("proxy")
        if BASELINE not in rows.index:
            continue
        words = f"{_rho(rows.loc[BASELINE])} for the number of parameters"
        if len(scored := rows.loc[[name for name in PROXIES if name in rows.index]]):
            top = scored["spearman_rho"].idxmax()
            words = f"{_rho(scored.loc[top])} for {top} and {words}"
        parts.append(f"over {'all cells' if among == 'all cells' else 'the best tenth'} {words}")
    asked = set(PROXIES) & set(table["proxy"])
    more = "" if asked else "; no untrained network was scored: `proxies` of a study names proxies of what it trains"
    return f"Spearman's rho with the {facts.split} accuracy is {'; '.join(parts)}{more}."


def _rho(row: pd.Series) -> str:
    interval = "" if np.isnan(row["spearman_rho_low"]) else f" ({_two(row, '_low')} to {_two(row, '_high')})"
    return f"{_two(row, '')}{interval}"


def _two(row: pd.Series, end: str) -> str:
    return f"{round(row[f'spearman_rho{end}'], 2) + 0.0:.2f}"  # no zero below zero
