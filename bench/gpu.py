"""Everything that only a GPU can settle, in one command: `python -m bench.gpu [--out FILE] [--quick]`.

Needs a source checkout and a Python with torch, triton, numpy, h5py, scipy, pillow and pytest. In this order:

1. every Triton kernel, compiled, in one training step against PyTorch in float64; the fused engine's own tests;
2. the fused engine against the plain one: the same curves in float64 over 8 steps with a ragged last batch;
3. group independence: 20 cells trained together and one by one, in every precision; the differences, bit for bit;
4. how fast one, two and four processes on the GPU are together, with groups that are large and small;
5. the bench (bench/engines.py).

A step that fails does not stop the next; the exit status is 1 if one did. `build/bench-gpu.json` holds the outcome.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.engines import offered, run
from bench.report import report
from bench.roofline import Shape
from bench.shapes import UTD, random_images, scaled
from skelnas.cells.selection import select
from skelnas.files import write_json
from skelnas.recipe import Recipe
from skelnas.training.engines import Job, Request, Settings, train_jobs
from skelnas.training.gpu.operations import check as kernel_check
from skelnas.training.metrics import Curves

ROOT = Path(__file__).resolve().parents[1]
TESTED = "tests/training/gpu"
EQUAL = 1e-6  # relative; curves keep losses in float32, whose last bit is 6e-8
CELLS = 20
CROWDS, PROCESSES, EPOCHS = (8, 200), (1, 2, 4), (2, 22)  # cells; processes; epochs of a short and of a long run


def kernels(device: torch.device, narrow: torch.dtype) -> dict[str, Any]:
    """One training step with the Triton kernels, compiled, against PyTorch's operations in float64."""
    from skelnas.training.gpu.operations import triton as compiled

    try:
        kernel_check.check(compiled, device, narrow)
    except ArithmeticError as error:
        return {"passed": False, "error": str(error)}
    return {"passed": True}


def engine_tests() -> dict[str, Any]:
    """The fused engine's own tests in this Python; those that ask for a GPU find one."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTED]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    last = done.stdout.strip().splitlines()[-12:]
    sys.stderr.write("\n".join(last) + "\n")
    return {"passed": done.returncode == 0, "summary": last[-1] if last else done.stderr[-300:]}


def trained(jobs: list[Job], shape: Shape, recipe: Recipe, settings: Settings) -> dict[Job, Curves]:
    """The curves of `jobs` on random images of `shape`, all given to the engine at once."""
    found: dict[Job, Curves] = {}

    def keep(cell: int, seed: int, curves: Curves, seconds: float) -> None:
        found[cell, seed] = curves

    train_jobs(Request(jobs, random_images(shape), recipe, settings), keep)
    return found


def float64_equality(device: str) -> dict[str, Any]:
    """Largest difference of the fused engine's curves from the plain engine's: 8 steps, the last with 3 images."""
    shape = scaled(UTD.full, 7 * 32 + 3)
    jobs = [(cell, 777) for cell in (1835, 1462, 1651, 9, *select("stratified-4"))]
    recipe = Recipe(epochs=1, batch_size=32, precision="fp64")
    plain, fused = (trained(jobs, shape, recipe, Settings(engine, device)) for engine in ("plain", "fused"))
    loss = max(float(np.max(np.abs(fused[job].loss / plain[job].loss - 1))) for job in jobs)
    counts = sum(int((fused[job].top1 != plain[job].top1).sum()) for job in jobs)
    return {"passed": loss < EQUAL and not counts, "largest_loss_difference": loss, "different_counts": counts}


def group_independence(device: str, precision: str) -> dict[str, Any]:
    """How many of 20 cells score the same, bit for bit, alone as in their group; two epochs."""
    shape = scaled(UTD.full, 2 * 32 + 3)
    jobs = [(cell, 777) for cell in select(f"stratified-{CELLS}")]
    recipe = Recipe(epochs=2, batch_size=32, precision=precision)
    together = trained(jobs, shape, recipe, Settings(device=device))
    alone = trained(jobs, shape, recipe, Settings(device=device, group_size=1))
    different, largest = [], 0.0
    for job in jobs:
        one, other = alone[job], together[job]
        if one.loss.tobytes() != other.loss.tobytes() or (one.top1 != other.top1).any():
            different.append(job[0])
            largest = max(largest, float(np.max(np.abs(one.loss / other.loss - 1))))
    return {"passed": not different, "different_cells": different, "largest_loss_difference": largest}


def processes_on_the_gpu(device: str) -> dict[str, Any]:
    """Arch-epochs per second by number of cells and of processes that share the GPU; what a start costs is left out."""
    precision = offered(torch.device(device))[-1]
    found: dict[str, Any] = {"passed": True, "precision": precision}
    for cells in CROWDS:
        jobs = [(cell, 777) for cell in select(f"stratified-{cells}")]
        for processes in PROCESSES:
            settings, seconds = Settings(device=device, processes_per_gpu=processes), []
            for epochs in EPOCHS:
                begun = time.monotonic()
                trained(jobs, UTD.full, Recipe(epochs, UTD.full.batch_size, precision=precision), settings)
                seconds.append(time.monotonic() - begun)
            rate = cells * (EPOCHS[1] - EPOCHS[0]) / (seconds[1] - seconds[0])
            found[f"{cells} cells, {processes} processes"] = round(rate, 1)
    return found


def main() -> int:
    """Run every step, print one table, write the JSON; 1 if a step failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the short bench")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda", help="cpu only to try this script")
    parser.add_argument("--minutes", type=float, default=6, help="of the bench (default 6)")
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench-gpu.json")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.exit(1, "bench-gpu: PyTorch sees no GPU here; run it on a GPU machine\n")
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "Triton kernels, float32": lambda: kernels(device, torch.float32),
        "Triton kernels, bfloat16": lambda: kernels(device, torch.bfloat16),
        "tests of the fused engine": engine_tests,
        "float64 equality with the plain engine": lambda: float64_equality(device.type),
    }
    for precision in offered(device):
        steps[f"group independence, {precision}"] = lambda chosen=precision: group_independence(device.type, chosen)
    if device.type == "cuda":
        steps["processes on the GPU, arch-epochs/s"] = lambda: processes_on_the_gpu(device.type)
    outcome: dict[str, Any] = {}
    for name, step in steps.items():
        begun = time.monotonic()
        try:
            outcome[name] = step()
        except Exception as error:  # the next steps still tell something
            outcome[name] = {"passed": False, "error": f"{type(error).__name__}: {error}"}
        outcome[name]["seconds"] = round(time.monotonic() - begun, 1)
        sys.stderr.write(f"{name}: {'passed' if outcome[name]['passed'] else 'FAILED'} {outcome[name]}\n")
        write_json(arguments.out, outcome)
    result, rates = run(device, arguments.minutes, arguments.quick)
    write_json(arguments.out, outcome | {"bench": result, "calibration": rates})
    print(report(result) + "\n")
    for name, found in outcome.items():
        print(f"{'passed' if found['passed'] else 'FAILED'}  {name}  {found}")
    failed = not all(found["passed"] for found in outcome.values()) or any("failure" in one for one in result["rows"])
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
