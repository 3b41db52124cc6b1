"""Whether two networks differ, recording by recording: McNemar's exact test, the analysis `mcnemar`.

Columns of the table, one row per pair of networks: first, second, recordings (of the test split),
both, only_first, only_second, neither (how many of them are right there), difference (points), p (McNemar 1947, exact
and two-sided: the recordings that only one gets right, held against a fair coin), p_adjusted (Holm 1979, over all
pairs), networks, as_in_table (`kept.agreement`).
"""

import itertools
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.noise import comparison
from skelnas.analysis.people import kept
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import INK, MUTED, RULE, headline, new_figure, style
from skelnas.results.networks import Networks
from skelnas.results.query import Benchmark

COLUMNS = (
    *("first", "second", "recordings", "both", "only_first", "only_second", "neither"),
    *("difference", "p", "p_adjusted", "networks", "as_in_table"),
)
LEVEL = 0.05
SHOWN = 15


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    networks = kept.networks_of(benchmark)
    return pd.DataFrame(columns=list(COLUMNS)) if networks is None else mcnemar(networks)


def mcnemar(networks: Networks) -> pd.DataFrame:
    """The table; without rows for a single network."""
    right, rows = networks.test == networks.test_label, []
    for one, other in itertools.combinations(range(len(right)), 2):
        only = int((right[one] & ~right[other]).sum()), int((~right[one] & right[other]).sum())
        rows.append(
            {
                "first": networks.names[one],
                "second": networks.names[other],
                "recordings": right.shape[1],
                "both": int((right[one] & right[other]).sum()),
                "only_first": only[0],
                "only_second": only[1],
                "neither": int((~right[one] & ~right[other]).sum()),
                "difference": 100 * (only[0] - only[1]) / max(1, right.shape[1]),
                "p": comparison.mcnemar(*only),
            }
        )
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.DataFrame(rows)
    return table.assign(p_adjusted=holm(table["p"].to_numpy()), **kept.agreement(networks))[list(COLUMNS)]


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p."""
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, steps)
    return adjusted


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """For each pair, to the left what only the second gets right, to the right what only the first does."""
    shown = table.head(SHOWN).to_dict("records")
    with style():
        figure = new_figure(height=1.9 + 0.5 * len(shown))
        axes = figure.subplots()
        reach = max(max(row["only_first"], row["only_second"]) for row in shown) or 1
        for place, row in enumerate(shown):
            sure = row["p_adjusted"] < LEVEL
            for side, number in ((1, row["only_first"]), (-1, row["only_second"])):
                axes.barh(place, side * number, color="#0072b2" if sure else "#a9b4c0", height=0.55)
                offset: dict[str, Any] = {"xytext": (4 * side, 0), "textcoords": "offset points", "va": "center"}
                axes.annotate(f"{number}", (side * number, place), ha="left" if side > 0 else "right", **offset)
            words = "they differ" if sure else "they cannot be told apart"
            axes.annotate(
                f"{words} (p = {row['p_adjusted']:.2g})", (1.01, place), xycoords=("axes fraction", "data"),
                va="center", fontsize=8.5, color=INK if sure else MUTED,
            )  # fmt: skip
        labels = [f"{row['second']}  |  {row['first']}" for row in shown]
        axes.set_yticks(range(len(shown)), labels, color=INK, fontsize=8.5)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlim(-1.18 * reach, 1.18 * reach)
        axes.axvline(0, color=RULE, lw=1.2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):.0f}")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("recordings of test that only the one, or only the other, gets right")
        names = len({row[side] for row in table.to_dict("records") for side in ("first", "second")})
        about = f"{facts.line('test')}\n{names} networks, trained once more{kept.caveat(table)}; "
        headline(figure, "Which networks differ, recording by recording", about + "McNemar's exact test, p after Holm")
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty:
        return kept.NONE.replace("No cell was", "Fewer than two cells were").replace(
            "what it predicts", "if they differ"
        )
    sure = table[table["p_adjusted"] < LEVEL]
    pairs = f"{len(sure)} of {len(table)} pairs of networks differ on the same recordings of test"
    return f"{pairs} (McNemar's exact test, Holm's correction, 5 %){kept.caveat(table)}."
