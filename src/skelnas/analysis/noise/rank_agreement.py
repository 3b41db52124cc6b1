"""Rank correlations: validation with test, and seeds with each other, over all cells and in the best tenth."""

import itertools

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.ranks import FEWEST, best, rank_correlation
from skelnas.analysis.style import ACCENT, MUTED, POINTS, headline, new_figure, style
from skelnas.results.query import Benchmark, seed_mean

COLOURS = {"all cells": POINTS, "best tenth by first": ACCENT}


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`rank_agreement` of the final accuracies."""
    facts = facts_of(benchmark)
    valid = benchmark.values("valid") if {"valid", "test"} <= set(facts.splits) else None
    return rank_agreement(valid, benchmark.values(facts.split), facts.seeds, facts.split)


def rank_agreement(
    valid: np.ndarray | None, test: np.ndarray, seeds: tuple[int, ...], split: str = "test"
) -> pd.DataFrame:
    """Rank correlations of final accuracies (cells, seeds), over all cells and over the best tenth by `first`, where
    that is at least `FEWEST` cells.

    Compared are validation with test (seed means; left out without `valid`), every pair of seeds in test, and each seed
    with the mean of the others. `split` is what `test` is called.
    """
    pairs = []
    if valid is not None:
        pairs.append(("valid, seed mean", f"{split}, seed mean", seed_mean(valid), seed_mean(test)))
    for one, other in itertools.combinations(range(len(seeds)), 2):
        pairs.append((f"{split}, seed {seeds[one]}", f"{split}, seed {seeds[other]}", test[:, one], test[:, other]))
    if len(seeds) > 2:
        for one, seed in enumerate(seeds):
            others = seed_mean(np.delete(test, one, axis=1))
            pairs.append((f"{split}, seed {seed}", f"{split}, mean of the other seeds", test[:, one], others))
    rows = []
    for first, second, left, right in pairs:
        pair = {"first": first, "second": second}
        rows.append({**pair, "among": "all cells", **rank_correlation(left, right)})
        tenth = best(left, 0.1)
        if len(tenth) >= FEWEST:
            rows.append({**pair, "among": "best tenth by first", **rank_correlation(left[tenth], right[tenth])})
    columns = ["first", "second", "among", "cells", "kendall_tau_b", "spearman_rho"]
    return pd.DataFrame(rows, columns=columns)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """A line for each pair, a dot for each group of cells."""
    pairs = list(dict.fromkeys(zip(table["first"], table["second"], strict=True)))
    with style():
        figure = new_figure(height=2.1 + 0.42 * len(pairs))
        axes = figure.subplots()
        for among, colour in COLOURS.items():
            rows = table[table["among"] == among]
            if len(rows):
                places = [pairs.index(pair) for pair in zip(rows["first"], rows["second"], strict=True)]
                name = f"{among} ({rows['cells'].max():,})"
                axes.scatter(rows["kendall_tau_b"], places, s=60, color=colour, label=name, zorder=3)
                axes.scatter(
                    rows["spearman_rho"], places, s=60, facecolors="none", edgecolors=colour, linewidths=1.4, zorder=3
                )
        axes.set_yticks(range(len(pairs)), [f"{first}  ×  {second}" for first, second in pairs])
        axes.set_ylim(len(pairs) - 0.5, -0.5)
        axes.set_xlim(min(0.0, np.nanmin([0, *table["kendall_tau_b"], *table["spearman_rho"]]) - 0.05), 1.02)
        axes.axvline(0, color=MUTED, lw=0.9)
        axes.set_xlabel("rank correlation: filled Kendall τ-b, open Spearman ρ")
        figure.legend(loc="outside lower center", ncols=2)
        splits = [split for split in ("valid", "test") if split in facts.splits]
        headline(figure, "Do rankings agree, and among the best cells too?", facts.line(*splits))
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """Agreement over all cells beside that among the best."""
    if table.empty:
        return "There is one seed and one split, so there is nothing to compare a ranking with."
    first = table.iloc[0]
    if np.isnan(first["kendall_tau_b"]):
        return "All cells are equally accurate, so they have no ranks to be compared."
    all_of_pair = table[(table["first"] == first["first"]) & (table["second"] == first["second"])]
    among_best = all_of_pair.loc[all_of_pair["among"] != "all cells", "kendall_tau_b"]
    among = "" if among_best.isna().all() else f", the best tenth of them with {among_best.iloc[0]:.2f}"
    tau = first["kendall_tau_b"]
    return f"The rankings {first['first']} and {first['second']} agree with Kendall's tau-b {tau:.2f}{among}."
