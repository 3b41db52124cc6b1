"""The accuracies that statistics of noise work on, with their errors, and a choice of cells made on other numbers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from skelnas.analysis.noise.reliability import FEWEST, sampling_variance, seed_variance
from skelnas.analysis.provenance import facts_of
from skelnas.cells import edges, space
from skelnas.cells.equivalence import classes
from skelnas.results.query import Benchmark, seed_mean

SEEDS, SAMPLES, BOTH = "seeds", "samples", "seeds and samples"


@dataclass(frozen=True)
class Measured:
    """Accuracies after the last epoch, and what cells may be chosen by without looking at them.

    values: percent, (cells, seeds); accuracy: their means (cells,); samples: of the split; chosen_by: (cells,), or None
    where nothing else was measured; by, on: both in words; floor: the variance between cells that are the same trained
    network, which stands for that between seeds where every cell has one; missing where few are.
    """

    values: np.ndarray
    accuracy: np.ndarray
    samples: int
    chosen_by: np.ndarray | None
    by: str
    on: str
    floor: float = np.nan

    def errors(self) -> dict[str, np.ndarray]:
        """Error variances of `accuracy` by what they allow for, (cells,) each, those that can be known.

        `seeds`: other trainings, the same samples; `samples`: the same trainings, other samples; and both. Samples are
        counted as independent between cells, which they are not: all cells see the same ones, so that the error of a
        difference is smaller than these say.
        """
        sampling = sampling_variance(self.accuracy, self.samples)
        seeds = seed_variance(self.values) / np.maximum(1, (~np.isnan(self.values)).sum(axis=1))
        if np.isnan(seeds).all():
            if np.isnan(self.floor):
                return {SAMPLES: sampling}
            seeds = np.full(len(sampling), self.floor)
        return {SEEDS: seeds, SAMPLES: sampling, BOTH: seeds + sampling}


def measured(benchmark: Benchmark) -> Measured:
    """Test accuracies with a choice by validation; of one split alone, the other seeds with a choice by the first."""
    facts = facts_of(benchmark)
    floor = network_floor(benchmark.seed_means(facts.split), benchmark.cells) if len(facts.seeds) == 1 else np.nan
    split, samples = facts.split, benchmark.samples[facts.split]
    values = benchmark.values(split)
    if {"valid", "test"} <= set(facts.splits):
        return Measured(values, seed_mean(values), samples, benchmark.seed_means("valid"), "valid", "test", floor)
    if len(facts.seeds) > 1 and split in facts.splits:
        others = values[:, 1:]
        words = (f"{split}, seed {facts.seeds[0]}", f"{split}, the other seeds")
        return Measured(others, seed_mean(others), samples, values[:, 0], *words)
    return Measured(values, seed_mean(values), samples, None, split, split, floor)


def network_floor(accuracy: np.ndarray, cells: np.ndarray) -> float:
    """The variance of accuracies (cells,) of one seed within `network` classes, pooled over those of two or more cells
    with a path from input to output: these are trainings of one network from other initial values. Missing where fewer
    than `FEWEST` degrees of freedom are left."""
    alive = np.array([edges.is_connected(space.cell(int(cell))) for cell in cells]) & ~np.isnan(accuracy)
    groups = pd.Series(accuracy[alive]).groupby(np.asarray(classes("network"))[cells[alive]])
    freedom = groups.count() - 1
    squares = groups.var(ddof=1) * freedom
    return float(squares.sum() / freedom.sum()) if freedom.sum() >= FEWEST else np.nan
