"""What is left of a study and what it costs: device-hours from a measured rate, when they end, and bytes on disk.

Work is counted in multiply-accumulates: those of one image through the cell's network, times training samples, times
epochs. A rate is seconds per multiply-accumulate counted so; the passes over the other splits and everything else that
training does are in the seconds it was measured with. Two sources know rates: the sidecars and journals of a study, and
the file of `make bench`, `bench/calibration.json`:

    {"format": "skelnas calibration 1",
     "rates": [{"height": 60, "width": 68, "classes": 27, "samples": 323, "epochs": 2, "batch-size": 32,
                "precision": "fp32", "engine": "fused", "device": "NVIDIA H200", "cells": [123, 4999, ...],
                "seconds": 12.5}, ...]}

One entry is one measurement: `cells` (architecture indices, trained together) took the device `seconds` of wall clock
for `epochs` epochs of `samples` training samples. Of entries that fit equally well the last one counts.
"""

import heapq
import json
import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from skelnas.cells.cost import costs
from skelnas.errors import InputError
from skelnas.recipe import SPLITS, Recipe
from skelnas.study.state import RunState, measured_seconds

CALIBRATION = Path("bench/calibration.json")
CALIBRATION_FORMAT = "skelnas calibration 1"
AUTO_GROUP = 32  # cells that fill a GPU, at least, where the configuration leaves their number to its memory


@dataclass(frozen=True)
class Images:
    """What the costs of a training depend on: the images' size in pixels, classes, and samples of `train`."""

    height: int
    width: int
    classes: int
    samples: int


@dataclass(frozen=True)
class Rate:
    """Seconds of one device per multiply-accumulate, and in words where that comes from."""

    seconds_per_mac: float
    origin: str


def work(cells: Sequence[int], images: Images, epochs: int) -> float:
    """Multiply-accumulates of training `cells` (architecture indices), as counted above."""
    return float(macs_of(images)[np.array(cells, dtype=np.int64)].sum()) * images.samples * epochs


@cache
def macs_of(images: Images) -> np.ndarray:
    """Multiply-accumulates of one image through every cell, by architecture index."""
    return costs(images.classes, images.height, images.width)[1]


def measured_rate(seconds_of: Iterable[tuple[int, float]], images: Images, epochs: int, origin: str) -> Rate | None:
    """The rate of finished trainings, given as (architecture index, seconds); None without any."""
    pairs = list(seconds_of)
    seconds = sum(second for _, second in pairs)
    return Rate(seconds / work([cell for cell, _ in pairs], images, epochs), origin) if seconds > 0 else None


def calibrated_rate(entries: Sequence[dict[str, Any]], images: Images, recipe: Recipe, engine: str) -> Rate | None:
    """The rate of the nearest measurement (batch size, image size) with this precision and engine; None without one."""
    fitting = [entry for entry in entries if (entry["precision"], entry["engine"]) == (recipe.precision, engine)]
    if not fitting:
        return None

    def distance(entry: dict[str, Any]) -> float:
        pixels = entry["height"] * entry["width"] / (images.height * images.width)
        return abs(math.log(entry["batch-size"] / recipe.batch_size)) + abs(math.log(pixels))

    entry = min(reversed(fitting), key=distance)
    measured = Images(entry["height"], entry["width"], entry["classes"], entry["samples"])
    where = f"{entry['height']} x {entry['width']} images in batches of {entry['batch-size']}"
    return Rate(
        entry["seconds"] / work(entry["cells"], measured, entry["epochs"]),
        f"make bench on {entry['device']} with {where}",
    )


