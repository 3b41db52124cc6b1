"""Which actions chosen networks take for which: the analysis `confusion`.

Columns of the table, one row per network and pair of classes that occurs: network, class, predicted (a class, or
NOTHING where an output was no number), recordings (of the test split); networks, as_in_table (`kept.agreement`).
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.people import kept
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import MUTED, VALUE_MAP, headline, new_figure, style
from skelnas.results.networks import Networks
from skelnas.results.query import Benchmark

COLUMNS = ("network", "class", "predicted", "recordings", "networks", "as_in_table")
NOTHING = "no number"
NAMED_CLASSES, SHOWN = 32, 4


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    networks = kept.networks_of(benchmark)
    return pd.DataFrame(columns=list(COLUMNS)) if networks is None else confusions(networks)


def confusions(networks: Networks) -> pd.DataFrame:
    """The table."""
    names, rows = [*networks.classes, NOTHING], []
    for network, predicted in zip(networks.names, networks.test, strict=True):
        matrix = confusion_matrix(networks.test_label, predicted, len(networks.classes))
        for right, found in zip(*np.nonzero(matrix), strict=True):
            number = int(matrix[right, found])
            rows.append({"network": network, "class": names[right], "predicted": names[found], "recordings": number})
    return pd.DataFrame(rows, columns=list(COLUMNS[:4])).assign(**kept.agreement(networks))[list(COLUMNS)]


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """How often each class (rows) was taken for each (columns, the last is NOTHING): int64 (K, K + 1)."""
    matrix = np.zeros((classes, classes + 1), dtype=np.int64)
    np.add.at(matrix, (labels.astype(int), predicted.astype(int)), 1)
    return matrix


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """A matrix for each network, rows sum to 100 %."""
    shown = list(pd.unique(table["network"]))[:SHOWN]
    classes = list(pd.unique(table["class"]))
    place = {name: number for number, name in enumerate(classes)}
    few = len(classes) <= NAMED_CLASSES
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    with style():
        figure = new_figure(height=1.3 + rows * 4.3)
        panels = figure.subplots(rows, columns, squeeze=False).flat
        for axes, network in zip(panels, shown, strict=False):
            part = table[table["network"] == network]
            matrix = np.zeros((len(classes), len(classes)))
            for row in part.to_dict("records"):
                if row["predicted"] in place:
                    matrix[place[row["class"]], place[row["predicted"]]] = row["recordings"]
            total = part.groupby("class")["recordings"].sum().reindex(classes).to_numpy()
            image = axes.imshow(100 * matrix / total[:, None], cmap=VALUE_MAP, vmin=0, vmax=100)
            right = 100 * np.trace(matrix) / total.sum()
            axes.set_title(f"{network}: {right:.1f} % right", fontsize=10)
            axes.set_xticks(
                range(len(classes)) if few else [], [str(n + 1) for n in range(len(classes))] if few else []
            )
            axes.set_yticks(range(len(classes)) if few else [], _labels(classes) if few else [])
            axes.tick_params(length=0, labelsize=6)
            axes.grid(visible=False)
            axes.spines[:].set_visible(False)
        for axes in list(figure.axes)[len(shown) :]:
            axes.set_axis_off()
        bar = figure.colorbar(image, ax=figure.axes, location="bottom", aspect=50, shrink=0.5, pad=0.02)
        bar.set_label("recordings of a class (row) taken for a class (column), %", color=MUTED)
        bar.outline.set_visible(False)
        headline(figure, "Which actions are taken for which", kept.line(table, facts))
    return figure


def _labels(classes: list[str]) -> list[str]:
    return [f"{name if len(name) <= 24 else name[:22] + '…'} {number + 1}" for number, name in enumerate(classes)]


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty:
        return kept.NONE
    wrong = table[table["class"] != table["predicted"]]
    if wrong.empty:
        return "No network takes any recording of test for another action."
    first = table["network"].iloc[0]
    pairs = wrong[wrong["network"] == first] if (wrong["network"] == first).any() else wrong
    most = pairs.sort_values("recordings", ascending=False, kind="stable").to_dict("records")[0]
    return (
        f"The network {most['network']} most often takes “{most['class']}” for “{most['predicted']}” "
        f"({most['recordings']} recordings of test){kept.caveat(table)}."
    )
