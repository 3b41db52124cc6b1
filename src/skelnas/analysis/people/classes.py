"""Which actions separate good networks from bad ones: the analysis `classes`.

Columns of the table, one row per network and class: network, class, right, recordings (of the test split), accuracy,
low, high (percent, Wilson's 95 % interval), spread (of the class: points between its best and its worst network);
networks, as_in_table (`kept.agreement`).
"""

import numpy as np
import pandas as pd
import scipy.stats
from matplotlib.figure import Figure

from skelnas.analysis.people import kept
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import INK, RULE, chance_line, headline, new_figure, style
from skelnas.results.networks import Networks
from skelnas.results.query import Benchmark

COLUMNS = ("network", "class", "right", "recordings", "accuracy", "low", "high", "spread", "networks", "as_in_table")
COLOURS = ("#0072b2", "#e69f00", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#f0e442", "#000000")
SHOWN = 32


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    networks = kept.networks_of(benchmark)
    return pd.DataFrame(columns=list(COLUMNS)) if networks is None else by_class(networks)


def by_class(networks: Networks) -> pd.DataFrame:
    """The table; classes without a recording in test are left out."""
    rows = []
    for network, predicted in zip(networks.names, networks.test, strict=True):
        for label, name in enumerate(networks.classes):
            here = networks.test_label == label
            right, number = int((predicted[here] == label).sum()), int(here.sum())
            if number:
                low, high = wilson(right, number)
                limits = {"accuracy": 100 * right / number, "low": 100 * low, "high": 100 * high}
                rows.append({"network": network, "class": name, "right": right, "recordings": number, **limits})
    table = pd.DataFrame(rows, columns=list(COLUMNS[:7]))
    spread = table.groupby("class")["accuracy"].agg(lambda values: values.max() - values.min())
    table["spread"] = table["class"].map(spread)
    return table.assign(**kept.agreement(networks))[list(COLUMNS)]


def wilson(right: int, number: int, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927)."""
    z = scipy.stats.norm.ppf((1 + level) / 2)
    share, weight = right / number, z**2 / number
    centre = (share + weight / 2) / (1 + weight)
    half = z * np.sqrt(share * (1 - share) / number + weight / number / 4) / (1 + weight)
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Each class's accuracy in each network, the classes that separate them most on top."""
    order = table.drop_duplicates("class").sort_values(["spread", "class"], ascending=[False, True], kind="stable")
    shown = order["class"].head(SHOWN).tolist()
    place = {name: number for number, name in enumerate(shown)}
    with style():
        figure = new_figure(height=1.7 + 0.25 * len(shown))
        axes = figure.subplots()
        part = table[table["class"].isin(shown)]
        ends = part.groupby("class")["accuracy"].agg(["min", "max"])
        for name, number in place.items():
            axes.plot(ends.loc[name], [number] * 2, color=RULE, lw=5, solid_capstyle="round", zorder=1)
        networks = list(pd.unique(table["network"]))
        for position, network in enumerate(networks):
            own = part[part["network"] == network]
            colour = COLOURS[position % len(COLOURS)]
            shift = 0.5 * ((position + 0.5) / len(networks) - 0.5)
            places = np.array([place[name] for name in own["class"]]) + shift
            overall = 100 * table["right"][table["network"] == network].sum()
            overall /= table["recordings"][table["network"] == network].sum()
            axes.scatter(
                own["accuracy"],
                places,
                s=34,
                c=colour,
                label=f"{network}, {overall:.1f} %",
                zorder=3,
                lw=0.5,
                ec="white",
            )
        chance_line(axes, facts.chance, across=True)
        numbers = table.drop_duplicates("class").set_index("class")["recordings"]
        axes.set_yticks(range(len(shown)), [f"{name} ({numbers[name]})" for name in shown], color=INK, fontsize=8.5)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlim(-2, 102)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("recordings recognised (%)")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        rest = f"; the {len(shown)} of {len(order)} that differ most" if len(order) > len(shown) else ""
        about = f"{kept.line(table, facts)}; in brackets: recordings of the class in test{rest}"
        headline(figure, "Which actions separate good networks from bad ones", about)
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty:
        return kept.NONE
    order = table.drop_duplicates("class").sort_values(["spread", "class"], ascending=[False, True], kind="stable")
    most, least = order.to_dict("records")[0], order.to_dict("records")[-1]
    words = []
    for row in (most, least):
        values = table["accuracy"][table["class"] == row["class"]]
        words.append(f"“{row['class']}” ({values.min():.0f} to {values.max():.0f} %)")
    return f"The networks differ most on {words[0]} and least on {words[1]}{kept.caveat(table)}."
