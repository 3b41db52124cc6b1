"""The gap between training and test accuracy over the epochs."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from skelnas.analysis.learning.curves import mean_curves
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.style import ACCENT, FEW, MUTED, headline, new_figure, style
from skelnas.results.query import Benchmark


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`curves.mean_curves` of training less test accuracy (points), where both are known after earlier epochs."""
    facts = facts_of(benchmark)
    gaps = benchmark.curves("train") - benchmark.curves(facts.split)
    table = mean_curves(gaps, facts.seeds)
    known = "train" in facts.curves and facts.split in facts.curves and facts.split != "train"
    return table[table["mean"].notna() & known].reset_index(drop=True)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """The mean gap with its quantiles over the cells."""
    with style():
        figure = new_figure(height=4.4)
        axes: Axes = figure.subplots()
        epochs = table["epoch"]
        if facts.cells > 1:
            for low, high, opacity, words in (("q05", "q95", 0.14, "5 to 95 %"), ("q25", "q75", 0.28, "middle half")):
                axes.fill_between(
                    epochs, table[low], table[high], color=ACCENT, alpha=opacity, lw=0, label=f"{words} of cells"
                )
        dot: dict[str, Any] = {"marker": "o", "markersize": 4} if len(table) <= FEW else {}
        axes.plot(epochs, table["mean"], color=ACCENT, label="mean of all cells", **dot)
        axes.axhline(0, color=MUTED, lw=0.9)
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"training less {facts.split} accuracy (points)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="upper left")
        headline(figure, "How much better are cells on what they were trained with?", facts.line("train", facts.split))
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The gap at the end, and where it opens."""
    if table.empty:
        return "Training and test accuracies of earlier epochs are not both there, so no gap can be followed."
    last = table.iloc[-1]
    positive = table[table["mean"] > 0]
    opens = (
        f" it is above zero first after epoch {positive['epoch'].iloc[0]}"
        if len(positive)
        else " it never is above zero"
    )
    return (
        f"After the last epoch training accuracy is {last['mean']:.1f} points above {facts.split} in the mean cell "
        f"({last['q05']:.1f} to {last['q95']:.1f} in nine of ten);{opens}."
    )
