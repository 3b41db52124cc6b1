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
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.ceilings import ceilings, fastest, wait
from bench.engine_process import cores
from bench.engines import offered
from bench.epoch_timing import epoch_seconds
from bench.reference_loop import train_reference
from bench.shapes import NTU, UTD, Shape, random_images, scaled
from skelnas.cells.selection import select
from skelnas.files import write_json
from skelnas.recipe import Recipe
from skelnas.training.engines import Job, Request, Settings, TrainingError, train_jobs
from skelnas.training.gpu.groups import capacity_for
from skelnas.training.gpu.operations import Operations, cases, check, reference
from skelnas.training.gpu.training import GpuTraining
from skelnas.training.metrics import Curves
from skelnas.training.precision import dtype
from skelnas.training.resident import ResidentImages

Found = Iterator[tuple[str, Any]]
TINY = Shape(8, 12, 27, batch_size=4, train=11, valid=4, test=6)
REPEATED = 3  # replays that are profiled


def operations_on(device: torch.device) -> Operations:
    """The Triton kernels on a GPU, PyTorch's operations on a CPU."""
    if device.type == "cpu":
        return reference
    from skelnas.training.gpu.operations import triton as kernels

    return kernels


def precisions_on(device: torch.device) -> list[str]:
    """Of the operations: on a CPU those of PyTorch, which in bfloat16 do not sum as kernels do."""
    return offered(device) if device.type == "cuda" else ["fp32"]


def shapes_on(device: torch.device) -> dict[str, tuple[Shape, int]]:
    """Name, shape and models of what is timed; the training set of NTU is cut to a few steps."""
    if device.type == "cpu":
        return {"tiny": (TINY, 4)}
    return {"UTD-MHAD": (UTD.full, 375), "NTU RGB+D 60": (scaled(NTU.full, 3 * 256 + 169), 32)}


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


def compile_all(device: torch.device, ends: float) -> Found:
    """All kernels in all precisions on all cores, cold and warm; they stay compiled for the stages that follow."""
    parts = min(cores(), 16)
    for name in ("cold", "warm"):
        begun = time.monotonic()
        with ProcessPoolExecutor(parts, mp_context=get_context("spawn")) as pool:
            done = pool.map(_compile_part, [device.type] * parts, range(parts), [parts] * parts)
            yield f"cases, {name}", sum(done)
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
                yield f"{precision}: {case.name}", {"passed": False, "error": _said(error)}


def exact(device: torch.device, ends: float) -> Found:
    """Replay against the step itself, and groups against cells alone, bit for bit; float64 against the plain engine."""
    for precision in precisions_on(device):
        try:
            check.check_replay(operations_on(device), device, precision)
            yield f"replay, {precision}", {"passed": True}
        except Exception as error:
            yield f"replay, {precision}", {"passed": False, "error": _said(error)}
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


def kernels(device: torch.device, ends: float) -> Found:
    """Time of each kernel in a training step and in a batch of evaluation, from a profile of replays."""
    sizes = {"UTD-MHAD": 125, "NTU RGB+D 60": 16, "tiny": 2}
    for name, (shape, _) in shapes_on(device).items():
        jobs = [(cell, 777) for cell in select(f"stratified-{sizes[name]}")]
        recipe, images = Recipe(3, shape.batch_size, precision=offered(device)[-1]), random_images(shape)
        if recipe.precision != "fp32" and device.type == "cpu":
            recipe = replace(recipe, precision="fp32")
        data = ResidentImages.of(images, device, dtype(recipe))
        begun = time.monotonic()
        training = GpuTraining(len(jobs), capacity_for([jobs]), images, data, recipe, operations_on(device))
        yield f"{name}: seconds to record", round(time.monotonic() - begun, 1)
        training.start(jobs)
        training.run_batch()
        on = torch.profiler.ProfilerActivity
        with torch.profiler.profile(activities=[on.CUDA if device.type == "cuda" else on.CPU]) as profile:
            for _ in range(REPEATED if device.type == "cuda" else 1):
                training.run_batch()
            wait(device)
        field = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
        times = {event.key: getattr(event, field) / 1e3 for event in profile.key_averages()}
        total = sum(times.values())
        longest = sorted(times.items(), key=lambda one: -one[1])[:30]
        yield f"{name}: ms", {key: [round(ms, 3), round(ms / total, 4)] for key, ms in longest}
        del training, profile
        if device.type == "cuda":
            torch.cuda.empty_cache()


def variants(device: torch.device, ends: float) -> Found:
    """The 3x3 kernels of bfloat16 with other blocks, warps and stages; microseconds, and GB/s of what is asked once."""
    if device.type == "cpu":
        yield "not built", "variants are timed on a GPU only"
        return
    from skelnas.training.gpu.operations.triton import rows

    inputs, models = cases.Inputs("bf16", 32, False, device), 128
    for channels, height, width in ((16, 20, 68), (32, 10, 34), (64, 5, 17)):
        source, out = (torch.randn(models, 32, height, width, channels, device=device).bfloat16() for _ in range(2))
        weight = torch.randn(models, 9, channels, channels, device=device)
        slots, moved = inputs.table(*range(models)), 2 * source.numel() * source.element_size()
        own = rows.OF_WEIGHTS[channels]
        for option in dict.fromkeys([own, *((block, warps) for block in (16, 32, 64, 128) for warps in (1, 2, 4, 8))]):
            rows.OF_WEIGHTS[channels] = option
            parts = torch.empty(models, 4, 9, channels, channels, device=device)
            work = partial(rows.weight_gradient_parts, source, slots, out, parts, -(-32 * width // 4), True)
            what = f"weight gradient, {channels} channels, block {option[0]}, {option[1]} warps"
            yield what, _timed(work, device, moved)
            if time.monotonic() > ends:
                return
        rows.OF_WEIGHTS[channels] = own
        for transposed, what in ((False, "forward"), (True, "input gradient")):
            work = partial(rows.convolve, source, slots, weight, out, transposed, not transposed, None)
            yield f"{what}, {channels} channels", _timed(work, device, moved)


def _timed(work: Callable[[], object], device: torch.device, moved: int) -> dict[str, float | str]:
    try:
        seconds = fastest(work, device)
    except Exception as error:  # more shared memory or registers than there are
        return {"failure": _said(error)}
    return {"microseconds": round(1e6 * seconds, 1), "GB/s": round(1e-9 * moved / seconds)}


def simple(device: torch.device, ends: float) -> Found:
    """The graphed engine: arch-epochs per second by precision."""
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
                yield f"{name}, fused, {precision}: failure", _said(error)
            longest = max(longest, time.monotonic() - begun)
        recipe, begun = Recipe(1, shape.batch_size), time.monotonic()
        train_reference(*jobs[0], random_images(shape), recipe, device)
        wait(device)
        yield f"{name}, reference-style: arch-epochs/s", round(share / (time.monotonic() - begun), 3)


def faults(device: torch.device, ends: float) -> Found:
    """A worker that is killed, and memory that another process holds: every cell is trained all the same."""
    shape = scaled(UTD.full, 2 * 32 + 3) if device.type == "cuda" else TINY
    jobs = [(cell, 777) for cell in select("stratified-8")]
    recipe, settings = Recipe(3, shape.batch_size), Settings(device=device.type, processes=2, group_size=4)
    expected = trained(jobs, shape, recipe, settings)

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


def _said(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]


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
        write_json(given.out, found | {"failure": _said(error), "seconds": round(time.monotonic() - begun, 1)})
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
