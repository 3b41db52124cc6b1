"""Published runs as benchmark files, one for each data set and recipe.

The recipe is what a run was trained with: a file in the folder of 200 epochs that was trained with 3, and their cosine,
belongs to a recipe of 3 epochs. Where a training was published twice, both must say the same.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from skelnas.errors import InputError
from skelnas.importers.published.runs import Run, Skipped
from skelnas.recipe import SPLITS, Recipe
from skelnas.results.benchmark import Table, write_benchmark
from skelnas.results.clock import timing_table
from skelnas.results.counts import MISSING, MISSING_LOSS, stored_counts
from skelnas.results.summary import write_table
from skelnas.results.timing import COLUMNS

DEVICE = "GPUs of the thesis (not named, five processes on each)"
SOURCE = "imported from the results published with the thesis"


@dataclass
class Collected:
    """Runs by what they are the training of, and what was not taken and why."""

    runs: dict[tuple[str, int, int, int], Run] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    twice: int = 0

    def mismatched(self) -> list[Run]:
        """Runs that were trained with another number of epochs than their folder says."""
        return [run for run in self.runs.values() if run.hp.lstrip("0") != str(run.epochs)]


def collect(found: Iterable[Run | Skipped]) -> Collected:
    """Every training once; of two that say the same the one with losses.

    Raises:
        InputError: two files say different things of one training.
    """
    kept = Collected()
    for run in found:
        if isinstance(run, Skipped):
            kept.skipped.append(str(run))
            continue
        other = kept.runs.get(run.key)
        if other is None:
            kept.runs[run.key] = run
            continue
        if not _agree(run, other):
            raise InputError(
                f"{other.where} and {run.where} say different things of one training; leave one of them out"
            )
        kept.twice += 1
        if run.has_losses and not other.has_losses:
            kept.runs[run.key] = run
    return kept


def _agree(one: Run, other: Run) -> bool:
    both = one.has_losses and other.has_losses
    return (
        np.array_equal(one.top1, other.top1)
        and np.array_equal(one.top5, other.top5)
        and (not both or np.array_equal(one.loss.view(np.uint32), other.loss.view(np.uint32)))
    )


def recipe_name(run: Run) -> str:
    """The name of a run's recipe, such as b32-e200."""
    return f"b{run.dataset.batch_size}-e{run.epochs}"


def groups(runs: Iterable[Run]) -> dict[tuple[str, str], list[Run]]:
    """The runs of each benchmark file, by data set and recipe."""
    found: dict[tuple[str, str], list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.key):
        found.setdefault((run.dataset.name, recipe_name(run)), []).append(run)
    return found


def table(runs: Sequence[Run], name: str = "") -> Table:
    """The benchmark of runs of one data set and recipe, called `name`; what is not among them is missing."""
    of, epochs = runs[0].dataset, runs[0].epochs
    cells = sorted({run.cell for run in runs})
    seeds = sorted({run.seed for run in runs})
    shape = (len(cells), len(seeds), len(SPLITS), epochs)
    top1, top5 = np.full(shape, MISSING), np.full(shape, MISSING)
    loss = np.full(shape, MISSING_LOSS, dtype=np.float32)
    for run in runs:
        place = cells.index(run.cell), seeds.index(run.seed)
        top1[place], top5[place], loss[place] = run.top1, run.top5, run.loss
    recipe = Recipe(epochs, of.batch_size)
    return Table(
        cells=np.array(cells),
        seeds=seeds,
        top1=stored_counts(top1, of.samples),
        top5=stored_counts(top5, of.samples),
        loss=loss,
        samples=of.samples,
        learning_rate=np.array([recipe.rate(epoch) for epoch in range(epochs)]),
        dataset=of.name,
        recipe_name=name or recipe_name(runs[0]),
        recipe=recipe.as_dict(),
        fingerprint="",
        classes=of.classes,
        height=of.height,
        width=of.width,
        source=SOURCE,
    )


def timing(runs: Sequence[Run]) -> pd.DataFrame:
    """What was measured, in the columns of `results.timing`: seconds of a training with all its evaluations."""
    rows = [
        (run.cell, run.seed, run.seconds, DEVICE, "", "", "the thesis' own code", run.torch, "")
        for run in runs
        if not math.isnan(run.seconds)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(["index", "seed"], ignore_index=True)


def write(kept: Collected, folder: Path) -> dict[Path, list[Run]]:
    """Write `{folder}/{data set}/{recipe}.h5` with losses and measured seconds beside; which runs each one holds.

    Raises:
        InputError: there are no runs, or one of the files is there already.
    """
    if not kept.runs:
        raise InputError(f"no training can be taken: {kept.skipped[0] if kept.skipped else 'there is none'}")
    files = {folder / name / f"{recipe}.h5": runs for (name, recipe), runs in groups(kept.runs.values()).items()}
    if there := [path for path in files if path.exists()]:
        raise InputError(f"{there[0]} is there already; move it away, or import to another folder with --to")
    for path, runs in files.items():
        measured = timing(runs)
        if len(measured):
            write_table(timing_table(path), measured)
        write_benchmark(path, table(runs))
    return files
