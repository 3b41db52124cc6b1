"""Reliability of one seed's accuracy, over all cells and among the best: intraclass correlation."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.noise.reliability import icc, icc_among_best
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import ACCENT, MUTED, POINTS, headline, new_figure, style
from skelnas.results.query import Benchmark

SHARES = {"best 10 %": 0.1, "best 1 %": 0.01}
NOBODY = "not chosen"
COLUMNS = ["among", "chosen_by", "cells", "icc", "low", "high"]


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`reliability.icc` over all cells, and over the best chosen by validation, or by each seed in turn."""
    facts = facts_of(benchmark)
    values = benchmark.values(facts.split)
    everyone = icc(values)
    if np.isnan(everyone["icc"]):
        return pd.DataFrame(columns=COLUMNS)
    other = facts.split == "test" and "valid" in facts.splits
    chosen_by = benchmark.seed_means("valid") if other else None
    by = "valid" if other else "one seed, measured on the others"
    rows = [{"among": "all cells", "chosen_by": NOBODY, **everyone}]
    for name, share in SHARES.items():
        found = icc_among_best(values, chosen_by, share)
        if found["cells"] > 2:
            rows.append({"among": name, "chosen_by": by, **found})
    return pd.DataFrame(rows, columns=COLUMNS)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """A dot with its interval for each group."""
    with style():
        figure = new_figure(height=2.3 + 0.4 * len(table))
        axes = figure.subplots()
        for place, row in table.iterrows():
            colour = POINTS if row["among"] == "all cells" else ACCENT
            axes.plot([row["low"], row["high"]], [place, place], color=colour, lw=3, alpha=0.35, solid_capstyle="butt")
            axes.scatter(row["icc"], place, s=80, color=colour, zorder=3)
            axes.annotate(
                f"{row['icc']:.3f}", (row["icc"], place), (0, 9), textcoords="offset points", ha="center", fontsize=9
            )
        axes.set_yticks(range(len(table)), [f"{row['among']} ({row['cells']:,})" for _, row in table.iterrows()])
        axes.set_ylim(len(table) - 0.5, -0.6)
        axes.set_xlim(min(-0.02, float(np.nanmin(table[["icc", "low"]])) - 0.05), 1.03)
        axes.axvline(0, color=MUTED, lw=0.9)
        axes.set_xlabel("ICC(1): share of the variance of one seed's accuracies that lies between cells")
        by = set(table["chosen_by"]) - {NOBODY}
        about = f"\nthe best are chosen by {by.pop()}; bars: 95 % intervals" if by else "\nbars: 95 % intervals"
        headline(
            figure,
            "How far can one seed be relied on, over all cells and among the best?",
            facts.line(facts.split) + about,
        )
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """Reliability over all cells beside that among the best."""
    if table.empty:
        return "No two seeds of a cell are there, or nothing differs, so the reliability of one seed cannot be told."
    found = table.set_index("among")["icc"]
    best = [f"{value:.2f} among the {name}" for name, value in found.items() if name != "all cells"]
    return f"ICC(1) of one seed is {found['all cells']:.3f} over all cells" + "".join(f", {one}" for one in best) + "."
