"""Mean learning curves over all cells, with their spread over the cells."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.spread import QUANTILES
from skelnas.analysis.style import FEW, INK, SPLIT_COLOURS, chance_line, headline, new_figure, style
from skelnas.recipe import SPLITS
from skelnas.results.query import Benchmark, seed_mean


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`mean_curves` of each split's accuracy and loss, one below the other, where more is known than the
    last epoch."""
    known, tables = facts_of(benchmark).curves, []
    for split in SPLITS:
        for metric in ("top1", "loss"):
            present = benchmark.present(split, metric, epoch=None)
            table = mean_curves(benchmark.curves(split, metric), benchmark.seeds, present)
            rows = present.any(axis=(0, 1)) & (split in known)
            tables.append(table[rows].assign(split=split, metric=metric))
    return pd.concat(tables, ignore_index=True)


def mean_curves(curves: np.ndarray, seeds: tuple[int, ...], present: np.ndarray | None = None) -> pd.DataFrame:
    """Learning curves (cells, seeds, epochs) averaged over all cells, with their spread over cells.

    One row per epoch, counted from 1: the mean over the cells of their seed means, quantiles over these, and the mean
    over cells of each seed. Missing seeds and epochs are left out, and so are cells with a value that is there and not
    finite (diverged losses; `present`, bool of the same shape, tells them from missing ones). An epoch that no cell
    has is missing.
    """
    present = ~np.isnan(curves) if present is None else present
    finite = np.where(np.isfinite(curves), curves, np.nan)
    per_cell = seed_mean(np.where(present, finite, 0.0), present)
    table = {"epoch": np.arange(1, curves.shape[2] + 1), "mean": _mean(per_cell)}
    spread = np.full((len(QUANTILES), curves.shape[2]), np.nan)
    some = ~np.isnan(per_cell).all(axis=0)
    spread[:, some] = np.nanquantile(per_cell[:, some], list(QUANTILES.values()), axis=0)
    table |= dict(zip(QUANTILES, spread, strict=True))
    table |= {f"mean_seed{seed}": _mean(finite[:, column]) for column, seed in enumerate(seeds)}
    return pd.DataFrame(table)


def _mean(values: np.ndarray) -> np.ndarray:
    """The mean over the cells that have a value: (cells, epochs) to (epochs,)."""
    there = ~np.isnan(values)
    number = there.sum(axis=0)
    return np.where(there, values, 0).sum(axis=0) / np.where(number, number, np.nan)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Mean accuracy of all cells after each epoch, with quantiles over the cells; one panel per split."""
    accuracy = table[table["metric"] == "top1"]
    curves = {split: accuracy[accuracy["split"] == split] for split in SPLITS if split in set(accuracy["split"])}
    with style():
        figure = new_figure(height=4.4)
        panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
        for axes, (split, curve) in zip(panels, curves.items(), strict=True):
            colour, epochs = SPLIT_COLOURS[split], curve["epoch"]
            dot = {"marker": "o", "markersize": 4} if len(curve) <= FEW else {}
            if facts.cells > 1:
                axes.fill_between(
                    epochs, curve["q05"], curve["q95"], color=colour, alpha=0.14, lw=0, label="5 to 95 % of cells"
                )
                axes.fill_between(
                    epochs, curve["q25"], curve["q75"], color=colour, alpha=0.28, lw=0, label="middle half of cells"
                )
            for position, seed in enumerate(facts.seeds if len(facts.seeds) > 1 else ()):
                label = "mean, each seed" if position == 0 else None
                axes.plot(epochs, curve[f"mean_seed{seed}"], color=INK, lw=0.7, ls=(0, (1, 1)), label=label)
            axes.plot(epochs, curve["mean"], color=colour, label="mean of all cells", **dot)
            chance_line(axes, facts.chance)
            axes.set_title(f"{split}: {curve['mean'].iloc[-1]:.1f} % at the end", color=colour)
            axes.set_xlabel("epoch")
            axes.set_xlim(epochs.iloc[0] - (len(curve) == 1) * 0.5, epochs.iloc[-1] + (len(curve) == 1) * 0.5)
            axes.set_ylim(0, 100)
            axes.xaxis.get_major_locator().set_params(integer=True)
        panels[0].set_ylabel("top-1 accuracy (%)")
        handles, labels = panels[-1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), columnspacing=1.6)
        headline(figure, "Mean learning curves over all cells", facts.line(*curves))
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """Where the mean curve ends, and where half of its way from chance is done."""
    curve = table[(table["metric"] == "top1") & (table["split"] == facts.split)]
    if curve.empty:
        return "Accuracies are known after the last epoch alone, so there are no curves to be drawn."
    end = curve["mean"].iloc[-1]
    reached = curve[curve["mean"] >= facts.chance + (end - facts.chance) / 2]
    return (
        f"The mean cell ends at {end:.1f} % ({facts.split}); half of the way from chance ({facts.chance:.1f} %) is "
        f"done after {int(reached['epoch'].iloc[0])} of {facts.epochs} epochs."
    )
