"""What the study that skelnas repeats said of good and bad cells, each as a test: the analysis `claims`.

Columns of the table: claim, compared (in words), measure (of the effect), first, second (the two raw numbers compared),
unit of these, effect, low, high, level (of the interval), cells, verdict.

An effect is standardised (Cohen 1988: 0.2 is small). Its interval comes from a bootstrap over cells and is wide enough
for all claims at once (Bonferroni), so that of studies in which nothing is true one in twenty finds any claim
supported. *Not supported*: it ends below a small effect. *Supported*: it does not, and lies on the claim's side of 0.
Otherwise, and where too few cells are there, the claim *cannot be told from these data*. The best cells are chosen by
the accuracy that is reported, noise included, which mixes others among them and makes effects smaller, never larger.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import INK, MUTED, RULE, headline, new_figure, style
from skelnas.analysis.topology.resampling import Statistic, bootstrap, difference, enrichment, mean_of_best
from skelnas.analysis.topology.traits import traits
from skelnas.results.query import Benchmark
from skelnas.text import counted

SUPPORTED, NOT_SUPPORTED, OPEN = "supported", "not supported", "cannot be told from these data"
VERDICT_COLOURS = {SUPPORTED: "#009e73", NOT_SUPPORTED: "#d55e00", OPEN: "#8a94a0"}
COLUMNS = (
    *("claim", "compared", "measure", "first", "second", "unit"),
    *("effect", "low", "high", "level", "cells", "verdict"),
)
SMALL = 0.2
FEWEST_IN_GROUP, FEWEST_EXTREME = 10, 20
SHARES = (0.01, 0.1)  # of the best and worst cells: the first that holds enough


class Claim(NamedTuple):
    """A claim, and how it is tested: `kind` is "difference", "best", "worst" or "more"; `trait` a column of `traits`,
    or two of which one must be true; `among` the column that cells must have, if any."""

    words: str
    kind: str
    trait: tuple[str, ...]
    among: str = ""


CLAIMS = (
    Claim("A shortcut makes cells that convolve better", "difference", ("shortcut",), "convolving"),
    Claim("The best cells have convolutions and a shortcut", "best", ("convolving_shortcut",)),
    Claim("The best cells mix 1×1 and 3×3 convolutions with a shortcut", "best", ("mixed",)),
    Claim("The best cells convolve in parallel on the input (said of UTD-MHAD)", "best", ("parallel",)),
    Claim("The best cells convolve in sequence (said of NTU RGB+D)", "best", ("sequence",)),
    Claim("The best cells have more 3×3 than 1×1 convolutions", "more", ("surplus_3x3",)),
    Claim("The worst cells discard the input or only pool", "worst", ("input_discarding", "pool_only")),
    Claim("The worst cells discard the input", "worst", ("input_discarding",)),
    Claim("The worst cells that see the input only pool", "worst", ("pool_only",), "connected"),
)
MEASURES = {"difference": "Cohen's d", "best": "Cohen's h", "worst": "Cohen's h", "more": "standard deviations"}
UNITS = {"difference": "accuracy (%)", "best": "share of cells", "worst": "share of cells", "more": "convolutions"}


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    return claims(benchmark.cells, benchmark.seed_means(facts_of(benchmark).split))


def claims(cells: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """The table, of architecture indices and accuracies (cells,), NaN where missing."""
    there = ~np.isnan(values)
    table, values = traits(cells[there]), values[there]
    table["convolving"] = table["convolutions"] > 0
    table["convolving_shortcut"] = table["convolving"] & table["shortcut"]
    table["surplus_3x3"] = table["convolutions_3x3"] - table["convolutions_1x1"]
    if not len(table):
        return pd.DataFrame(columns=list(COLUMNS))
    level = 1 - 0.05 / len(CLAIMS)
    return pd.DataFrame([_row(claim, table, values, level) for claim in CLAIMS])[list(COLUMNS)]


def _row(claim: Claim, table: pd.DataFrame, values: np.ndarray, level: float) -> dict[str, object]:
    among = table[claim.among].to_numpy() if claim.among else np.ones(len(table), dtype=bool)
    part, accuracy = table[among], values[among]
    trait = part[list(claim.trait)].to_numpy()
    statistic, compared, enough = _test(claim, trait[:, 0] if claim.kind == "more" else trait.any(axis=1), accuracy)
    effect, first, second = statistic(np.ones(len(part))) if len(part) else (np.nan,) * 3
    varied = len(part) > 1 and np.ptp(accuracy) > 0
    limits = bootstrap(statistic, len(part), level) if enough and varied else (np.nan, np.nan)
    return {
        "claim": claim.words,
        "compared": compared,
        "measure": MEASURES[claim.kind],
        "first": first,
        "second": second,
        "unit": UNITS[claim.kind],
        "effect": effect if varied else np.nan,
        "low": limits[0],
        "high": limits[1],
        "level": level,
        "cells": len(part),
        "verdict": verdict(*limits),
    }


def _test(claim: Claim, trait: np.ndarray, values: np.ndarray) -> tuple[Statistic, str, bool]:
    """How a claim is tested, with what compared, and whether the cells are enough."""
    if claim.kind == "difference":
        words = f"{counted(int(trait.sum()), 'cell')} with it against {int((~trait).sum()):,} without"
        enough = min(trait.sum(), (~trait).sum()) >= FEWEST_IN_GROUP
        return difference(values, trait, ~trait), words, bool(enough)
    share = next((share for share in SHARES if share * len(values) >= FEWEST_EXTREME), SHARES[-1])
    side = "worst" if claim.kind == "worst" else "best"
    words = f"{side} {share:.0%} of {counted(len(values), 'cell')} against all of them"
    enough = share * len(values) >= FEWEST_EXTREME
    if claim.kind == "more":
        return mean_of_best(values, trait.astype(float), share), f"{side} {share:.0%}: 3×3 less 1×1", enough
    return enrichment(values if side == "best" else -values, trait, share), words, enough


def verdict(low: float, high: float) -> str:
    """What an interval of an effect says of the claim that the effect is above 0."""
    if high < SMALL:
        return NOT_SUPPORTED
    return SUPPORTED if low > 0 else OPEN


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Effects and their intervals, claim by claim, coloured by verdict."""
    with style():
        figure = new_figure(height=0.64 * len(table) + 1.9)
        axes = figure.subplots()
        places = np.arange(len(table))
        axes.axvspan(-SMALL, SMALL, color=RULE, alpha=0.45, lw=0)
        axes.axvline(0, color=MUTED, lw=1)
        for place, row in zip(places, table.to_dict("records"), strict=True):
            colour = VERDICT_COLOURS[row["verdict"]]
            if not np.isnan(row["low"]):
                axes.plot([row["low"], row["high"]], [place] * 2, color=colour, lw=3.2, solid_capstyle="round")
            if not np.isnan(row["effect"]):
                axes.plot(row["effect"], place, "o", color=colour, ms=9, mec="white", mew=1.2, zorder=3)
            axes.annotate(
                row["verdict"], (1.02, place), xycoords=("axes fraction", "data"), color=colour, fontsize=9.5,
                fontweight="bold", va="bottom",
            )  # fmt: skip
            axes.annotate(
                _numbers(row), (1.02, place), xycoords=("axes fraction", "data"), color=MUTED, fontsize=8, va="top",
            )  # fmt: skip
            axes.annotate(
                row["compared"], (-0.02, place), xycoords=("axes fraction", "data"), color=MUTED, fontsize=8,
                va="top", ha="right", xytext=(0, -3), textcoords="offset points",
            )  # fmt: skip
            axes.annotate(
                _wrapped(row["claim"]), (-0.02, place), xycoords=("axes fraction", "data"), color=INK, fontsize=9.5,
                va="bottom", ha="right", xytext=(0, -2), textcoords="offset points",
            )  # fmt: skip
        reach = np.nanmax(np.abs(table[["effect", "low", "high"]].to_numpy()), initial=1.0)
        axes.set_xlim(-1.08 * reach, 1.08 * reach)
        axes.set_ylim(len(table) - 0.4, -0.6)
        axes.set_yticks([])
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("standardised effect (right: as claimed; grey: smaller than small)")
        level = f"{100 * table['level'].iloc[0]:.1f} % intervals, which hold for all claims together with 95 %"
        headline(figure, "What was said of good and bad cells, tested", f"{facts.line(facts.split)}\n{level}")
    return figure


