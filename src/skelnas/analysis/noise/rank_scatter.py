"""Final test accuracy against validation, and one seed against another, cell by cell."""

import math

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.ranks import rank_correlation
from skelnas.analysis.style import ACCENT, MUTED, POINTS, VALUE_MAP, chance_line, headline, new_figure, style
from skelnas.results.query import Benchmark

COUNTS = FuncFormatter(lambda number, _: f"{number:,.0f}")  # a logarithmic axis would write mathematics
COEFFICIENTS = {"kendall_tau_b": "Kendall τ-b", "spearman_rho": "Spearman ρ"}


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """One row per cell and pair: what is compared (`first`, `second`) and its two accuracies (`x`, `y`).

    The pairs are validation with test (seed means), and the first two seeds of the split that is reported on.
    """
    facts, pairs = facts_of(benchmark), []
    if {"valid", "test"} <= set(facts.splits):
        pairs.append(("valid", "test", benchmark.seed_means("valid"), benchmark.seed_means("test")))
    if len(facts.seeds) > 1:
        one, other = facts.seeds[:2]
        values = benchmark.values(facts.split)
        pairs.append((f"{facts.split}, seed {one}", f"{facts.split}, seed {other}", values[:, 0], values[:, 1]))
    tables = [
        pd.DataFrame({"first": first, "second": second, "index": benchmark.cells, "x": x, "y": y})
        for first, second, x, y in pairs
    ]
    if not tables:
        return pd.DataFrame(columns=["first", "second", "index", "x", "y"])
    return pd.concat(tables, ignore_index=True).dropna(ignore_index=True)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """One panel per pair, with its rank correlations."""
    panels = dict(list(table.groupby(["first", "second"], sort=False)))
    with style():
        figure = new_figure(width=9 if len(panels) > 1 else 6.2, height=5.4)
        axes_of = np.atleast_1d(figure.subplots(1, len(panels)))
        for axes, ((first, second), panel) in zip(axes_of, panels.items(), strict=True):
            left, right = panel["x"].to_numpy(), panel["y"].to_numpy()
            low = max(0, math.floor((min(left.min(initial=100), right.min(initial=100), facts.chance) - 2) / 5) * 5)
            high = math.ceil((max(left.max(initial=0), right.max(initial=0), facts.chance) + 2) / 5) * 5
            axes.plot([low, high], [low, high], color=MUTED, lw=0.9, zorder=1)
            if len(left) > 500:
                image = axes.hexbin(
                    left,
                    right,
                    gridsize=60,
                    extent=(low, high, low, high),
                    mincnt=1,
                    norm=LogNorm(),
                    cmap=VALUE_MAP,
                    lw=0.1,
                )
                bar = figure.colorbar(
                    image, ax=axes, location="bottom", aspect=30, pad=0.02, shrink=0.62, format=COUNTS
                )
                bar.set_label("cells per hexagon")
                bar.outline.set_visible(False)
            else:
                axes.scatter(left, right, s=36 if len(left) <= 50 else 10, color=POINTS, zorder=3, linewidths=0)
            for across in (False, True):
                chance_line(axes, facts.chance, across, color=ACCENT, lw=0.9)
            axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
            axes.set_xlabel(f"{first} top-1 accuracy (%)")
            axes.set_ylabel(f"{second} top-1 accuracy (%)")
            found = rank_correlation(left, right)
            axes.set_title("  ·  ".join(f"{words} {_number(found[name])}" for name, words in COEFFICIENTS.items()))
            axes.legend(*(part[:1] for part in axes.get_legend_handles_labels()), loc="upper left")
        splits = [split for split in ("valid", "test") if split in facts.splits]
        headline(figure, "Do rankings agree?", facts.line(*splits))
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The rank correlation of the first pair."""
    if table.empty:
        return "There is one seed and one split, so there is nothing to compare a ranking with."
    (first, second), panel = next(iter(table.groupby(["first", "second"], sort=False)))
    tau = rank_correlation(panel["x"].to_numpy(), panel["y"].to_numpy())["kendall_tau_b"]
    return f"Kendall's tau-b of all cells ranked by {first} and by {second} is {_number(tau)}."


def _number(value: float) -> str:
    return "undefined" if np.isnan(value) else f"{value:.3f}"
