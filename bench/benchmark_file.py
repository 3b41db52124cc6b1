"""How large a full benchmark is, and how fast it answers: 15,625 cells x 3 seeds x 200 epochs, made-up curves.

Seconds are those on the clock and, in brackets, those of the processor: on a machine that others use, the latter are
nearer to what an idle one takes. The curves are a model, not results: accuracy rises to a plateau that is the cell's
own, with noise between epochs that fades as the learning rate does; counts follow UTD-MHAD's numbers of samples.
`python -m bench.benchmark_file` prints the table; reading is measured in a process of its own, which has nothing else
in memory.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from skelnas.cells.space import CELLS
from skelnas.exporters import Options, export
from skelnas.recipe import SPLITS, Recipe
from skelnas.results.benchmark import Expected, Table, aggregate, loss_path, write_benchmark
from skelnas.results.counts import stored_counts
from skelnas.results.finished import FinishedShards
from skelnas.results.query import Benchmark
from skelnas.results.shard import Shard, identity, write_shard
from skelnas.text import text_table

SEEDS, EPOCHS, SAMPLES = (777, 888, 999), 200, np.array([323, 108, 430])
SHARDS = 48  # of all seeds together
MANY = 600  # shards of one seed, whose headers are read
NATS_CELLS = 300  # exported for the real nats_bench
CLIENTS = Path(__file__).parents[1] / "build/clients/bin/python"  # `make build/clients/ready`
NATS = """
import json, statistics, sys
from time import perf_counter, process_time
from nats_bench import create

def seconds(function):
    begun = perf_counter(), process_time()
    function()
    return [perf_counter() - begun[0], process_time() - begun[1]]

folder, cells = sys.argv[1], int(sys.argv[2])
api = None
def opening():
    global api
    api = create(folder, "tss", fast_mode=True, verbose=False)
found = {"open": seconds(opening)}
ask = lambda cell: api.get_more_info(cell, "model", hp="200", is_random=False)
first = [seconds(lambda: ask(cell)) for cell in range(0, cells, 3)]
again = [seconds(lambda: ask(cell)) for cell in range(0, cells, 3)]
middle = lambda all: [statistics.median(column) for column in zip(*all)]
found |= {"curve, first time": middle(first), "last value": middle(again)}
opening()
def best():
    for cell in range(cells):
        api._prepare_info(cell)
    api.find_best("model", "x-valid", hp="200", enforce_all=False)