def _wrapped(words: str) -> str:
    if len(words) <= 40:
        return words
    middle = min(
        (place for place, letter in enumerate(words) if letter == " "), key=lambda at: abs(at - len(words) / 2)
    )
    return f"{words[:middle]}\n{words[middle + 1 :]}"


def _numbers(row: dict) -> str:
    if np.isnan(row["first"]):
        return "too few cells"
    if row["unit"] == "share of cells":
        return f"{100 * row['first']:.1f} % of them, {100 * row['second']:.1f} % of all"
    if row["unit"] == "convolutions":
        return f"{row['first']:+.2f} per cell, {row['second']:+.2f} over all".replace("-", "−")
    return f"{row['first']:.1f} % against {row['second']:.1f} %"


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty or (table["verdict"] == OPEN).all():
        return f"None of the claims can be told from these {counted(facts.cells, 'cell')}."
    numbers = [(table["verdict"] == one).sum() for one in (SUPPORTED, NOT_SUPPORTED, OPEN)]
    words = f"Of {len(table)} claims {numbers[0]} are supported, {numbers[1]} not, and {numbers[2]} cannot be told"
    refuted = table["claim"][table["verdict"] == NOT_SUPPORTED]
    return f"{words} from these {facts.cells:,} cells{'; not supported: ' if len(refuted) else ''}{'; '.join(refuted)}."
