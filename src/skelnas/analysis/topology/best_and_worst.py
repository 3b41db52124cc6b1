"""The best and the worst cells with their operations."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.cell_drawing import draw_cell
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.selection.ranking import ranking
from skelnas.analysis.style import MUTED, headline, new_figure, style
from skelnas.cells import edges, space
from skelnas.results.query import Benchmark

NUMBER = 4  # cells of a group


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """The best, the worst, and the worst that see their input at all where cells without a path from input to output
    fill the last places: per cell its group, rank, index, string, accuracy (seed mean) and deviation between seeds."""
    split = facts_of(benchmark).split
    ranked = ranking(summary, f"{split}_top1")
    best = min(NUMBER, math.ceil(len(ranked) / 2))
    groups = {f"best {best}": ranked.head(best)}
    if worst := min(NUMBER, len(ranked) - best):
        last = (ranked["rank"] == ranked["rank"].iloc[-1]).sum()
        name = f"worst {worst}" + (f" ({last:,} cells share the last rank)" if last > 1 else "")
        groups[name] = ranked.tail(worst).iloc[::-1]
        connected = ranked[[edges.is_connected(space.cell(int(index))) for index in ranked["index"]]].iloc[best:]
        if not set(groups[name]["index"]) & set(connected["index"]) and len(connected):
            groups["worst of those with a path from input to output"] = connected.tail(worst).iloc[::-1]
    columns = ["group", "rank", "index", "architecture", f"{split}_top1", f"{split}_top1_std"]
    return pd.concat([group.assign(group=name) for name, group in groups.items()], ignore_index=True)[columns]


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """A row of drawn cells for each group."""
    split, rows = facts.split, dict(list(table.groupby("group", sort=False)))
    best = len(next(iter(rows.values())))
    with style():
        columns = min(NUMBER, max(3, best))
        figure = new_figure(width=2.7 * columns, height=0.9 + 2.3 * len(rows))
        parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
        for part, (name, group) in zip(parts, rows.items(), strict=True):
            part.suptitle(str(name), x=0.012, ha="left", fontsize=11, color=MUTED)
            for axes, (_, row) in zip(part.subplots(1, columns).flat, group.iterrows(), strict=False):
                draw_cell(axes, space.cell(int(row["index"])))
                axes.set_title(_caption(row, split), fontsize=9, loc="center", pad=4)
            for axes in part.axes[len(group) :]:
                axes.set_axis_off()
        about = [facts.line(split), f"chance {facts.chance:.1f} %"]
        about += ["± standard deviation over seeds"] if len(facts.seeds) > 1 else []
        strokes = "dotted: none  ·  dashed: without effect  ·  dash-dotted: adds a learned constant only"
        headline(figure, f"Best and worst cells by {split} accuracy", f"{'  ·  '.join(about)}\n{strokes}")
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The best cell, the worst, and what lies between."""
    if table.empty:
        return "No cell has an accuracy after the last epoch."
    accuracy = table[f"{facts.split}_top1"]
    best, worst = table.loc[accuracy.idxmax()], table.loc[accuracy.idxmin()]
    return (
        f"The best cell is {best['index']:.0f} with {accuracy.max():.1f} % ({facts.split}), the worst reaches "
        f"{worst[accuracy.name]:.1f} %; chance is {facts.chance:.1f} %. A best cell chosen by the accuracy that is "
        "reported looks better than it is."
    )


def _caption(row: pd.Series, split: str) -> str:
    deviation = row[f"{split}_top1_std"]
    spread = "" if np.isnan(deviation) else f" ± {deviation:.1f}"
    return f"rank {row['rank']:,} · cell {row['index']}\n{row[f'{split}_top1']:.1f}{spread} %"