def read_calibration(path: Path | str) -> list[dict[str, Any]]:
    """The measurements of a calibration file; none where there is no file.

    Raises:
        InputError: the file cannot be read as one.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if content["format"] != CALIBRATION_FORMAT:
            raise ValueError(f"its format is {content['format']!r}")
        for entry in content["rates"]:
            numbers = [
                entry[key] for key in ("height", "width", "classes", "samples", "epochs", "batch-size", "seconds")
            ]
            names = [entry[key] for key in ("precision", "engine", "device")]
            if min(numbers) <= 0 or not entry["cells"] or not all(isinstance(name, str) for name in names):
                raise ValueError("a measurement without cells, or with a number that is not above 0")
        return content["rates"]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} cannot be read as measured rates ({error}); make it anew with `make bench`"
        ) from error


def duration(shards: Iterable[float], jobs: int) -> float:
    """Seconds until shards of that many seconds each are done, `jobs` at a time, in the order given."""
    ends: list[float] = []
    for seconds in shards:
        heapq.heappush(ends, seconds + (heapq.heappop(ends) if len(ends) == jobs else 0.0))
    return max(ends, default=0.0)


# Bytes on disk, from above: compression is not counted on, and headers and blocks are rounded up.
CURVE_BYTES = 3 * 4 * len(SPLITS)  # loss, top-1 and top-5 per epoch
HDF5_BYTES = 32 * 1024  # groups, headers and chunk indices of a small file
BLOCK_BYTES = 4096
FILES_OF_SHARD = 10  # shard, sidecar, log, benchmark, SLURM's log and its folder, two of snakemake's, second names
FILES_AT_WORK = 5  # folder of the journal, its file and one that is taken over, heartbeat, a file being written
CHECKPOINTS_AT_WORK = 8  # files of a job: one for each of its processes, and what these are about to supersede
RECORD_BYTES = 128  # of a journal beside curves and timing
CHECKPOINT_BYTES = 2 * 4  # per parameter: its value and its momentum, float32
TIMING_BYTES = 256  # per training, in a sidecar and in the timing table
SUMMARY_BYTES = 512  # per cell, in the summary table and in the benchmark's own tables
ANALYSIS_BYTES = 10_000_000  # figures and tables of one run


def shard_bytes(cells: int, epochs: int) -> int:
    """A shard file and its sidecar."""
    return cells * (CURVE_BYTES * epochs + TIMING_BYTES) + 8 * epochs + HDF5_BYTES


def journal_bytes(cells: int, epochs: int) -> int:
    """The journal of a shard just before it is finished: one file, and while it is taken over a second one."""
    return 2 * (cells * (CURVE_BYTES * epochs + TIMING_BYTES + RECORD_BYTES) + BLOCK_BYTES)


def checkpoint_bytes(parameters: float, trainings: int) -> int:
    """Checkpoints of that many trainings of networks with `parameters` parameters (mean), and their successors."""
    return int(2 * trainings * (parameters * CHECKPOINT_BYTES + BLOCK_BYTES))


def benchmark_bytes(cells: int, seeds: int, epochs: int) -> int:
    """A benchmark file with its summary and timing tables."""
    return cells * seeds * (CURVE_BYTES * epochs + TIMING_BYTES) + cells * SUMMARY_BYTES + 8 * epochs + HDF5_BYTES


def free_bytes(folder: Path | str) -> int:
    """Bytes that may still be written where `folder` lies or will lie (a quota may allow less)."""
    existing = next(path for path in [Path(folder).absolute(), *Path(folder).absolute().parents] if path.exists())
    return shutil.disk_usage(existing).free


@dataclass(frozen=True)
class RunEstimate:
    """One run; `shard_seconds` are those of the shards that are not finished, None where no rate is known."""

    state: RunState
    rate: Rate | None
    shard_seconds: tuple[float, ...] | None
    need: int  # bytes
    files: int = 0  # that its shards still add and that stay: results, logs, what snakemake remembers
    files_at_work: int = 0  # that its jobs keep beside these while they train

    @property
    def hours(self) -> float | None:
        """Device-hours left."""
        return None if self.shard_seconds is None else sum(self.shard_seconds) / 3600


def estimate(
    states: Sequence[RunState], calibration: Sequence[dict[str, Any]], training: dict[str, Any], jobs: int
) -> list[RunEstimate]:
    """The estimate of each run; `training` is the configuration's block, `jobs` the number that train at a time."""
    found = []
    for state in states:
        images = _images(state)
        rate = _rate(state, states, calibration, training["engine"])
        seconds = None
        if rate and images:
            left = [shard.left for shard in state.shards if not shard.finished]
            seconds = tuple(
                rate.seconds_per_mac * work(cells, images, state.recipe.epochs) if cells else 0.0 for cells in left
            )
        elif not state.left:
            seconds = ()
        need, files = _need(state, training, jobs), _files(state, jobs)
        found.append(RunEstimate(state, rate, seconds, need, *files))
    return found


