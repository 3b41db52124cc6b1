"""A folder that NATS-Bench 1.8 opens: `create(folder, "tss", fast_mode=True)`.

`meta.pickle.pbz2` has the strings of all 15,625 cells, `NNNNNN.pickle.pbz2` one cell: plain values, pickled with
protocol 4 and packed with bzip2. Each benchmark file becomes one `hp`, named by its epochs. Source of the layout: Dong,
Liu, Musial and Gabrys, "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size", TPAMI 2021, and
its package.
"""

import bz2
import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skelnas.cells import space
from skelnas.cells.outline import REPEATS, STAGES
from skelnas.errors import InputError
from skelnas.exporters import Options
from skelnas.progress import Progress
from skelnas.recipe import SPLITS
from skelnas.results import clock
from skelnas.results.query import Benchmark

EVALUATIONS = {"x-valid": "valid", "x-test": "test", "test": "test"}  # names of the client -> splits
ALIASES = ("cifar10", "cifar100", "ImageNet16-120")  # the only names that its simulation takes


def write(benchmarks: Sequence[Benchmark], target: Path, options: Options) -> list[str]:
    """Write the folder.

    Raises:
        InputError: files of several data sets or twice the same epochs, an alias that the client does not know, or no
            training with all of its epochs.
    """
    first = benchmarks[0]
    if options.alias and options.alias not in ALIASES:
        raise InputError(
            f"the alias {options.alias!r} would help nobody: the client's simulation takes {', '.join(ALIASES)}"
        )
    if len({(one.dataset, one.fingerprint) for one in benchmarks}) > 1 or len({one.epochs for one in benchmarks}) < len(
        benchmarks
    ):
        raise InputError("one folder holds one data set, and of each number of epochs one recipe")
    name = options.alias or first.dataset
    target.mkdir()
    cells = sorted({int(cell) for one in benchmarks for cell in one.cells})
    values = {one.epochs: _values(one) for one in benchmarks}
    timed = {one.epochs: clock.measured(one) if clock.timing_table(one.path).is_file() else {} for one in benchmarks}
    progress, trainings, written = Progress("cells", len(cells)), 0, 0
    for cell in cells:
        found: dict[str, Any] = {}
        for one in sorted(benchmarks, key=lambda one: one.epochs):
            results = _results(one, cell, name, values[one.epochs], timed[one.epochs])
            if results:
                found[str(one.epochs)] = {
                    "arch_index": cell,
                    "arch_str": space.text(space.cell(cell)),
                    "all_results": results,
                    "dataset_seed": {name: sorted(seed for _, seed in results)},
                    "clear_net_done": True,
                }
                trainings += len(results)
        if found:
            written += 1
            _dump(target / f"{cell:06d}.pickle.pbz2", found)
        progress.advance()
    if not written:
        raise InputError(f"{first.path} has no training with all of its epochs, and the client knows of no gaps")
    _dump(target / "meta.pickle.pbz2", {"meta_archs": [space.text(cell) for cell in space.all_cells()]})
    notes = _notes(benchmarks, name, options.alias, written, trainings, any(timed.values()))
    (target / "README.md").write_text(_readme(first, name, benchmarks, notes), encoding="utf-8")
    return notes


def _values(benchmark: Benchmark) -> dict[tuple[str, str], np.ndarray]:
    """Every curve, (cells, seeds, epochs), by split and metric; losses NaN where they are not there."""
    found = {(split, metric): benchmark.curves(split, metric) for split in SPLITS for metric in ("top1", "top5")}
    for split in SPLITS:
        there = benchmark.loss_is_here
        found[split, "loss"] = benchmark.curves(split, "loss") if there else np.full_like(found[split, "top1"], np.nan)
    return found


