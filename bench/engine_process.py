"""An engine in a process of its own, so that no engine changes another's threads, allocator or memory."""

import os
import resource
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from bench.ceilings import wait
from bench.epoch_timing import epoch_seconds
from bench.reference_loop import train_reference
from bench.roofline import Shape
from bench.shapes import random_images
from skelnas.images.image_set import ImageSet
from skelnas.processes import Worker
from skelnas.recipe import Recipe
from skelnas.training.engines import Job, Request, Settings, train_jobs


class EngineFailure(Exception):
    """An engine raised, or its process died; the text is the reason in one line."""


@dataclass(frozen=True)
class Measurement:
    """Wall-clock seconds, and the most memory in bytes that one process (CPU) or PyTorch on the GPU held."""

    seconds: float
    peak_bytes: int


class EngineProcess:
    """A process that trains with one engine whenever it is told to, and sleeps in between."""

    def __init__(self, engine: str, device: str) -> None:
        self._worker = Worker(Measuring(engine, torch.device(device)), "spawn", daemon=False)

    def time(self, jobs: list[Job], shape: Shape, recipe: Recipe) -> Measurement:
        """Train `jobs` on random images of `shape`; of the fused engine, the seconds of the second epoch.

        Raises:
            EngineFailure: the engine raised or died.
        """
        self._worker.give((jobs, shape, recipe))
        outcome = self._worker.outcome()
        if not isinstance(outcome, Measurement):
            raise EngineFailure(str(outcome))
        return outcome

    def close(self) -> None:
        """End the process."""
        Worker.end(self._worker)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Measuring:
    """What the process does with (jobs, shape, recipe)."""

    engine: str
    device: torch.device

    def __call__(self, task: tuple[list[Job], Shape, Recipe]) -> Measurement:
        """Train, and give back what it took."""
        torch.set_num_threads(cores() if self.engine == "reference" else 1)
        try:
            return _measure(self.engine, self.device, *task)
        finally:
            if self.device.type == "cuda":
                torch.cuda.empty_cache()


def _measure(engine: str, device: torch.device, jobs: list[Job], shape: Shape, recipe: Recipe) -> Measurement:
    images = _images(shape)
    settings = Settings(engine=engine, device=device.type, processes=cores())
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    if engine == "fused":
        # Its processes are new ones each time; in earnest they live for hours.
        return Measurement(epoch_seconds(jobs, images, recipe, settings), _peak(device))
    wait(device)
    begun = time.perf_counter()
    if engine.startswith("reference"):
        for index, seed in jobs:
            train_reference(index, seed, images, recipe, device)
    else:
        train_jobs(Request(jobs, images, recipe, settings), lambda *finished: None)
    wait(device)
    return Measurement(time.perf_counter() - begun, _peak(device))


@cache
def _images(shape: Shape) -> ImageSet:
    return random_images(shape)


def _peak(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    # Not RUSAGE_SELF: it counts what the parent held when it started this process.
    own = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * max(int(own.split()[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def marginal(
    process: EngineProcess, jobs: list[Job], shape: Shape, recipe: Recipe, first: int, last: int, start: float
) -> tuple[float, int]:
    """Seconds per job and epoch of the epochs from `first` to `last`, and peak bytes; `start` seconds took `first`."""
    found = process.time(jobs, shape, replace(recipe, epochs=last))
    return max(found.seconds - start, 1e-9) / (len(jobs) * (last - first)), found.peak_bytes
