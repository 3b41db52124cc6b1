"""A folder that syne-tune 0.16 opens for its simulator of many workers: `blackbox_tabular.deserialize(folder)[task]`.

`configspace.json`, `fidelityspace.json`, `hyperparameters.parquet` (read by fastparquet), `fidelities_values.npy`,
`objectives_evaluations.npy` (float32: task, cell, seed, epoch, objective) and `metadata.json`, with the names of its
own NAS-Bench-201. Source of the layout: syne_tune.blackbox_repository.blackbox_tabular, `deserialize`. Its array
has no gaps and its clock no NaN: cells of which a seed or its seconds are missing are left out, and never filled.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.exporters import Options
from skelnas.results import clock
from skelnas.results.query import Benchmark

HYPERPARAMETERS = tuple(f"hp_x{edge}" for edge in range(len(space.EDGES)))
FIDELITY, ELAPSED = "hp_epoch", "metric_elapsed_time"
OBJECTIVES = (
    "metric_valid_error",
    "metric_train_error",
    "metric_test_error",
    "metric_runtime",
    ELAPSED,
    "metric_params",
    "metric_flops",
)


def write(benchmarks: Sequence[Benchmark], target: Path, options: Options) -> list[str]:
    """Write the folder.

    Raises:
        InputError: nobody measured seconds, or no cell has all seeds.
    """
    (benchmark,) = benchmarks
    if not benchmark.samples["valid"]:
        raise InputError(f"{benchmark.path} has no validation split, which a search needs")
    timed = clock.measured(benchmark)
    cells, seeds = benchmark.cells.tolist(), benchmark.seeds
    seconds = np.array([[timed.get((cell, seed), (np.nan,))[0] for seed in seeds] for cell in cells])
    whole = np.ones(len(cells), dtype=bool)
    errors = {}
    for split in ("valid", "train", "test"):
        errors[split] = 1 - benchmark.curves(split) / 100
        if benchmark.samples[split]:
            whole &= ~np.isnan(errors[split]).any(axis=(1, 2))
    timeless = whole & np.isnan(seconds).any(axis=1)
    whole &= ~timeless
    if not whole.any():
        raise InputError(
            f"{benchmark.path} has no cell with every seed ({', '.join(map(str, seeds))}), every epoch and its "
            "seconds, and syne-tune knows of no gaps"
        )
    values = np.empty((1, int(whole.sum()), len(seeds), benchmark.epochs, len(OBJECTIVES)), dtype=np.float32)
    each = (seconds / benchmark.epochs)[whole][..., None]
    columns: dict[str, Any] = {f"metric_{split}_error": errors[split][whole] for split in errors}
    columns |= {"metric_runtime": each, ELAPSED: each * np.arange(1, benchmark.epochs + 1)}
    columns |= {"metric_params": benchmark.parameters[whole][:, None, None] / 1e6}
    columns |= {"metric_flops": benchmark.macs[whole][:, None, None] / 1e6}
    for position, name in enumerate(OBJECTIVES):
        values[0, ..., position] = columns[name]
    target.mkdir()
    _write(target, benchmark, np.array(cells)[whole], values)
    left_out = [
        f"{int(number):,} cells are left out: {why}"
        for number, why in (
            (len(cells) - whole.sum() - timeless.sum(), "a seed or an epoch of them is missing"),
            (timeless.sum(), "nobody measured their seconds"),
        )
        if number
    ]
    notes = [
        f"{values.shape[1]:,} cells, {len(seeds)} seeds (0 is {seeds[0]}), {benchmark.epochs} epochs, task "
        f"{benchmark.dataset!r}",
        "errors are from 0 to 1; seconds are those of a whole training, spread evenly over its epochs",
        *left_out,
    ]
    if values.shape[1] < space.CELLS:
        notes.append(
            "not every configuration is there: give searchers restrict_configurations=blackbox.all_configurations()"
        )
    return notes


def _write(target: Path, benchmark: Benchmark, cells: np.ndarray, values: np.ndarray) -> None:
    operations = [[space.OPERATIONS[digit] for digit in space.cell(int(cell))] for cell in cells]
    frame = pd.DataFrame(operations, columns=list(HYPERPARAMETERS))
    pyarrow.parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), target / "hyperparameters.parquet")
    np.save(target / "objectives_evaluations.npy", values)
    np.save(target / "fidelities_values.npy", np.arange(1, benchmark.epochs + 1))
    one = _domain("Categorical", categories=list(space.OPERATIONS))
    files = {
        "configspace.json": dict.fromkeys(HYPERPARAMETERS, one),
        "fidelityspace.json": {FIDELITY: _domain("Integer", lower=1, upper=benchmark.epochs)},
        "metadata.json": {
            "objectives_names": list(OBJECTIVES),
            "task_names": [benchmark.dataset],
            "elapsed_time_attr": ELAPSED,
            "default_metric": OBJECTIVES[0],
            "resource_attr": FIDELITY,
            "seeds": list(benchmark.seeds),
            "architecture_indices": cells.tolist(),
            "identity": benchmark.identity,
        },
    }
    for name, value in files.items():
        (target / name).write_text(json.dumps(value), encoding="utf-8")


def _domain(kind: str, **arguments: Any) -> dict[str, Any]:
    return {"domain_cls": kind, "domain_kwargs": arguments, "sampler_cls": "Uniform", "sampler_kwargs": {}}
