"""Training one shard from start to finished file, however often it is killed on the way."""

import contextlib
import platform
import socket
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from skelnas import __version__
from skelnas.errors import InputError
from skelnas.images.image_set import ImageSet
from skelnas.progress import Progress
from skelnas.recipe import SPLITS, Recipe
from skelnas.results.finished import FinishedShards
from skelnas.results.shard import Shard, identity, read_shard, write_shard
from skelnas.results.timing import Timing, timing_path, write_timing
from skelnas.termination import ended_by_sigterm
from skelnas.training.engines import Request, Settings, TrainingError, train_jobs
from skelnas.training.journal import Entry, Journal
from skelnas.training.metrics import Curves


def train_shard(
    images: ImageSet,
    recipe: Recipe,
    cells: Sequence[int],
    seed: int,
    path: Path | str,
    settings: Settings,
    dataset: str,
    recipe_name: str,
) -> None:
    """Train `cells` with `seed`, and write the shard `path` and the timing sidecar beside it.

    A shard that is there already, with its sidecar and the identity it would get, is left as it is. Cells that a
    killed run of the same shard finished are taken from its journal. Those that other finished shards hold are taken
    from these (`results.finished`) if `path` lies as results/train/{dataset}/{recipe}/seed{seed}/ has it. SIGTERM ends
    the run with exit status 143, and what is finished by then is kept; the fused engine also saves what it is at.

    Raises:
        InputError: what `train_jobs` refuses; no cells; the disk is full. When cells crashed (`TrainingError`) the
            others are finished and recorded, and the sentence names the cell and how to train it again.
    """
    path, cells = Path(path), sorted({int(cell) for cell in cells})
    if not cells:
        raise InputError(f"{path} would be empty: give at least one cell")
    own, device = identity(images.fingerprint, recipe, cells, seed), settings.torch_device()
    if _is_finished(path, own):
        sys.stderr.write(f"{path.name}: holds these trainings already\n")
        return
    journal = Journal(path, own, settings.engine, device.type)
    if journal.restore(path):
        sys.stderr.write(f"{path.name}: was finished by a job that was ended before it could report it\n")
        return
    entries = journal.read(cells, recipe.epochs)
    journal.take_over(recipe.epochs)
    if entries:
        sys.stderr.write(f"{path.name}: {len(entries)} of {len(cells)} cells are in the journal already\n")
    if taken := _taken(path, images, recipe, seed, [cell for cell in cells if cell not in entries]):
        entries |= taken
        sys.stderr.write(f"{path.name}: {len(taken)} of {len(cells)} cells are in other finished shards already\n")
    name, started, begun, before = device_name(device), _now(), time.monotonic(), len(entries)
    progress = Progress(f"{dataset} {recipe_name} seed {seed}", len(cells), "cells", done=len(entries))

    def record(cell: int, seed: int, curves: Curves, seconds: float) -> None:
        timing: Timing = {
            "seconds": round(seconds, 3),
            "device": name,
            "host": socket.gethostname(),
            "finished": _now(),
        }
        entries[cell] = Entry(curves, timing)
        journal.add(cell, entries[cell])
        rate = 3600 * (len(entries) - before) / (time.monotonic() - begun)
        progress.advance(note=f"{rate:,.0f} cells/hour" + (f"; cell {cell} diverged" if curves.diverged else ""))

    with ended_by_sigterm("ended by SIGTERM; finished cells are kept, the same command goes on from them"):
        try:
            jobs = [(cell, seed) for cell in cells if cell not in entries]
            used = settings.engine
            if jobs:
                used = train_jobs(Request(jobs, images, recipe, settings, journal.folder), record)
        except TrainingError as error:
            done = f"the other {len(entries)} cells of this shard are kept, the same command trains only what is left"
            raise InputError(f"{path}: {error}; {done}: `snakemake --cores all {path}`") from error
        write_timing(path, seed, {cell: entry.timing for cell, entry in entries.items()}, _run(used, started))
        write_shard(path, _shard(entries, cells, images, recipe, seed, dataset, own))
        journal.keep(path)


def _taken(path: Path, images: ImageSet, recipe: Recipe, seed: int, cells: list[int]) -> dict[int, Entry]:
    """Those of `cells` that finished shards of the data set hold, whatever their recipe's name or their size."""
    if path.parent.name != f"seed{seed}" or not cells:
        return {}
    shards = FinishedShards(path.absolute().parents[2], images.fingerprint, recipe, seed)
    found = shards.take(cells, besides=path.absolute())
    return {cell: Entry(Curves(one.loss, one.top1, one.top5), one.timing or {}) for cell, one in found.items()}


def _is_finished(path: Path, own: str) -> bool:
    with contextlib.suppress(InputError):
        return timing_path(path).is_file() and bool(read_shard(path, own))
    return False


def _shard(
    entries: dict[int, Entry],
    cells: list[int],
    images: ImageSet,
    recipe: Recipe,
    seed: int,
    dataset: str,
    own: str,
) -> Shard:
    curves = [entries[cell].curves for cell in cells]
    return Shard(
        cells=np.array(cells, dtype=np.int32),
        loss=np.stack([curve.loss for curve in curves]),
        top1=np.stack([curve.top1 for curve in curves]),
        top5=np.stack([curve.top5 for curve in curves]),
        learning_rate=np.array([recipe.rate(epoch) for epoch in range(recipe.epochs)]),
        samples=np.array([images.counts[split] for split in SPLITS]),
        dataset=dataset,
        fingerprint=images.fingerprint,
        recipe=recipe.as_dict(),
        seed=seed,
        identity=own,
    )


def _run(engine: str, started: str) -> dict[str, str]:
    """What the sidecar says of this run."""
    versions = {"skelnas": __version__, "torch": str(torch.__version__), "python": platform.python_version()}
    return {"engine": engine, **versions, "started": started, "finished": _now()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def device_name(device: torch.device) -> str:
    """The GPU's or the processor's model, for people to read."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
