"""Speed of every engine against a reference-style loop, in one run: one table, one JSON file, and rates for estimates.

    python -m bench.engines [--quick] [--minutes N] [--device cpu|cuda] [--out FILE] [--calibration FILE]

No data are needed. Every engine works in a process of its own and uses the machine as it would in earnest: the
reference and the plain engine one cell at a time (on a CPU the reference with all threads and again with one, whichever
is faster being the baseline; the plain engine with one), the fused engine with all cores or with a GPU full of models.
Per cell the engines take turns, A B C, then C B A, and ratios are medians of rounds, so that what else the machine does
hits all of them. What starting costs is measured apart and left out: a study trains hundreds of epochs in one process.
When the minutes are over, what has not been measured is left out, and the table says so.

A CPU would take hours for what a GPU does in seconds: there, training sets are cut to a few steps, the other splits in
proportion, and figures are extrapolated to whole epochs by the number of samples. The table says so.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import torch

from bench.ceilings import ceilings
from bench.engine_process import EngineFailure, EngineProcess, cores, marginal
from bench.report import FORMAT, calibration, report, row
from bench.roofline import Shape
from bench.shapes import NTU, SETS, UTD, Study, cell_sets, scaled
from skelnas.errors import InputError
from skelnas.files import write_json
from skelnas.progress import Progress
from skelnas.recipe import Recipe
from skelnas.text import span
from skelnas.training.engines import Job
from skelnas.training.precision import check_precision
from skelnas.training.shard import device_name

ROOT = Path(__file__).resolve().parents[1]
PRECISIONS = ("fp32", "tf32", "bf16")
FIRST_EPOCHS = {"cpu": 0, "cuda": 1}  # on a GPU the first epoch compiles and captures
EPOCHS = {"cpu": 1, "cuda": 2}  # measured, after those
STARTS = {"cpu": 1, "cuda": 2}  # how often the start is measured; the quickest counts


@dataclass(frozen=True)
class Case:
    """What is compared: an engine in a precision."""

    engine: str
    precision: str


@dataclass(frozen=True)
class Part:
    """A study's shape as it is measured, the sets of cells, and how many models a GPU trains at once."""

    study: Study
    used: Shape
    sets: dict[str, tuple[int, ...]]
    models: int


def parts(device: str, quick: bool) -> list[Part]:
    """What is measured on a device within the time that a person waits for it."""
    if quick:
        sets = cell_sets(stratified=5)
        return [
            Part(UTD, scaled(UTD.full, 67), {name: sets[name] for name in ("all-skip", "mean", "stratified-5")}, 25)
        ]
    if device == "cuda":
        return [
            Part(UTD, UTD.full, cell_sets(25), models=375),
            Part(NTU, scaled(NTU.full, 13 * 256 + 169), cell_sets(25), models=50),
        ]
    return [
        Part(UTD, scaled(UTD.full, 2 * 32 + 3), cell_sets(25), models=0),
        Part(NTU, scaled(NTU.full, 256), cell_sets(3), models=0),
    ]