def _results(
    benchmark: Benchmark,
    cell: int,
    name: str,
    values: dict[tuple[str, str], np.ndarray],
    timed: dict[tuple[int, int], tuple[float, str]],
) -> dict[tuple[str, int], dict[str, Any]]:
    """What one recipe has of a cell, by data set and seed; trainings with a gap are left out."""
    row = int(np.searchsorted(benchmark.cells, cell))
    if row == len(benchmark) or benchmark.cells[row] != cell:
        return {}
    results = {}
    for column, seed in enumerate(benchmark.seeds):
        own = {key: curves[row, column].tolist() for key, curves in values.items()}
        used = [split for split in SPLITS if benchmark.samples[split]]
        if any(np.isnan(own[split, "top1"]).any() for split in used):
            continue
        evaluations = {shown: split for shown, split in EVALUATIONS.items() if split in used}
        seconds = timed.get((cell, seed), (None, ""))[0]
        results[name, seed] = {
            "name": "infer.tiny",
            "net_state_dict": None,
            "train_acc1es": dict(enumerate(own["train", "top1"])),
            "train_acc5es": dict(enumerate(own["train", "top5"])),
            "train_losses": dict(enumerate(own["train", "loss"])),
            "train_times": None
            if seconds is None
            else dict.fromkeys(range(benchmark.epochs), seconds / benchmark.epochs),
            "arch_config": {
                "channel": STAGES[0],
                "num_cells": REPEATS,
                "arch_str": space.text(space.cell(cell)),
                "class_num": benchmark.classes,
            },
            "params": int(benchmark.parameters[row]) / 1e6,
            "flop": int(benchmark.macs[row]) / 1e6,
            "seed": seed,
            "epochs": benchmark.epochs,
            "latency": None,
            "eval_names": list(evaluations),
            "eval_acc1es": _by_key(evaluations, own, "top1"),
            "eval_acc5es": _by_key(evaluations, own, "top5"),
            "eval_losses": _by_key(evaluations, own, "loss"),
            "eval_times": dict.fromkeys(_by_key(evaluations, own, "top1"), 0.0) if seconds is not None else {},
        }
    return results


def _by_key(evaluations: dict[str, str], own: dict[tuple[str, str], list[float]], metric: str) -> dict[str, float]:
    return {
        f"{shown}@{epoch}": value
        for shown, split in evaluations.items()
        for epoch, value in enumerate(own[split, metric])
    }


def _dump(path: Path, value: Any) -> None:
    path.write_bytes(bz2.compress(pickle.dumps(value, protocol=4)))


def _notes(
    benchmarks: Sequence[Benchmark], name: str, alias: str, written: int, trainings: int, timed: bool
) -> list[str]:
    dataset = benchmarks[0].dataset
    possible = sum(len(one) * len(one.seeds) for one in benchmarks)
    notes = [
        f"{written:,} cells, {trainings:,} trainings, data set {name!r}, hp "
        + ", ".join(str(one.epochs) for one in benchmarks)
    ]
    if alias:
        notes.append(f"{alias!r} is an alias: these are results of {dataset}, not of {alias}")
    else:
        notes.append(
            "simulate_train_eval and statistics take only the names of three image sets: export with --alias cifar100"
        )
    if written < space.CELLS:
        notes.append(
            f"{space.CELLS - written:,} cells have no file: call find_best with enforce_all=False after queries"
        )
    if trainings < possible:
        notes.append(f"{possible - trainings:,} trainings are left out: nobody has them, or not every epoch of them")
    if timed:
        notes.append("seconds are those of a whole training, evaluations included, spread evenly over its epochs")
    else:
        notes.append("nobody measured seconds: times are None, and simulate_train_eval fails")
    return notes


def _readme(first: Benchmark, name: str, benchmarks: Sequence[Benchmark], notes: list[str]) -> str:
    identities = "\n".join(f"- `{one.path.name}` ({one.recipe_name}), identity `{one.identity}`" for one in benchmarks)
    return f"""# {first.dataset} in NATS-Bench's layout

```python
from nats_bench import create

api = create("{{this folder}}", "tss", fast_mode=True, verbose=False)
api.get_more_info(1459, {json.dumps(name)}, hp="{first.epochs}", is_random=False)
```

{chr(10).join(f"- {note}" for note in notes)}
- `x-valid` is the validation split, `x-test` (and `test`) the test split; accuracies are percent, params millions, flop
  millions of multiply-accumulates; latency was not measured.

Made by skelnas of:

{identities}
"""