def files_at_peak(estimates: Sequence[RunEstimate]) -> int:
    """Files and folders that a study adds at most at a time: all that stay, and what the run with most jobs keeps."""
    return sum(one.files for one in estimates) + max((one.files_at_work for one in estimates), default=0)


def ends(estimates: Sequence[RunEstimate], jobs: int, devices: int = 1) -> list[float | None]:
    """Seconds until each run is finished, `jobs` shards at a time on `devices` each, in the order of the runs.

    None from the first run on that has no rate.
    """
    until: list[float | None] = []
    shards: list[float] = []
    for one in takewhile(lambda one: one.shard_seconds is not None, estimates):
        shards += one.shard_seconds or ()
        until.append(duration(shards, jobs) / devices)
    return until + [None] * (len(estimates) - len(until))


def images_of(manifest: Mapping[str, Any]) -> Images:
    """What the costs of training depend on of an image set's manifest."""
    return Images(manifest["height"], manifest["width"], len(manifest["classes"]), manifest["images"]["train"])


def _images(state: RunState) -> Images | None:
    return images_of(state.manifest) if state.manifest else None


def _rate(
    state: RunState, states: Sequence[RunState], calibration: Sequence[dict[str, Any]], engine: str
) -> Rate | None:
    """The rate of the run itself; else of another of the same images, batches and precision; else of `make bench`."""
    images = _images(state)
    if images is None:
        return None
    alike = [
        other
        for other in states
        if other.run.dataset == state.run.dataset
        and (other.recipe.batch_size, other.recipe.precision) == (state.recipe.batch_size, state.recipe.precision)
    ]
    for other in sorted(alike, key=lambda other: other is not state):
        measured, origin = measured_seconds(other)
        where = "" if other is state else f" of {other.run.folder}"
        if rate := measured_rate(measured, images, other.recipe.epochs, f"{origin}{where}"):
            return rate
    return calibrated_rate(calibration, images, state.recipe, engine)


def _files(state: RunState, jobs: int) -> tuple[int, int]:
    """Files and folders that the run's shards still add: those that stay, and those that jobs keep while they train."""
    open_shards = sorted((len(shard.cells) for shard in state.shards if not shard.finished), reverse=True)
    at_work = sum(FILES_AT_WORK + min(CHECKPOINTS_AT_WORK, cells) for cells in open_shards[:jobs])
    return len(open_shards) * FILES_OF_SHARD, at_work


def _together(cells: int, training: Mapping[str, Any]) -> int:
    """Cells of a shard that are trained in step at most: on a GPU all of them, where its memory decides."""
    group = training["group-size"]
    if training["engine"] != "fused" or training["device"] == "cpu":
        return min(cells, AUTO_GROUP)  # one for each process
    return cells if group == "auto" else min(cells, int(group))


def _need(state: RunState, training: Mapping[str, Any], jobs: int) -> int:
    """Bytes that the run still writes: shards, its benchmark, figures, a copy of these two in the archive, and what
    the jobs keep while they train."""
    run, epochs = state.run, state.recipe.epochs
    open_shards = sorted((len(shard.cells) for shard in state.shards if not shard.finished), reverse=True)
    at_work = open_shards[:jobs]
    parameters, _ = costs(len(state.manifest["classes"]) if state.manifest else 60, 4, 4)
    final = benchmark_bytes(len(run.cells), len(run.seeds), epochs) + ANALYSIS_BYTES
    if state.aggregated and not open_shards:
        return 0
    together = sum(_together(cells, training) for cells in at_work)
    return (
        sum(shard_bytes(cells, epochs) for cells in open_shards)
        + sum(journal_bytes(cells, epochs) for cells in at_work)
        + checkpoint_bytes(float(parameters[list(run.cells)].mean()), together)
        + 2 * final
    )
