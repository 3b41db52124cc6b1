"""What a cross-validation says of each cell: the mean over the folds, how much they differ, and all counts together."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import INK, MUTED, POINTS, headline, new_figure, style
from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.results.query import Benchmark
from skelnas.text import counted

SPLITS = ("valid", "test")  # train is what a fold has in common with the others
NUMBERED = 30  # up to so many cells or folds each has its number below it


def tabulate(benchmarks: Sequence[Benchmark], summaries: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row per cell, from the accuracies after the last epoch (seed means); `benchmarks` in the order of the folds.

    For valid and test: `{split}_mean`, `{split}_std` (sample standard deviation), `{split}_lowest` and
    `{split}_highest` over the folds, in percent; `{split}_correct` of `{split}_samples`, summed over folds and seeds,
    and `{split}_pooled`, the one in percent of the other, in which large folds count for more; `{split}_fold1`, ... the
    accuracy in each. A cell that a fold lacks has none of these.

    Raises:
        InputError: the folds do not have the same cells.
    """
    cells = benchmarks[0].cells
    for one in benchmarks[1:]:
        if not np.array_equal(one.cells, cells):
            raise InputError(f"{one.path} has other cells than {benchmarks[0].path}; train the same in every fold")
    columns: dict[str, object] = {
        "index": cells,
        "architecture": [space.text(space.cell(int(cell))) for cell in cells],
    }
    for split in SPLITS:
        accuracy = np.array([one.seed_means(split) for one in benchmarks])  # folds, cells
        counts = np.array([one.counts(split)[:, :, -1] for one in benchmarks])  # folds, cells, seeds; -1 is missing
        samples = np.array([one.samples[split] for one in benchmarks])[:, None, None] * (counts >= 0)
        whole = ~np.isnan(accuracy).any(axis=0)
        correct, total = np.where(counts >= 0, counts, 0).sum(axis=(0, 2)), samples.sum(axis=(0, 2))
        columns |= {
            f"{split}_mean": accuracy.mean(axis=0),
            f"{split}_std": accuracy.std(axis=0, ddof=1),
            f"{split}_lowest": accuracy.min(axis=0),
            f"{split}_highest": accuracy.max(axis=0),
            f"{split}_correct": correct,
            f"{split}_samples": total,
            f"{split}_pooled": np.where(whole, 100 * correct / np.maximum(total, 1), np.nan),
            **{f"{split}_fold{number + 1}": row for number, row in enumerate(accuracy)},
        }
        if not whole.any():
            return pd.DataFrame(columns=list(columns))
    return pd.DataFrame(columns)


def draw(table: pd.DataFrame, facts: Sequence[Facts]) -> Figure:
    """Cells from worst to best by their mean, with the spread over the folds; and each fold over all cells."""
    with style():
        figure = new_figure(height=4.6)
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1), sharey=True)
        _cells(left, table)
        left.axhline(facts[0].chance, color=MUTED, lw=1, ls=(0, (4, 2)))
        _folds(right, table[_folds_of(table)], facts)
        headline(figure, "What every fold says, and their mean", _about(facts))
    return figure


def _cells(axes: Axes, table: pd.DataFrame) -> None:
    ordered = table.dropna(subset=["test_mean"]).sort_values(["test_mean", "index"])
    ranks = np.arange(1, len(ordered) + 1)
    mean, deviation = ordered["test_mean"], ordered["test_std"]
    if len(ordered) <= NUMBERED:
        for name in _folds_of(ordered):
            axes.scatter(ranks, ordered[name], s=14, color=POINTS, alpha=0.6, lw=0)
        axes.errorbar(ranks, mean, deviation, color=INK, marker="o", ms=5, lw=0, elinewidth=1.4, capsize=3)
        axes.set_xticks(ranks, [str(cell) for cell in ordered["index"]], rotation=90 if len(ranks) > 6 else 0)
        axes.set_xlabel("cell, from worst to best mean")
        axes.set_title("Folds (dots), their mean and deviation")
    else:
        axes.fill_between(ranks, ordered["test_lowest"], ordered["test_highest"], color=POINTS, alpha=0.18, lw=0)
        axes.fill_between(ranks, mean - deviation, mean + deviation, color=POINTS, alpha=0.35, lw=0)
        axes.plot(ranks, mean, color=INK)
        axes.set_xlabel("rank of the cell, from worst to best mean")
        axes.set_title("Mean, deviation and range over the folds")
    axes.set(ylabel="test accuracy, %", xlim=(0.5, len(ordered) + 0.5))


def _folds(axes: Axes, accuracy: pd.DataFrame, facts: Sequence[Facts]) -> None:
    columns = [accuracy[name].dropna().to_numpy() for name in accuracy]
    places = np.arange(1, len(columns) + 1)
    axes.boxplot(
        columns,
        positions=places,
        widths=0.6,
        whis=(0, 100),
        boxprops={"color": POINTS},
        whiskerprops={"color": POINTS},
        capprops={"color": POINTS},
        medianprops={"color": INK},
    )
    every = -(-len(places) // NUMBERED)
    labels = [f"{place}\n{one.samples['test']:,}" for place, one in enumerate(facts, start=1)]
    axes.set_xticks(places[::every], labels[::every], fontsize=8 if len(places) <= 12 else 6)
    axes.axhline(facts[0].chance, color=MUTED, lw=1, ls=(0, (4, 2)))
    axes.set(xlabel="fold, and recordings that it tests", xlim=(0.4, len(places) + 0.6))
    axes.set_title("All cells in each fold")


def finding(table: pd.DataFrame, facts: Sequence[Facts]) -> str:
    """The cell with the best mean validation accuracy: its test accuracy over the folds; and how the folds differ."""
    if table.empty:
        return "No cell has an accuracy after the last epoch in every fold."
    best = table.loc[table["valid_mean"].idxmax()]
    folds = table[_folds_of(table)].mean()
    low, high = int(folds.to_numpy().argmin()), int(folds.to_numpy().argmax())
    return (
        f"Of {counted(len(table), 'cell')} over {len(folds)} folds, the one with the best mean validation accuracy is "
        f"{int(best['index'])}: {best['test_mean']:.2f} % of test, with a deviation of {best['test_std']:.2f} between "
        f"the folds, {int(best['test_correct']):,} of {int(best['test_samples']):,} predictions; over all cells, fold "
        f"{low + 1} has {folds.iloc[low]:.2f} % and fold {high + 1} {folds.iloc[high]:.2f} %."
    )


def _folds_of(table: pd.DataFrame) -> list[str]:
    return [name for name in table if name.startswith("test_fold")]


def _about(facts: Sequence[Facts]) -> str:
    first, tests = facts[0], [one.samples["test"] for one in facts]
    seeds = ", ".join(map(str, first.seeds))
    return "  ·  ".join(
        [
            f"{first.dataset.rpartition('-')[0]}, {first.recipe} ({counted(first.epochs, 'epoch')})",
            counted(first.cells, "cell"),
            f"{len(facts)} folds",
            f"{'seed' if len(first.seeds) == 1 else 'mean of seeds'} {seeds}",
            f"{sum(tests):,} recordings tested, {min(tests):,} to {max(tests):,} in a fold",
        ]
    )
