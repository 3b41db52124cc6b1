"""An engine in a process of its own, so that no engine changes another's threads, allocator or memory."""

import multiprocessing
import os
import resource
import time
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from bench.ceilings import wait
from bench.epoch_timing import epoch_seconds
from bench.reference_loop import train_reference
from bench.roofline import Shape
from bench.shapes import random_images
from skelnas.images.image_set import ImageSet
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
        context = multiprocessing.get_context("spawn")
        self.pipe, inner = context.Pipe()
        self.process = context.Process(target=_serve, args=(inner, engine, device))
        self.process.start()
        inner.close()

    def time(self, jobs: list[Job], shape: Shape, recipe: Recipe) -> Measurement:
        """Train `jobs` on random images of `shape`; of the fused engine, the seconds of the second epoch.

        Raises:
            EngineFailure: the engine raised or died.
        """
        try:
            self.pipe.send((jobs, shape, recipe))
            answer = self.pipe.recv()
        except (EOFError, OSError) as error:
            raise EngineFailure("the engine's process died") from error
        if isinstance(answer, str):
            raise EngineFailure(answer)
        return answer

    def close(self) -> None:
        """End the process."""
        self.pipe.close()
        self.process.join(timeout=10)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _serve(pipe: Connection, engine: str, device_type: str) -> None:
    device = torch.device(device_type)
    torch.set_num_threads(cores() if engine == "reference" else 1)
    while True:
        try:
            jobs, shape, recipe = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            pipe.send(_measure(engine, device, jobs, shape, recipe))
        except Exception as error:
            text = str(error).splitlines()
            pipe.send(f"{type(error).__name__}: {text[0] if text else ''}")
        finally:
            if device.type == "cuda":
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
