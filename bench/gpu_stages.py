"""The stages of `bench.gpu`: what only a GPU can settle, each in a process of its own.

    python -m bench.gpu_stages NAME --out FILE [--device cuda|cpu] [--seconds N]

A stage is a function that yields (what, found) as it finds it; each is added to the stage's JSON file at once, so that
a deadline or a crash keeps what came before. On a CPU the same code runs on tiny shapes and PyTorch's operations.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.ceilings import ceilings, wait
from bench.engine_process import cores
from bench.engines import offered
from bench.epoch_timing import epoch_seconds
from bench.gpu_device import TINY, Found, operations_on, precisions_on, said, shapes_on
from bench.gpu_timing import grouped, kernels, variants
from bench.reference_loop import train_reference
from bench.shapes import NTU, UTD, Shape, random_images, scaled
from skelnas.cells.selection import select
from skelnas.files import write_json
from skelnas.recipe import Recipe
from skelnas.termination import ended_by_sigterm
from skelnas.training.checkpoint import START, places
from skelnas.training.engines import Job, Request, Settings, TrainingError, train_jobs
from skelnas.training.gpu.groups import capacity_for
from skelnas.training.gpu.operations import cases, check
from skelnas.training.gpu.training import GpuTraining
from skelnas.training.metrics import Curves
from skelnas.training.precision import dtype
from skelnas.training.resident import ResidentImages


def facts(device: torch.device, ends: float) -> Found:
    """The machine, the versions, what the device can do at best, and whether memory comes back."""
    smi, compiler = shutil.which("nvidia-smi"), shutil.which("gcc") or shutil.which("cc")
    if smi:
        query = "--query-gpu=name,driver_version,memory.total,memory.used,clocks.max.sm,power.limit"
        yield "nvidia-smi", subprocess.run([smi, query, "--format=csv"], capture_output=True, text=True).stdout
    yield "torch", torch.__version__
    yield "python", platform.python_version()
    yield "cores", cores()
    yield "compiler", compiler or "none: Triton cannot start without one"
    yield "environment", {name: value for name, value in os.environ.items() if name.startswith(("TRITON", "TORCH"))}
    if device.type == "cpu":
        return
    yield "card", torch.cuda.get_device_name(device)
    before = torch.cuda.mem_get_info(device)[0]
    yield "ceilings", ceilings(device, offered(device))
    torch.cuda.empty_cache()
    yield "bytes not given back", before - torch.cuda.mem_get_info(device)[0]


def _compile_part(device_type: str, part: int, parts: int) -> int:
    """Compile one part of the kernels by running them; how many cases that were."""
    device = torch.device(device_type)
    chosen = cases.all_cases(60)[part::parts]
    for precision in precisions_on(device):
        for case in chosen:
            case.run(operations_on(device), cases.Inputs(precision, 7, False, device))
    wait(device)
    return len(chosen)


def _compile_steps(device_type: str, shape: Shape, precision: str) -> None:
    """Compile the kernels of training steps and evaluations by an epoch of a small group."""
    device, jobs = torch.device(device_type), [(cell, 777) for cell in select("stratified-4")]
    recipe, images = Recipe(1, shape.batch_size, precision=precision), random_images(shape)
    data = ResidentImages.of(images, device, dtype(recipe))
    training = GpuTraining(len(jobs), capacity_for([jobs]), images, data, recipe, operations_on(device))
    training.start(jobs)
    while training.epoch < recipe.epochs:
        training.run_batch()
    wait(device)


def compile_all(device: torch.device, ends: float) -> Found:
    """All kernels in all precisions on all cores, cold and warm; they stay compiled for the stages that follow.

    Those of the check first, then those of steps: constants differ with the shape.
    """
    parts = min(cores(), 16)
    steps = [(shape, precision) for shape, _ in shapes_on(device).values() for precision in precisions_on(device)]
    for name in ("cold", "warm"):
        begun = time.monotonic()
        with ProcessPoolExecutor(parts, mp_context=get_context("spawn")) as pool:
            done = pool.map(_compile_part, [device.type] * parts, range(parts), [parts] * parts)
            gone_through = pool.map(_compile_steps, [device.type] * len(steps), *zip(*steps, strict=True))
            yield f"cases, {name}", sum(done)
            yield f"steps, {name}", len(list(gone_through))
        yield f"seconds, {name}", round(time.monotonic() - begun, 1)
    if device.type == "cuda":
        import triton

        yield "kernels in the cache", len(list(Path(triton.knobs.cache.dir).glob("*/*.cubin")))


def ops(device: torch.device, ends: float) -> Found:
    """Every operation against PyTorch's in float64, in every precision."""
    for precision in precisions_on(device):
        for case in cases.all_cases(60):
            try:
                check.check(operations_on(device), device, precision, 60, cases=[case])
                yield f"{precision}: {case.name}", {"passed": True}
            except Exception as error:
                yield f"{precision}: {case.name}", {"passed": False, "error": said(error)}


