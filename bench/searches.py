"""Regularised evolution and successive halving of `analysis.search` beside those of syne-tune, on one exported table.

`python -m bench.searches` (after `make build/clients/ready`). The table has the validation accuracies and the seconds
of NAS-Bench-201 on CIFAR-10, two seeds; what the epochs before the last scored is not in it and made up here: lower
accuracies with noise that shrinks to nothing, which is a model. syne-tune reads the table as `skelnas export syne-tune`
writes it, runs REA and ASHA in its simulator with one worker, and what it trained is judged as our own searches are:
after the same seconds, by the other seed of the cell that did best.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from skelnas.analysis.search import methods
from skelnas.analysis.search.regret import regrets
from skelnas.analysis.search.table import Table, asked
from skelnas.cells import space
from skelnas.commands import main as skelnas
from skelnas.importers.nasbench201 import SETS, arrays, packaged
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Table as Counts
from skelnas.results.benchmark import write_benchmark
from skelnas.results.clock import timing_table
from skelnas.results.counts import stored_counts
from skelnas.results.query import Benchmark
from skelnas.results.summary import write_table
from skelnas.results.timing import COLUMNS
from skelnas.text import text_table

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / "build/clients/bin/python"
PROGRAM = ROOT / "tests/clients/syne_tune_searches.py"
EPOCHS, SEED, RUNS, OWN_RUNS = 9, 14, 60, 2000
BUDGETS = (25, 50, 100)  # in mean whole trainings
LOOK = 50  # simulated seconds after which syne-tune looks at a training again: less than the shortest epoch
BEHIND, NOISE = 40.0, 2.0  # points that the first epoch lacks, and their deviation


def write_made_up(path: Path) -> None:
    """A benchmark of CIFAR-10's last epochs with made-up ones before them, and its seconds beside it."""
    accuracy, seconds = (values[:, :2] for values in arrays(packaged("cifar10")))
    samples = (0, SETS["cifar10"].valid, 0)
    left = (1 - np.arange(1, EPOCHS + 1) / EPOCHS) / (1 - 1 / EPOCHS)  # from 1 to 0
    noise = np.random.default_rng(SEED).normal(0, NOISE, (*accuracy.shape, EPOCHS))
    percent = np.clip(accuracy[..., None] - left**2 * (BEHIND + noise), 0, 100)
    top1 = np.zeros((*accuracy.shape, 3, EPOCHS), dtype=np.int32)
    top1[:, :, 1] = np.rint(percent * samples[1] / 100)
    recipe = Recipe(EPOCHS, 256)
    write_benchmark(
        path,
        Counts(
            cells=np.arange(space.CELLS),
            seeds=[0, 1],
            top1=stored_counts(top1, samples),
            top5=stored_counts(top1, samples),
            loss=None,
            samples=samples,
            learning_rate=np.array([recipe.rate(epoch) for epoch in range(EPOCHS)]),
            dataset="cifar10",
            recipe_name="made-up",
            recipe=recipe.as_dict(),
            fingerprint="",
            classes=10,
            height=32,
            width=32,
            source="NAS-Bench-201, with made-up epochs before the last",
        ),
    )
    rows = [(cell, seed, seconds[cell, seed], *[""] * 6) for cell in range(space.CELLS) for seed in (0, 1)]
    write_table(timing_table(path), pd.DataFrame(rows, columns=list(COLUMNS)))


def table_of(path: Path) -> Table:
    """What searches of ours are told of it."""
    with Benchmark(path) as benchmark:
        seconds = arrays(packaged("cifar10"))[1][:, :2]
        return asked(benchmark.curves("valid"), benchmark.values("test"), seconds)


def of_syne_tune(path: Path, folder: Path, runs: int, seconds: float) -> dict[str, list[methods.Trace]]:
    """What syne-tune trained, run by run."""
    with contextlib.redirect_stdout(sys.stderr):
        if skelnas(["export", "syne-tune", str(path), str(folder)]):
            raise SystemExit(1)
    command = [str(PYTHON), str(PROGRAM), str(folder), "cifar10", str(runs), str(seconds), str(LOOK)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found = json.loads(done.stdout.rpartition("JSON ")[2])
    return {name: [_trace(trials) for trials in several] for name, several in found.items()}


def _trace(trials: list) -> methods.Trace:
    cells = [space.index(space.of_digits(map(space.OPERATIONS.index, trial[:6]))) for trial in trials]
    seeds, epochs = np.array([trial[6:] for trial in trials]).T
    return methods.Trace(np.array([cells]), seeds[None], epochs[None], np.zeros_like(epochs[None]))


def compared(folder: Path, runs: int, own_runs: int, budgets: tuple[int, ...] = BUDGETS) -> pd.DataFrame:
    """Mean regret of both in points of accuracy after each budget, with the standard errors over the runs."""
    path = folder / "made-up.h5"
    write_made_up(path)
    table = table_of(path)
    each = float(np.nanmean(table.seconds))
    costs = np.array(budgets) * each
    theirs = of_syne_tune(path, folder / "syne-tune", runs, costs[-1] * 1.1)
    rows = []
    for name, method in (("evolution", methods.evolution), ("halving", methods.halving), ("random", None)):
        run = method or methods.random_search
        own = regrets(table, run(table, np.random.default_rng(SEED), own_runs, 2 * budgets[-1]), costs)
        for position, budget in enumerate(budgets):
            row = {"method": name, "trainings": budget, "own": own[:, position].mean()}
            row["own_error"] = own[:, position].std(ddof=1) / np.sqrt(own_runs)
            if name in theirs:
                other = np.concatenate([regrets(table, trace, costs)[:, position] for trace in theirs[name]])
                row |= {"theirs": other.mean(), "theirs_error": other.std(ddof=1) / np.sqrt(runs)}
            rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="of syne-tune")
    with tempfile.TemporaryDirectory() as folder:
        found = compared(Path(folder), parser.parse_args().runs, OWN_RUNS)
    lines = []
    for row in found.to_dict("records"):
        own = f"{row['own']:.3f} ± {1.96 * row['own_error']:.3f}"
        if np.isnan(row["theirs"]):
            lines.append([row["method"], str(row["trainings"]), own, "", "", ""])
            continue
        half = 1.96 * np.hypot(row["own_error"], row["theirs_error"])
        apart = row["own"] - row["theirs"]
        theirs = f"{row['theirs']:.3f} ± {1.96 * row['theirs_error']:.3f}"
        between = f"{apart:+.3f} ± {half:.3f}"
        lines.append(
            [row["method"], str(row["trainings"]), own, theirs, between, "yes" if abs(apart) <= half else "no"]
        )
    print(text_table(["method", "trainings", "regret", "syne-tune's", "difference", "zero within"], lines))


if __name__ == "__main__":
    main()
