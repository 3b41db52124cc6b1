"""Figures of rank and structure: best and worst cells drawn, accuracy by operation and edge, agreement of rankings."""

import math

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from skelnas.analysis.cell_drawing import draw_cell
from skelnas.analysis.distribution import ranking
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import ACCENT, INK, MUTED, VALUE_MAP, headline, new_figure, style
from skelnas.cells import edges, space
from skelnas.results.query import seed_mean
from skelnas.text import counted

OPERATION_LABELS = {
    "none": "none",
    "skip_connect": "skip",
    "nor_conv_1x1": "1×1 convolution",
    "nor_conv_3x3": "3×3 convolution",
    "avg_pool_3x3": "3×3 average pool",
}


def best_and_worst_cells(summary: pd.DataFrame, facts: Facts, number: int = 4, split: str = "test") -> Figure:
    """The best and the worst cells with their operations; a third row shows the worst that see their input at all,
    where cells without a path from input to output fill the last places."""
    ranked = ranking(summary, f"{split}_top1")
    best = min(number, math.ceil(len(ranked) / 2))
    rows = {f"best {best}": ranked.head(best)}
    if worst := min(number, len(ranked) - best):
        last = (ranked["rank"] == ranked["rank"].iloc[-1]).sum()
        name = f"worst {worst}" + (f" ({last:,} cells share the last rank)" if last > 1 else "")
        rows[name] = ranked.tail(worst).iloc[::-1]
        connected = ranked[[edges.is_connected(space.cell(int(index))) for index in ranked["index"]]].iloc[best:]
        if not set(rows[name]["index"]) & set(connected["index"]) and len(connected):
            rows["worst of those with a path from input to output"] = connected.tail(worst).iloc[::-1]
    with style():
        columns = min(number, max(3, best))
        figure = new_figure(width=2.7 * columns, height=0.9 + 2.3 * len(rows))
        parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
        for part, (name, table) in zip(parts, rows.items(), strict=True):
            part.suptitle(name, x=0.012, ha="left", fontsize=11, color=MUTED)
            for axes, (_, row) in zip(part.subplots(1, columns).flat, table.iterrows(), strict=False):
                draw_cell(axes, space.cell(int(row["index"])))
                axes.set_title(_caption(row, split), fontsize=9, loc="center", pad=4)
            for axes in part.axes[len(table) :]:
                axes.set_axis_off()
        about = [facts.line(split), f"chance {facts.chance:.1f} %"]
        about += ["± standard deviation over seeds"] if len(facts.seeds) > 1 else []
        strokes = "dotted: none  ·  dashed: without effect  ·  dash-dotted: adds a learned constant only"
        headline(figure, f"Best and worst cells by {split} accuracy", f"{'  ·  '.join(about)}\n{strokes}")
    return figure


def _caption(row: pd.Series, split: str) -> str:
    deviation = row[f"{split}_top1_std"]
    spread = "" if np.isnan(deviation) else f" ± {deviation:.1f}"
    return f"rank {row['rank']:,} · cell {row['index']}\n{row[f'{split}_top1']:.1f}{spread} %"


def operations_and_edges(table: pd.DataFrame, facts: Facts, split: str = "test") -> Figure:
    """Heat map of the mean accuracy of the cells with an operation on an edge (`operations.by_operation_and_edge`)."""
    names = [f"{source}>{target}" for source, target in space.EDGES]
    means = table.pivot(index="operation", columns="edge", values="mean").loc[list(space.OPERATIONS), names].to_numpy()
    counts = (
        table.pivot(index="operation", columns="edge", values="cells").loc[list(space.OPERATIONS), names].to_numpy()
    )
    with style():
        figure = new_figure(height=4.6)
        axes = figure.subplots()
        equal = counts.min() == counts.max()
        image = axes.imshow(np.ma.masked_invalid(means), cmap=VALUE_MAP, aspect="auto")
        bright = np.nanmin(means) + 0.55 * np.ptp(means[counts > 0])
        for row, column in np.ndindex(means.shape):
            if counts[row, column] == 0:
                axes.text(column, row, "no cell", ha="center", va="center", fontsize=8, color=MUTED)
                continue
            ink = "white" if means[row, column] <= bright else INK
            axes.text(
                column,
                row - 0.09 * (not equal),
                f"{means[row, column]:.1f} %",
                ha="center",
                va="center",
                color=ink,
                fontsize=11,
            )
            if not equal:
                number = counted(int(counts[row, column]), "cell")
                axes.text(column, row + 0.24, number, ha="center", va="center", color=ink, fontsize=7.5)
        axes.set_xticks(range(len(names)), [f"{name[0]} → {name[2]}" for name in names])
        axes.set_yticks(range(len(space.OPERATIONS)), [OPERATION_LABELS[name] for name in space.OPERATIONS])
        axes.tick_params(length=0, labelcolor=INK, labelsize=10)
        axes.set_xlabel("edge (0 is the cell's input, 3 its output)")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        bar = figure.colorbar(image, ax=axes, pad=0.02, aspect=25)
        bar.set_label(f"mean {split} top-1 accuracy (%)")
        bar.outline.set_visible(False)
        overall = np.nansum((means * counts)[:, 0]) / counts[:, 0].sum()
        each = f"  ·  {counts.min():,} cells in each field" if equal else ""
        about = f"{facts.line(split)}\nmean of all cells {overall:.1f} %  ·  chance {facts.chance:.1f} %{each}"
        headline(figure, "Mean accuracy by operation and edge", about)
    return figure


def rank_agreement(valid: np.ndarray, test: np.ndarray, correlations: pd.DataFrame, facts: Facts) -> Figure:
    """Final test accuracy (cells, seeds) against validation, and between two seeds, with their rank correlations.

    `correlations` is the table of `agreement.rank_agreement`. The second panel is left out where there is one seed.
    """
    panels = [("validation", "test", seed_mean(valid), seed_mean(test))]
    if len(facts.seeds) > 1:
        panels.append((f"test, seed {facts.seeds[0]}", f"test, seed {facts.seeds[1]}", test[:, 0], test[:, 1]))
    everyone = correlations[correlations["among"] == "all cells"].reset_index(drop=True)
    with style():
        figure = new_figure(width=9 if len(panels) > 1 else 6.2, height=5.4)
        for position, (axes, (first, second, left, right)) in enumerate(
            zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True)
        ):
            both = ~(np.isnan(left) | np.isnan(right))
            left, right = left[both], right[both]
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
                bar = figure.colorbar(image, ax=axes, location="bottom", aspect=30, pad=0.02, shrink=0.62)
                bar.set_label("cells per hexagon")
                bar.outline.set_visible(False)
            else:
                axes.scatter(left, right, s=36 if len(left) <= 50 else 10, color="#0072b2", zorder=3, linewidths=0)
            for draw in (axes.axhline, axes.axvline):
                draw(facts.chance, color=ACCENT, lw=0.9, ls=(0, (4, 3)), label=f"chance, {facts.chance:.1f} %")
            axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
            axes.set_xlabel(f"{first} top-1 accuracy (%)")
            axes.set_ylabel(f"{second} top-1 accuracy (%)")
            row = everyone.iloc[position]
            axes.set_title(f"Kendall τ-b {_number(row['kendall_tau_b'])}  ·  Spearman ρ {_number(row['spearman_rho'])}")
            axes.legend(*(part[:1] for part in axes.get_legend_handles_labels()), loc="upper left")
        headline(figure, "Do rankings agree?", facts.line("valid", "test"))
    return figure


def _number(value: float) -> str:
    return "undefined" if np.isnan(value) else f"{value:.3f}"
