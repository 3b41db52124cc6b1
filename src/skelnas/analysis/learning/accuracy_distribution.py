"""The empirical distribution of the final accuracy over cells."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import SPLIT_COLOURS, chance_line, headline, new_figure, style
from skelnas.recipe import SPLITS
from skelnas.results.query import Benchmark


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """One row per split and accuracy that occurs (seed mean): cells that have it, and the share at most that good."""
    tables = [ecdf(summary[f"{split}_top1"].to_numpy()).assign(split=split) for split in SPLITS]
    return pd.concat(tables, ignore_index=True)[["split", "accuracy", "cells", "share"]]


def ecdf(values: np.ndarray) -> pd.DataFrame:
    """Empirical distribution function: for every value (accuracy) that occurs, how many cells have it, and the share
    (percent) of those at most that good.

    Cells without a value (NaN) are not counted.
    """
    levels, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return pd.DataFrame({"accuracy": levels, "cells": counts, "share": 100 * np.cumsum(counts) / max(1, counts.sum())})


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """One step curve per split."""
    with style():
        figure = new_figure(height=4.6)
        axes = figure.subplots()
        for split, steps in table.groupby("split", sort=False):
            axes.step(
                np.concatenate([[0], steps["accuracy"], [100]]),
                np.concatenate([[0], steps["share"], [100]]),
                where="post",
                color=SPLIT_COLOURS[str(split)],
                label=f"{split}: median {_median(steps):.1f} %, best {steps['accuracy'].max():.1f} %",
            )
        chance_line(axes, facts.chance, across=True)
        axes.set(xlim=(0, 100), ylim=(0, 101))
        axes.set_xlabel("top-1 accuracy after the last epoch (%)")
        axes.set_ylabel("cells at most that accurate (%)")
        figure.legend(loc="outside lower center", ncols=2)
        headline(figure, "Distribution of final accuracy over cells", facts.line(*SPLIT_COLOURS))
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """Median and best cell, and how many are within a tenth of the way from chance to the best."""
    steps = table[table["split"] == facts.split]
    if steps.empty:
        return "No cell has an accuracy after the last epoch."
    best = steps["accuracy"].max()
    near = steps[steps["accuracy"] >= best - 0.1 * (best - facts.chance)]["cells"].sum()
    return (
        f"Half of the cells reach {_median(steps):.1f} % ({facts.split}), the best {best:.1f} %; {near:,} of "
        f"{steps['cells'].sum():,} come within a tenth of the way from chance to the best."
    )


def _median(steps: pd.DataFrame) -> float:
    return float(np.median(np.repeat(steps["accuracy"], steps["cells"])))
