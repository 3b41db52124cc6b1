"""Cells of a benchmark trained once more, and how far their counts agree with those that were published.

On one kind of processor, with the same engine and PyTorch, every count must be equal. Elsewhere rounding differs in
the last bit, and after some steps a training is another one, as with another seed; then the differences after the last
epoch are held against noise. The model of it: both counts of a training scatter independently around one mean, each
with the variance of a binomial count or of the archive's seeds (pooled over its cells), whichever is larger. The sum of
d^2 / (2 variance) over the trainings is then chi-squared; below `DOUBT` it is more than noise.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy.stats import chi2

from skelnas import hdf5
from skelnas.errors import InputError
from skelnas.images.image_set import ImageSet
from skelnas.progress import Progress
from skelnas.recipe import NETWORK_VERSION, SPLITS, Recipe
from skelnas.results.query import Benchmark
from skelnas.results.trained_on import Origin
from skelnas.text import counted
from skelnas.training.engines import Job, Request, Settings, train_jobs
from skelnas.training.metrics import Curves
from skelnas.training.precision import check_precision
from skelnas.training.shard import device_name

DOUBT = 0.001  # one honest archive in about a thousand is doubted
JUDGED = ("valid", "test")  # what no network was trained on
COUNTS = ("top1", "top5")


@dataclass(frozen=True)
class Agreement:
    """One split: counts over all epochs and both kinds, then top-1 after the last epoch in samples.

    `rms` is the root mean square of the differences, `noise` what the model expects of it, `chance` the probability of
    differences as large or larger.
    """

    split: str
    equal: int
    counts: int
    samples: int
    largest: int
    rms: float
    noise: float
    chance: float


@dataclass(frozen=True)
class Reproduction:
    """Trainings done again: which, what they were made with, what with here, and how far they agree."""

    jobs: list[Job]
    made: list[Origin]
    here: Origin
    instead: str  # what was used in place of the recipe, empty for nothing
    same: bool  # all were made with what is here
    splits: list[Agreement]

    @property
    def equal(self) -> bool:
        """Whether every count is the same."""
        return all(split.equal == split.counts for split in self.splits)

    @property
    def agrees(self) -> bool:
        """Whether the counts agree as they should."""
        return self.equal or (not self.same and not self.beyond_noise)

    @property
    def beyond_noise(self) -> list[str]:
        """The splits whose counts differ by more than noise."""
        return [split.split for split in self.splits if split.split in JUDGED and split.chance < DOUBT]


def sample(benchmark: Benchmark, number: int) -> list[Job]:
    """`number` trainings of different cells: evenly spaced by test accuracy, the seeds in turn; always the same ones.

    Raises:
        InputError: the benchmark has nothing to be sampled.
    """
    split = "test" if benchmark.present("test").any() else "valid"
    means, present = benchmark.seed_means(split), benchmark.present(split)
    rows = [row for row in np.lexsort((benchmark.cells, -means)) if present[row].any()]
    if not rows:
        raise InputError(f"{benchmark.path} has no counts after the last epoch to agree with")
    number = min(number, len(rows))
    chosen = [rows[(2 * i + 1) * len(rows) // (2 * number)] for i in range(number)]
    jobs = []
    for turn, row in enumerate(chosen):
        seeds = [seed for seed, there in zip(benchmark.seeds, present[row], strict=True) if there]
        jobs.append((int(benchmark.cells[row]), seeds[turn % len(seeds)]))
    return jobs


def trainings_of(benchmark: Benchmark, cells: Sequence[int | str]) -> list[Job]:
    """Every seed of cells by name.

    Raises:
        InputError: the benchmark does not have one of them.
    """
    present = benchmark.present("valid") | benchmark.present("test")
    rows = np.searchsorted(benchmark.cells, sorted({benchmark.index(cell) for cell in cells}))
    return [
        (int(benchmark.cells[row]), seed)
        for row in rows
        for seed, there in zip(benchmark.seeds, present[row], strict=True)
        if there
    ]


def reproduce(
    benchmark: Benchmark,
    images: ImageSet,
    jobs: Sequence[Job],
    origins: dict[Job, Origin],
    processes: int,
) -> Reproduction:
    """Train `jobs` again on `images`, with progress on standard error, and compare.

    The engine is that of the archive, the device the one of its name if it is here. A precision that is not here is
    replaced by fp32, which is said.

    Raises:
        InputError: other images, a benchmark of another network, or trainings that crash.
    """
    _check(benchmark, images)
    made = [origins.get(job, Origin()) for job in jobs]
    settings = Settings(engine=_engine(made), device=_device(made), processes=processes)
    device = settings.torch_device()
    recipe, instead = _recipe(Recipe(**dict[str, Any](benchmark.recipe)), device)
    here = Origin(device_name(device), settings.engine, str(torch.__version__))
    found: dict[Job, Curves] = {}
    what = f"{counted(len(jobs), 'training')} of {counted(recipe.epochs, 'epoch')}"
    sys.stderr.write(f"{what} on {here.device}; the first that ends says how long the others will take\n")
    progress = Progress(f"{benchmark.dataset} {benchmark.recipe_name}", len(jobs), "trainings")

    def record(cell: int, seed: int, curves: Curves, seconds: float) -> None:
        found[cell, seed] = curves
        progress.advance()

    here = replace(here, engine=train_jobs(Request(list(jobs), images, recipe, settings), record))
    same = not instead and all(
        (one.device, one.engine, one.torch) == (here.device, here.engine, here.torch) for one in made
    )
    splits = [_agreement(benchmark, split, [found[job] for job in jobs], jobs) for split in SPLITS]
    return Reproduction(list(jobs), made, here, instead, same, [split for split in splits if split.counts])


def _check(benchmark: Benchmark, images: ImageSet) -> None:
    if images.fingerprint != benchmark.fingerprint:
        raise InputError(
            f"the images have the fingerprint {images.fingerprint}, {benchmark.path.name} was trained on "
            f"{benchmark.fingerprint}; give these by --images"
        )
    with hdf5.opened(benchmark.path) as (_, attributes):
        version = int(attributes["network_version"])
    if version != NETWORK_VERSION:
        raise InputError(
            f"{benchmark.path.name} was trained with version {version} of the network, this skelnas has "
            f"{NETWORK_VERSION}; use the skelnas that environment.json of the archive names"
        )


def _engine(made: Sequence[Origin]) -> str:
    """The engine of the first training that names a known one."""
    return next((one.engine for one in made if one.engine in ("plain", "fused", "graphed")), "fused")


def _device(made: Sequence[Origin]) -> str:
    """The processor where the archive names it, else the GPU if there is one."""
    return "cpu" if any(one.device == device_name(torch.device("cpu")) for one in made) else "auto"


def _recipe(recipe: Recipe, device: torch.device) -> tuple[Recipe, str]:
    """The recipe as this device can train it, and in words what is used instead."""
    try:
        check_precision(recipe, device)
    except InputError:
        told = f"{device_name(device)} has no {recipe.precision}: fp32 is used instead"
        return replace(recipe, precision="fp32", exact_epochs=0), told
    return recipe, ""


def _agreement(benchmark: Benchmark, split: str, curves: Sequence[Curves], jobs: Sequence[Job]) -> Agreement:
    rows = np.searchsorted(benchmark.cells, [cell for cell, _ in jobs])
    columns = [benchmark.seeds.index(seed) for _, seed in jobs]
    equal = counts = 0
    for metric in COUNTS:
        old = benchmark.counts(split, metric)[rows, columns]
        new = np.stack([getattr(curve, metric)[SPLITS.index(split)] for curve in curves])
        equal, counts = equal + int(((old == new) & (old >= 0)).sum()), counts + int((old >= 0).sum())
    every = benchmark.counts(split)[..., -1]
    old = every[rows, columns]
    new = np.array([curve.top1[SPLITS.index(split), -1] for curve in curves])
    known, samples = old >= 0, benchmark.samples[split]
    difference = (new - old)[known].astype(float)
    if not len(difference):
        return Agreement(split, equal, counts, samples, 0, 0.0, 0.0, 1.0)
    variance = np.maximum(_binomial(old[known], samples), seed_variance(every))
    chance = float(chi2.sf((difference**2 / (2 * variance)).sum(), len(difference)))
    rms, noise = float(np.sqrt((difference**2).mean())), float(np.sqrt(2 * variance.mean()))
    return Agreement(split, equal, counts, samples, int(np.abs(difference).max()), rms, noise, chance)


def _binomial(counts: np.ndarray, samples: int) -> np.ndarray:
    """Variance of binomial counts, with a share that is never 0 or 1 (Laplace's rule of succession)."""
    share = (counts + 1) / (samples + 2)
    return samples * share * (1 - share)


def seed_variance(counts: np.ndarray) -> float:
    """The variance between the seeds of a cell, pooled over cells; counts (cells, seeds), -1 is missing."""
    known = np.where(counts >= 0, counts, np.nan).astype(float)
    several = known[(~np.isnan(known)).sum(axis=1) > 1]
    if not len(several):
        return 0.0
    degrees = (~np.isnan(several)).sum(axis=1) - 1
    squares = np.nansum((several - np.nanmean(several, axis=1, keepdims=True)) ** 2, axis=1)
    return float(squares.sum() / degrees.sum())


def verdict(done: Reproduction) -> str:
    """One sentence on how far the counts agree, and whether they should."""
    counts, equal = sum(one.counts for one in done.splits), sum(one.equal for one in done.splits)
    told = f"{equal:,} of {counts:,} counts are equal"
    if done.equal:
        return f"agrees: all {counts:,} counts are equal" + ("" if done.same else ", though made with something else")
    if done.same:
        return (
            f"does not agree: {told}, and the same processor, engine and torch must give all of them; look for "
            "variables such as ATEN_CPU_CAPABILITY or ONEDNN_MAX_CPU_ISA, for faulty memory, or for a changed file"
        )
    if done.beyond_noise:
        return f"does not agree: {told}, and those of {' and '.join(done.beyond_noise)} differ by more than noise"
    return f"agrees within noise: {told}, as on another kind of processor, engine or torch they need not be"