def jobs_by_turn(case: Case, part: Part, cells: tuple[int, ...], device: str) -> list[list[Job]]:
    """The trainings that the engine is given at a time, turn by turn."""
    if case.engine != "fused":
        return [[(cell, 777)] for cell in cells]
    if device == "cpu":
        return [[(cell, 777 + seed) for seed in range(cores())] for cell in cells]
    return [[(cell, 777 + seed) for seed in range(max(1, part.models // len(cells))) for cell in cells]]


class Bench:
    """The measurements so far: seconds per arch-epoch by part, set and case, one per finished round."""

    def __init__(self, device: str, cases: list[Case], measured: list[Part]) -> None:
        self.device, self.cases, self.parts = device, cases, measured
        self.processes = {engine: EngineProcess(engine, device) for engine in dict.fromkeys(c.engine for c in cases)}
        self.seconds: dict[tuple[str, str, Case], list[float]] = defaultdict(list)
        self.peaks: dict[tuple[str, str, Case], int] = defaultdict(int)
        self.failures: dict[tuple[str, str, Case], str] = {}
        self._starts: dict[tuple, float] = {}

    def run_round(self, number: int, deadline: float = float("inf")) -> None:
        """Measure every set with every case once; sets that are not measured by `deadline` (monotonic) are left out."""
        turns = {
            (part.study.name, name, case): jobs_by_turn(case, part, cells, self.device)
            for part in self.parts
            for name, cells in part.sets.items()
            for case in self.cases
        }
        progress = Progress(f"bench, round {number + 1}", sum(map(len, turns.values())), "measurements")
        # What matters most comes first, and what takes longest last.
        for part, name in [(one, name) for one in self.parts for name in sorted(one.sets, key=_rank)]:
            found: dict[Case, list[float]] = defaultdict(list)
            longest = max(len(turns[part.study.name, name, case]) for case in self.cases)
            for turn in range(longest):
                for case in self.cases[:: -1 if number % 2 else 1]:
                    key = (part.study.name, name, case)
                    if time.monotonic() > deadline:
                        return
                    if turn < len(turns[key]):
                        if key not in self.failures:
                            self._measure(key, part, turns[key][turn], found)
                        progress.advance(note=f"{part.study.name}, {name}")
            for case in found:
                if (key := (part.study.name, name, case)) not in self.failures:
                    self.seconds[key].append(statistics.mean(found[case]))

    def _measure(self, key: tuple[str, str, Case], part: Part, jobs: list[Job], found: dict[Case, list[float]]) -> None:
        case = key[2]
        process = self.processes[case.engine]
        recipe = Recipe(FIRST_EPOCHS[self.device], part.used.batch_size, precision=case.precision)
        try:
            if case.engine == "fused":
                epoch = process.time(jobs, part.used, replace(recipe, epochs=2))
                found[case].append(epoch.seconds / len(jobs))
                self.peaks[key] = max(self.peaks[key], epoch.peak_bytes)
                return
            if (start := (case, part.study.name, *jobs)) not in self._starts:
                if not any(known[:2] == start[:2] for known in self._starts):
                    process.time(jobs, part.used, recipe)  # images, libraries and kernels are made once
                runs = [process.time(jobs, part.used, recipe).seconds for _ in range(STARTS[self.device])]
                self._starts[start] = min(runs)
            last = recipe.epochs + EPOCHS[self.device]
            seconds, peak = marginal(process, jobs, part.used, recipe, recipe.epochs, last, self._starts[start])
        except EngineFailure as failure:
            self.failures[key] = str(failure)
            sys.stderr.write(f"{case.engine} {case.precision}, {key[0]}, {key[1]}: {failure}\n")
            return
        found[case].append(seconds)
        self.peaks[key] = max(self.peaks[key], peak)

    def close(self) -> None:
        """End the engines' processes."""
        for process in self.processes.values():
            process.close()


def _rank(name: str) -> int:
    return -1 if name.startswith("stratified") else SETS.index(name)


def offered(device: torch.device) -> list[str]:
    """The precisions that the device computes in."""
    found = []
    for precision in PRECISIONS:
        try:
            check_precision(Recipe(1, 1, precision=precision), device)
        except InputError:
            continue
        found.append(precision)
    return found


def run(device: torch.device, minutes: float, quick: bool) -> tuple[dict, dict]:
    """Measure, and return what `report.report` prints and what `make plan` reads."""
    begun, load = time.monotonic(), os.getloadavg()[0]
    precisions = offered(device)
    torch.set_num_threads(cores())
    top = ceilings(device, precisions)
    # On a busy machine threads that wait for each other are slower than one: the faster reference is the baseline.
    cases = [Case(engine, "fp32") for engine in ("reference", "reference-1-thread")[: 1 + (device.type == "cpu")]]
    cases += [Case(engine, precision) for precision in precisions for engine in ("plain", "fused")]
    bench = Bench(device.type, cases, parts(device.type, quick))
    try:
        rounds, longest = 0, 0.0
        while not rounds or time.monotonic() - begun + longest < 60 * minutes:
            started = time.monotonic()
            bench.run_round(rounds, begun + 60 * minutes)
            rounds, longest = rounds + 1, max(longest, time.monotonic() - started)
            if quick:
                break
    finally:
        bench.close()
    rows = [
        row(part.study, part.used, name, cells, asdict(case), bench.seconds, bench.peaks, bench.failures, top, case)
        for part in bench.parts
        for name, cells in part.sets.items()
        for case in cases
    ]
    result = {
        "format": FORMAT,
        "device": device_name(device),
        "kind": device.type,
        "cores": cores(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_before": load,
        "rounds": rounds,
        "minutes": round((time.monotonic() - begun) / 60, 1),
        "quick": quick,
        "ceilings": top,
        "rows": rows,
    }
    return result, calibration(result)


def main() -> int:
    """Parse the command line, measure, print the table; 1 where an engine failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about a minute: one shape, few cells, one round")
    parser.add_argument("--minutes", type=float, default=15, help="that it may take (default 15)")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: a GPU where there is one")
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench.json", help="(default build/bench.json)")
    parser.add_argument("--calibration", type=Path, help="(default bench/calibration.json; none with --quick)")
    arguments = parser.parse_args()
    device = torch.device(arguments.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    begun = time.monotonic()
    result, rates = run(device, arguments.minutes, arguments.quick)
    write_json(arguments.out, result)
    if path := arguments.calibration or (None if arguments.quick else ROOT / "bench/calibration.json"):
        write_json(path, rates)
    print(report(result))
    print(f"\n{span(time.monotonic() - begun)}; {arguments.out} holds every figure")
    return 1 if any("failure" in one for one in result["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main())
