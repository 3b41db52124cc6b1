"""Error of a measured accuracy, by accuracy: between seeds, of the sample; and the difference that is significant."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.noise.comparison import least_difference
from skelnas.analysis.noise.reliability import BINS, FEWEST, sampling_variance
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import ACCENT, INK, POINTS, headline, new_figure, style
from skelnas.results.query import Benchmark, seed_mean, spread_over_seeds

COLUMNS = [
    "low",
    "high",
    "accuracy",
    "cells",
    "seed_std",
    "sampling_std",
    "least_difference_samples",
    "least_difference_seeds",
    "least_difference_both",
]


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """Groups of cells of like accuracy, worst first: their range, deviation between seeds (pooled) and of the sample
    (binomial), and which difference of two such cells, one seed each, is significant at 5 %, two-sided."""
    split = facts_of(benchmark).split
    values, samples = benchmark.values(split), benchmark.samples[split]
    return by_accuracy(values, samples)


def by_accuracy(values: np.ndarray, samples: int) -> pd.DataFrame:
    """The table of (cells, seeds) on that many samples."""
    means, own = seed_mean(values), spread_over_seeds(values) ** 2
    order = np.argsort(means, kind="stable")[: int((~np.isnan(means)).sum())]
    rows = []
    for group in np.array_split(order, max(1, min(BINS, len(order) // FEWEST))) if len(order) else []:
        freedom = (~np.isnan(values[group])).sum(axis=1) - 1
        known = freedom > 0
        seeds = np.average(own[group][known], weights=freedom[known]) if known.any() else np.nan
        accuracy = means[group].mean()
        sampling = float(sampling_variance(accuracy, samples))
        variances = {"samples": sampling, "seeds": seeds, "both": sampling + seeds}
        rows.append(
            {
                "low": means[group[0]],
                "high": means[group[-1]],
                "accuracy": accuracy,
                "cells": len(group),
                "seed_std": np.sqrt(seeds),
                "sampling_std": np.sqrt(sampling),
                **{f"least_difference_{name}": float(least_difference(each)) for name, each in variances.items()},
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Deviations on the left, significant differences on the right."""
    lines = {"seed": ("between seeds", ACCENT), "sampling": ("of the sample (binomial)", POINTS)}
    needed = {
        "samples": ("other samples, unpaired (conservative)", POINTS),
        "seeds": ("other seeds, the same samples", ACCENT),
        "both": ("both", INK),
    }
    look = {"marker": "o", "markersize": 4, "lw": 1.4}
    with style():
        figure = new_figure(height=4.4)
        left, right = figure.subplots(1, 2)
        for name, (words, colour) in lines.items():
            if table[f"{name}_std"].notna().any():
                left.plot(table["accuracy"], table[f"{name}_std"], color=colour, label=words, **look)
        for name, (words, colour) in needed.items():
            column = table[f"least_difference_{name}"]
            if column.notna().any():
                right.plot(table["accuracy"], column, color=colour, label=words, **look)
        left.set_title("standard deviation of one training's accuracy")
        right.set_title("difference of two cells needed for p < 5 %")
        for axes in (left, right):
            axes.set_ylim(bottom=0)
            axes.set_xlabel(f"{facts.split} top-1 accuracy of the cells (%)")
            axes.legend(loc="best")
        left.set_ylabel("points of percent")
        about = f"{facts.line(facts.split)}\none point per group of {table['cells'].max():,} cells of like accuracy"
        headline(figure, "How exact is a measured accuracy?", about)
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """What the best group's accuracies are worth."""
    if table.empty:
        return "No cell has an accuracy after the last epoch."
    top = table.iloc[-1]
    about = f"Among the best group ({top['low']:.1f} to {top['high']:.1f} %)"
    if np.isnan(top["seed_std"]):
        return (
            f"{about} two cells must differ by {top['least_difference_samples']:.2f} points for the sample's error "
            "alone (unpaired, conservative); with one seed nothing is known of the noise between trainings."
        )
    return (
        f"{about} one training deviates by {top['seed_std']:.2f} points between seeds and {top['sampling_std']:.2f} by "
        f"the sample; two cells trained once must differ by {top['least_difference_both']:.2f} points to be told apart."
    )