found["best of all cells"] = seconds(best)
print("JSON", json.dumps(found))
"""
LIMITS = {
    "open": "20 ms",
    "last value": "15 us",
    "curve, first time": "0.3 ms",
    "best of all cells": "10 ms",
    "counts": "50 MB",
    "resident": "100 MB",
    f"aggregation of {SHARDS} shards": "30 s",
    "memory of the aggregation": "1 GB",
    f"looking through {MANY} shards": "2 s",
}


def model_curves(cells: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """loss float32, top1 and top5 int32, (cells, 3, epochs) each."""
    random = np.random.default_rng([seed, int(cells[0])])
    progress = (np.arange(EPOCHS) + 1) / EPOCHS
    cosine = (1 + np.cos(np.pi * progress)) / 2
    plateau = random.beta(8, 3, (len(cells), 1, 1)) * np.array([1.25, 0.95, 1.0])[:, None]
    noise = random.normal(size=(len(cells), 3, EPOCHS)) * 0.05 * cosine
    top1 = np.clip(plateau * (1 - 0.95 * np.exp(-8 * progress)) + noise, 0.02, 1)
    top5 = np.clip(1 - (1 - top1) ** 2.5, 0, 1)
    loss = -np.log(np.clip(top1, 0.03, 0.995)) + random.normal(size=top1.shape) * 0.02
    counts = [np.rint(share * SAMPLES[:, None]).astype(np.int32) for share in (top1, top5)]
    return {"loss": loss.astype(np.float32), "top1": counts[0], "top5": counts[1]}


def write_shards(folder: Path, cells: int, expected: Expected) -> dict[int, list[Path]]:
    """Shards of the first `cells` cells as training would write them, `SHARDS` over all seeds."""
    found: dict[int, list[Path]] = {}
    for seed in SEEDS:
        for part in np.array_split(np.arange(cells), SHARDS // len(SEEDS)):
            path = folder / f"seed{seed}/{part[0]:05d}-{part[-1]:05d}.h5"
            write_shard(path, _shard(part, seed, expected))
            found.setdefault(seed, []).append(path)
    return found


def _shard(cells: np.ndarray, seed: int, expected: Expected) -> Shard:
    recipe = expected.recipe
    return Shard(
        cells=cells.astype(np.int32),
        **model_curves(cells, seed),
        learning_rate=np.array([recipe.rate(epoch) for epoch in range(EPOCHS)]),
        samples=SAMPLES,
        dataset=expected.dataset,
        fingerprint=expected.fingerprint,
        recipe=recipe.as_dict(),
        seed=seed,
        identity=identity(expected.fingerprint, recipe, cells.tolist(), seed),
    )


def _seconds(function: Callable[[], object]) -> list[float]:
    """Seconds on the clock and of the processor."""
    begun = perf_counter(), process_time()
    function()
    return [perf_counter() - begun[0], process_time() - begun[1]]


def questions(path: Path) -> dict[str, list[float]]:
    """Seconds of each question to the benchmark, each the median of several, and the memory at the end in bytes."""
    opening = [_seconds(lambda: Benchmark(path).close()) for _ in range(9)]
    with Benchmark(path) as benchmark:
        best = _seconds(lambda: benchmark.seed_means("valid").argmax())
        cells = benchmark.cells[:: len(benchmark) // 101].tolist()
        values = [_seconds(lambda cell=cell: benchmark.value(cell, "valid")) for cell in cells]
        # Every cell lies in a chunk of its own, which nobody has unpacked before.
        curves = [_seconds(lambda cell=cell: benchmark.curve(cell)) for cell in cells[1:]]
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    memory = 1024 * int(next(line for line in status if line.startswith("VmRSS")).split()[1])
    times = {"open": opening, "last value": values, "curve, first time": curves, "best of all cells": [best]}
    return {**{name: np.median(measured, axis=0).tolist() for name, measured in times.items()}, "resident": [memory]}


def merge(folder: Path, expected: Expected, cells: int) -> dict[str, list[float]]:
    """Seconds and peak memory in bytes of the aggregation of the shards in `folder`."""
    shards = {seed: sorted((folder / f"seed{seed}").glob("*.h5")) for seed in SEEDS}
    seconds = _seconds(lambda: aggregate(shards, range(cells), expected, folder / "benchmark.h5"))
    return {"seconds": seconds, "bytes": [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]}


def look_through(folder: Path, expected: Expected) -> list[float]:
    """Seconds to find out what `MANY` shards hold."""
    for cell in range(MANY):
        path = folder / f"many/short/seed{SEEDS[0]}/{cell:05d}-{cell:05d}.h5"
        write_shard(path, _shard(np.array([cell]), SEEDS[0], expected))
    many = folder / "many"
    return _seconds(lambda: FinishedShards(many, expected.fingerprint, expected.recipe, SEEDS[0]).holding(range(MANY)))


def beside_nats_bench(path: Path, folder: Path) -> dict[str, list[float]]:
    """Seconds of the same questions to the unmodified nats_bench, on an export of the first cells; empty without it.

    Its best of all reads every cell's file, so its seconds are those of `NATS_CELLS` times 15,625 / `NATS_CELLS`.
    """
    if not CLIENTS.is_file():
        return {}
    few = folder / "few/benchmark.h5"
    with Benchmark(path) as benchmark:
        cells = min(NATS_CELLS, len(benchmark))
        write_benchmark(few, _first(benchmark, cells))
    with Benchmark(few) as benchmark:
        export("nats_bench", [benchmark], folder / "nats", Options())
    answer = subprocess.run(
        [str(CLIENTS), "-c", NATS, str(folder / "nats"), str(cells)], check=True, capture_output=True
    )
    found = json.loads(answer.stdout.decode().rpartition("JSON ")[2])
    size = sum(file.stat().st_size for file in (folder / "nats").glob("0*.pbz2")) * CELLS / cells
    return {**found, "best of all cells": [one * CELLS / cells for one in found["best of all cells"]], "bytes": [size]}


def _first(benchmark: Benchmark, cells: int) -> Table:
    """The first cells of a benchmark."""
    counts = {
        metric: stored_counts(np.stack([benchmark.counts(split, metric)[:cells] for split in SPLITS], axis=2), SAMPLES)
        for metric in ("top1", "top5")
    }
    return Table(
        cells=benchmark.cells[:cells],
        seeds=list(benchmark.seeds),
        **counts,
        loss=np.stack([benchmark.curves(split, "loss")[:cells] for split in SPLITS], axis=2).astype(np.float32),
        samples=SAMPLES,
        learning_rate=benchmark.learning_rate,
        dataset=benchmark.dataset,
        recipe_name=benchmark.recipe_name,
        recipe=benchmark.recipe,
        fingerprint=benchmark.fingerprint,
        classes=benchmark.classes,
        height=benchmark.height,
        width=benchmark.width,
    )


def _in_a_process(what: str, folder: Path, cells: int) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "bench.benchmark_file", "--only", what, "--folder", str(folder)]
    answer = subprocess.run([*command, "--cells", str(cells)], check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)


def _said(seconds: list[float], unit: float, name: str) -> str:
    return f"{unit * seconds[0]:.2f} ({unit * seconds[1]:.2f}) {name}"


def main() -> None:
    """Make the files in a temporary folder, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=CELLS, help="fewer, for a trial")
    parser.add_argument("--only", choices=("questions", "merge"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    expected = Expected("model", "ab" * 32, "b32-e200", Recipe(EPOCHS, 32), classes=27, height=60, width=68)
    if given.only:
        found = questions(given.folder / "benchmark.h5") if given.only == "questions" else None
        print(json.dumps(found or merge(given.folder, expected, given.cells)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shards = write_shards(folder, given.cells, expected)
        merged = _in_a_process("merge", folder, given.cells)
        found = _in_a_process("questions", folder, given.cells)
        path = folder / "benchmark.h5"
        nats = beside_nats_bench(path, folder)
        rows = {
            "open": _said(found["open"], 1e3, "ms"),
            "last value": _said(found["last value"], 1e6, "us"),
            "curve, first time": _said(found["curve, first time"], 1e3, "ms"),
            "best of all cells": _said(found["best of all cells"], 1e3, "ms"),
            "counts": f"{path.stat().st_size / 1e6:.1f} MB",
            "losses": f"{loss_path(path).stat().st_size / 1e6:.1f} MB",
            "shards": f"{sum(file.stat().st_size for files in shards.values() for file in files) / 1e6:.1f} MB",
            "resident": f"{found['resident'][0] / 1e6:.0f} MB",
            f"aggregation of {SHARDS} shards": _said(merged["seconds"], 1, "s"),
            "memory of the aggregation": f"{merged['bytes'][0] / 1e9:.2f} GB",
            f"looking through {MANY} shards": _said(look_through(folder, expected), 1, "s"),
        }
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    print(f"{given.cells:,} cells x {len(SEEDS)} seeds x {EPOCHS} epochs of a model; load {load:.1f} per core")
    units = {
        "open": (1e3, "ms"),
        "last value": (1e6, "us"),
        "curve, first time": (1e3, "ms"),
        "best of all cells": (1e3, "ms"),
    }
    theirs = {what: _said(nats[what], *unit) for what, unit in units.items() if what in nats}
    theirs |= {"counts": f"{nats['bytes'][0] / 1e6:.0f} MB"} if nats else {}
    table = [(what, value, LIMITS.get(what, ""), theirs.get(what, "")) for what, value in rows.items()]
    print(text_table(("what", "measured", "limit", "nats_bench 1.8"), table))
    if nats:
        print(f"nats_bench: an export of {NATS_CELLS} cells; last value: asked for before; curve: its file unpacked")
        print("best of all and MB: those of 15,625 cells, if the others take as long and as much")
    else:
        print("nats_bench is not here: `make build/clients/ready` installs it")


if __name__ == "__main__":
    main()