def exact(device: torch.device, ends: float) -> Found:
    """Replay against the step itself, and groups against cells alone, bit for bit; float64 against the plain engine."""
    for precision in precisions_on(device):
        try:
            check.check_replay(operations_on(device), device, precision)
            yield f"replay, {precision}", {"passed": True}
        except Exception as error:
            yield f"replay, {precision}", {"passed": False, "error": said(error)}
    shape = scaled(UTD.full, 2 * 32 + 3) if device.type == "cuda" else TINY
    jobs = [(cell, 777) for cell in select("stratified-20" if device.type == "cuda" else "stratified-4")]
    for precision in offered(device):
        together = trained(jobs, shape, Recipe(2, shape.batch_size, precision=precision), Settings(device=device.type))
        chosen = jobs[:: len(jobs) // 4]
        settings = Settings(device=device.type, group_size=1)
        alone = trained(chosen, shape, Recipe(2, shape.batch_size, precision=precision), settings)
        apart = [job[0] for job in chosen if together[job].loss.tobytes() != alone[job].loss.tobytes()]
        yield f"together as alone, {precision}", {"passed": not apart, "different cells": apart}
    recipe = Recipe(1, shape.batch_size, precision="fp64")
    plain, fused = (trained(jobs[:4], shape, recipe, Settings(name, device.type)) for name in ("plain", "fused"))
    worst = max(float(np.abs(fused[job].loss / plain[job].loss - 1).max()) for job in jobs[:4])
    yield "fused as plain, float64", {"passed": worst < 1e-6, "largest difference": worst}


def trained(jobs: Sequence[Job], shape: Shape, recipe: Recipe, settings: Settings) -> dict[Job, Curves]:
    """The curves of `jobs` on random images of `shape`, all given to the engine at once."""
    found: dict[Job, Curves] = {}
    request = Request(jobs, random_images(shape), recipe, settings)
    train_jobs(request, lambda cell, seed, curves, seconds: found.update({(cell, seed): curves}))
    return found


def simple(device: torch.device, ends: float) -> Found:
    """The graphed engine: arch-epochs per second by precision; and cuDNN's grouped convolution as a note."""
    yield from grouped(device, ends)
    for name, (shape, _) in shapes_on(device).items():
        jobs = [(cell, 777) for cell in select("stratified-8" if device.type == "cuda" else "stratified-2")]
        for precision in reversed(offered(device)):
            seconds = []
            settings = Settings("graphed", device.type, min(2, cores()))
            for epochs in (2, 6) if device.type == "cuda" else (1, 2):
                begun = time.monotonic()
                trained(jobs, shape, Recipe(epochs, shape.batch_size, precision=precision), settings)
                seconds.append(time.monotonic() - begun)
            epochs = 4 if device.type == "cuda" else 1
            share = shape.train / (NTU.full.train if name.startswith("NTU") else shape.train)
            rate = len(jobs) * epochs * share / max(seconds[1] - seconds[0], 1e-9)
            yield f"{name}, {precision}: arch-epochs/s", round(rate, 3)
            if time.monotonic() > ends:
                return


def rates(device: torch.device, ends: float) -> Found:
    """End to end: arch-epochs per second of the fused engine by precision, and of a reference-style loop beside it."""
    longest = 0.0
    for name, (shape, models) in shapes_on(device).items():
        share = shape.train / (NTU.full.train if name.startswith("NTU") else shape.train)
        jobs = [(cell, 777) for cell in select(f"stratified-{models}")]
        for precision in reversed(offered(device)):
            begun = time.monotonic()
            if begun + longest > ends:
                return
            recipe, images = Recipe(2, shape.batch_size, precision=precision), random_images(shape)
            settings = Settings(device=device.type, processes=cores(), group_size=models)
            try:
                seconds = epoch_seconds(jobs, images, recipe, settings)
                yield f"{name}, fused, {precision}: arch-epochs/s", round(len(jobs) * share / seconds, 3)
            except Exception as error:
                yield f"{name}, fused, {precision}: failure", said(error)
            longest = max(longest, time.monotonic() - begun)
        recipe, begun = Recipe(1, shape.batch_size), time.monotonic()
        train_reference(*jobs[0], random_images(shape), recipe, device)
        wait(device)
        yield f"{name}, reference-style: arch-epochs/s", round(share / (time.monotonic() - begun), 3)


def _train_with_checkpoints(jobs: list[Job], shape: Shape, recipe: Recipe, settings: Settings, folder: Path) -> None:
    """A process that trains and saves after every batch, until SIGTERM ends it."""
    with ended_by_sigterm("ended by SIGTERM"):
        train_jobs(Request(jobs, random_images(shape), recipe, settings, folder), lambda *_: None)


def sigterm(jobs: list[Job], shape: Shape, recipe: Recipe, settings: Settings, expected: dict[Job, Curves]) -> dict:
    """End a process that trains by SIGTERM, go on from its checkpoints, and compare with the training in one go."""
    with tempfile.TemporaryDirectory() as name:
        folder, saving = Path(name), replace(settings, checkpoint_minutes=0.0)
        given = jobs, shape, recipe, saving, folder
        process = get_context("spawn").Process(target=_train_with_checkpoints, args=given)
        process.start()
        while process.is_alive() and not any(folder.glob("*.checkpoint")):
            time.sleep(0.05)
        begun = time.monotonic()
        process.terminate()
        process.join()
        seconds, reached = round(time.monotonic() - begun, 2), places(folder, jobs)
        found: dict[Job, Curves] = {}
        request = Request(jobs, random_images(shape), recipe, settings, folder)
        train_jobs(request, lambda cell, seed, curves, seconds: found.update({(cell, seed): curves}))
        saved = sum(place != START for place in reached.values())
        same = all(found[job].loss.tobytes() == expected[job].loss.tobytes() for job in jobs)
        return {"passed": process.exitcode == 143 and saved > 0 and same, "seconds to save": seconds, "saved": saved}


def faults(device: torch.device, ends: float) -> Found:
    """SIGTERM, a worker that is killed, memory that another process holds: every cell is trained all the same."""
    shape = scaled(UTD.full, 2 * 32 + 3) if device.type == "cuda" else TINY
    jobs = [(cell, 777) for cell in select("stratified-8")]
    recipe, settings = Recipe(3, shape.batch_size), Settings(device=device.type, processes=2, group_size=4)
    expected = trained(jobs, shape, recipe, settings)
    yield "SIGTERM, and on from the checkpoint", sigterm(jobs, shape, recipe, settings, expected)

    def kill() -> None:
        while not (children := active_children()):
            time.sleep(0.01)
        time.sleep(1 if device.type == "cuda" else 0.1)
        children[0].kill()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        found = trained(jobs, shape, recipe, settings)
    except TrainingError as error:  # on a CPU a process that dies costs its own cell
        yield "kill -9 of a worker", {"passed": device.type == "cpu" and len(error.reasons) == 1}
        return
    same = all(found[job].loss.tobytes() == expected[job].loss.tobytes() for job in jobs)
    yield "kill -9 of a worker", {"passed": len(found) == len(jobs), "same curves": same}
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
        held = torch.empty(int(0.9 * free), dtype=torch.uint8, device=device)
        found = trained(jobs, shape, recipe, replace(settings, group_size="auto"))
        yield "with a tenth of the memory", {"passed": len(found) == len(jobs)}
        del held
        both = trained(jobs, shape, recipe, replace(settings, processes_per_gpu=2))
        yield "two processes at the GPU", {"passed": len(both) == len(jobs)}


STAGES: dict[str, Callable[[torch.device, float], Found]] = {
    "facts": facts,
    "compile": compile_all,
    "ops": ops,
    "exact": exact,
    "kernels": kernels,
    "variants": variants,
    "simple": simple,
    "rates": rates,
    "faults": faults,
}


def main() -> int:
    """Run one stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--seconds", type=float, default=600, help="after which it begins nothing more")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    begun, found = time.monotonic(), dict[str, Any]()
    torch.set_num_threads(1 if given.device == "cpu" else cores())
    try:
        for name, value in STAGES[given.stage](torch.device(given.device), begun + given.seconds):
            found[name] = value
            write_json(given.out, found | {"seconds": round(time.monotonic() - begun, 1)})
    except Exception as error:
        write_json(given.out, found | {"failure": said(error), "seconds": round(time.monotonic() - begun, 1)})
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
