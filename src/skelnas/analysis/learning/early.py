"""How early validation ranks the cells as the final test does, and which budget finds the best."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.ranks import FEWEST, best, rank_correlation
from skelnas.analysis.style import ACCENT, FEW, INK, MUTED, POINTS, VALUE_MAP, headline, legend_below, new_figure, style
from skelnas.results.query import Benchmark

KEPT = (0.01, 0.05, 0.1, 0.25)  # shares of the cells that are kept after an epoch
TOP = 0.01  # what is to be found
COLUMNS = [
    "epoch",
    "kendall_tau_b",
    "spearman_rho",
    "kendall_best_tenth",
    "regret",
    *(f"found_{share}" for share in KEPT),
]


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`by_epoch` of validation against the final test accuracy, seed means of both."""
    facts = facts_of(benchmark)
    final = facts.split
    if "valid" not in facts.curves or final == "train":
        return pd.DataFrame(columns=COLUMNS)
    curves = np.stack([benchmark.seed_means("valid", epoch=epoch) for epoch in range(facts.epochs)], axis=1)
    return by_epoch(curves, benchmark.seed_means(final))


def by_epoch(valid: np.ndarray, final: np.ndarray) -> pd.DataFrame:
    """Per epoch (from 1): rank correlations of its validation accuracy with the final accuracy, over all cells and over
    the tenth that is best in its validation accuracy of the last epoch; `regret`, how much the cell with the highest
    validation accuracy lacks of the best final one; and of the best 1 % of cells by final accuracy, the share (0..1)
    that is among the best 1, 5, 10, 25 % by validation.

    valid: (cells, epochs); final: (cells,). Cells that lack either do not take part; epochs that no cell has are left
    out.
    """
    rows = []
    known = ~np.isnan(final) & ~np.isnan(valid).all(axis=1)
    valid, final = valid[known], final[known]
    tenth = best(valid[:, -1], 0.1) if len(final) else np.array([], dtype=int)
    wanted = set(best(final, TOP).tolist()) if len(final) else set()
    for epoch in range(valid.shape[1]):
        now = valid[:, epoch]
        if np.isnan(now).all():
            continue
        everyone = rank_correlation(now, final)
        among = rank_correlation(now[tenth], final[tenth])["kendall_tau_b"] if len(tenth) >= FEWEST else np.nan
        found = [len(wanted & set(best(now, share).tolist())) / len(wanted) for share in KEPT]
        regret = float(final.max() - final[best(now, 0)[0]])
        numbers = (epoch + 1, everyone["kendall_tau_b"], everyone["spearman_rho"], among, regret, *found)
        rows.append(dict(zip(COLUMNS, numbers, strict=True)))
    return pd.DataFrame(rows, columns=COLUMNS)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Correlations, the share of the best that is found, and the regret, by epoch."""
    look = {"lw": 1.6, "marker": "o" if len(table) <= FEW else "", "markersize": 4}
    shades = matplotlib.colormaps[VALUE_MAP](np.linspace(0, 0.9, len(KEPT)))
    with style():
        figure = new_figure(height=4.7)
        ranks, found, regret = figure.subplots(1, 3)
        ranks.plot(table["epoch"], table["kendall_tau_b"], color=POINTS, label="Kendall τ-b, all cells", **look)
        ranks.plot(table["epoch"], table["spearman_rho"], color=INK, label="Spearman ρ, all cells", **look)
        if table["kendall_best_tenth"].notna().any():
            ranks.plot(
                table["epoch"], table["kendall_best_tenth"], color=ACCENT, label="Kendall τ-b, best tenth", **look
            )
        ranks.axhline(0, color=MUTED, lw=0.9)
        ranks.set_ylim(
            min(0.0, float(np.nanmin([0, *table["kendall_best_tenth"], *table["kendall_tau_b"]]))) - 0.02, 1.02
        )
        ranks.set_title("rank correlation")
        for share, colour in zip(KEPT, shades, strict=True):
            found.plot(
                table["epoch"], 100 * table[f"found_{share}"], color=colour, label=f"keeping {share:.0%}", **look
            )
        found.set_ylim(-2, 102)
        found.set_title(f"best {TOP:.0%} still kept (%)")
        regret.plot(table["epoch"], table["regret"], color=ACCENT, label="regret", **look)
        regret.set_ylim(bottom=-0.02 * max(1.0, table["regret"].max()))
        regret.set_title("first cell's final gap (points)")
        for axes in (ranks, found, regret):
            axes.set_xlabel("epoch of the validation")
            axes.xaxis.get_major_locator().set_params(integer=True)
        legend_below(figure, (ranks, found), 4)
        about = f"{facts.line(*dict.fromkeys(('valid', facts.split)))}\nthe final accuracy is that of {facts.split}"
        headline(figure, "How early does validation know the final ranking?", about)
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The first epoch that ranks nearly as well as the last."""
    if table.empty:
        return "No validation accuracies of earlier epochs are there, so nothing can be said about stopping early."
    tau = table["kendall_tau_b"]
    if tau.isna().all():
        return "All cells are equally accurate, so there are no ranks to be foreseen."
    near = table[tau >= 0.9 * tau.iloc[-1]].iloc[0]
    share = KEPT[2]
    lost = table["epoch"].where(table[f"found_{share}"] < 0.9).max()  # the last epoch at which it does not hold them
    held = table[~(table["epoch"] <= lost)]["epoch"]
    when = "do not at any time" if held.empty else f"from epoch {held.iloc[0]:.0f} on always"
    budget = f"the best {share:.0%} by it {when} hold nine tenths of the best {TOP:.0%}"
    return (
        f"Validation reaches nine tenths of its last rank correlation with the final {facts.split} accuracy "
        f"({tau.iloc[-1]:.2f}) after epoch {near['epoch']:.0f} of {facts.epochs}; {budget}."
    )
