"""Chosen cells trained once more, with what they predict kept, and the weights of those that a study wants to keep.

The engine is the one of the settings, so that the same machine gives the counts of the benchmark again: the CPU's own
where it is the fused one on a CPU, otherwise the plain one, whose rounding on a GPU may differ from the fused one's.
"""

import contextlib
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.files import sha256_of_json
from skelnas.images.image_set import ImageSet
from skelnas.network import Network
from skelnas.processes import JobFailure, run_in_processes
from skelnas.progress import Progress
from skelnas.recipe import SPLITS, Recipe
from skelnas.results.chosen import Chosen, choose
from skelnas.results.networks import Networks, write_networks
from skelnas.results.query import Benchmark
from skelnas.results.weights import Facts, Weights, write_weights
from skelnas.termination import ended_by_sigterm
from skelnas.training import loop, plain, seeding
from skelnas.training.checkpoint import Checkpoint, remove_checkpoints
from skelnas.training.cpu.training import CpuTraining, keep_freed_memory
from skelnas.training.metrics import Curves, curves
from skelnas.training.precision import check_environment, check_precision, dtype
from skelnas.training.resident import ResidentImages, check_images
from skelnas.training.settings import Job, Request, Settings, TrainingError


@dataclass(frozen=True)
class Trained:
    """A training's curves, by split (valid, test) the class that it predicts for each sample, uint16, and its weights
    as `results.weights` names them."""

    curves: Curves
    predicted: dict[str, np.ndarray]
    tensors: dict[str, np.ndarray]


@dataclass(frozen=True)
class Keeping:
    """Whose weights are kept (`choose`), in which folder, and what is to be told of the data set and the licence.

    options: the data set's block less sources and split; joints, parents: of its manifest.
    """

    wishes: Sequence[str | int]
    folder: Path
    options: dict[str, Any]
    joints: Sequence[str]
    parents: Sequence[int]
    licence: str


def train_networks(
    images: ImageSet,
    recipe: Recipe,
    benchmark: Benchmark,
    wishes: Sequence[str | int],
    path: Path | str,
    settings: Settings,
    keeping: Keeping | None = None,
) -> None:
    """Choose networks of a benchmark, train them once more, hold their counts against it, and write the networks file.

    It has the networks whose weights are kept as well. Each of these gets a file in the folder of `keeping`, called
    `cell-01462.safetensors`. Counts that differ are said on standard error and kept beside those of the benchmark. A
    killed job goes on from the checkpoints in a folder beside `path`.

    Raises:
        InputError: the images are not the benchmark's; as `choose` and `engines.train_jobs`.
    """
    if images.fingerprint != benchmark.fingerprint:
        raise InputError(f"{benchmark.path} was trained on other images than {images.name} now has; make it again")
    kept = choose(benchmark, keeping.wishes) if keeping else []
    chosen, path = choose(benchmark, [*wishes, *(keeping.wishes if keeping else [])]), Path(path)
    name = sha256_of_json([images.fingerprint, recipe.as_dict(), settings.engine, settings.torch_device().type])
    folder = path.with_name(f"{path.stem}.{name[:8]}.checkpoints")
    folder.mkdir(parents=True, exist_ok=True)
    request = Request([(one.cell, one.seed) for one in chosen], images, recipe, settings, folder)
    with ended_by_sigterm("ended by SIGTERM; the same command goes on from the last checkpoints"):
        trained = predictions(request)
    networks = _networks(images, benchmark, chosen, trained, settings)
    for position, same in enumerate(networks.as_in_table):
        if not same:
            sys.stderr.write(_difference(networks, position))
    if keeping:
        for one in kept:
            facts = _facts(images, recipe, networks, [other.cell for other in chosen].index(one.cell), keeping)
            file = keeping.folder / f"cell-{one.cell:05d}.safetensors"
            write_weights(file, Weights(replace(facts, role=one.role), trained[one.cell, one.seed].tensors))
    write_networks(path, networks)
    remove_checkpoints(folder, request.jobs)
    with contextlib.suppress(OSError):
        folder.rmdir()


def predictions(request: Request) -> dict[Job, Trained]:
    """Train every job and ask it about every sample of valid and test; checkpoints are left for the caller to remove.

    Raises:
        InputError: as `engines.train_jobs`.
        TrainingError: after all others have finished, the jobs that crashed.
    """
    device = request.settings.torch_device()
    check_environment(device)
    check_precision(request.recipe, device)
    check_images(request.images, request.recipe.batch_size)
    data = ResidentImages.of(request.images, device, dtype(request.recipe))
    own = request.settings.engine == "fused" and device.type == "cpu"
    one = partial(_fused if own else _plain, request=request, data=data)
    if own:
        keep_freed_memory()
    processes = min(request.settings.processes, len(request.jobs)) if device.type == "cpu" else 1
    progress = Progress("networks", len(request.jobs), "networks")
    found: dict[Job, Trained] = {}
    reasons: dict[Job, str] = {}
    outcomes = run_in_processes(request.jobs, one, processes) if processes > 1 else _here(request.jobs, one, device)
    with contextlib.closing(outcomes):
        for job, outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, JobFailure):
                raise outcome
            if isinstance(outcome, JobFailure):
                reasons[job] = str(outcome)
                continue
            found[job] = outcome
            progress.advance()
    if reasons:
        raise TrainingError(reasons)
    return found


def _here(
    jobs: Sequence[Job], one: Callable[[Job], Trained], device: torch.device
) -> Generator[tuple[Job, Trained], None, None]:
    for job in jobs:
        with plain.one_thread() if device.type == "cpu" else contextlib.nullcontext():
            yield job, one(job)


def _fused(job: Job, request: Request, data: ResidentImages) -> Trained:
    training = CpuTraining(*job, request.images, data, request.recipe)
    name, minutes = f"cell {job[0]} with seed {job[1]} goes on", request.settings.checkpoint_minutes
    loop.run(training, name, request.recipe.epochs, request.folder, minutes)
    predicted = {split: predicted_classes(logits) for split, logits in training.outputs().items()}
    network, _ = seeding.start(
        space.cell(job[0]), job[1], request.images.classes, request.images.height, request.images.width
    )
    network = network.to(dtype(request.recipe))
    training.network.write_to(network)
    return Trained(curves(training.metrics), predicted, tensors_of(network))


def _plain(job: Job, request: Request, data: ResidentImages) -> Trained:
    checkpoint = Checkpoint(request.folder, *job, request.settings.checkpoint_minutes) if request.folder else None
    cell = space.cell(job[0])
    device = data.pool.device
    result, network = plain.train_network(cell, job[1], request.images, request.recipe, device, checkpoint)
    parts = {"valid": data.pool[data.valid_index], "test": data.test}
    predicted = {
        split: predicted_classes(plain.outputs(network, data, part, request.recipe)) for split, part in parts.items()
    }
    return Trained(result, predicted, tensors_of(network))


def tensors_of(network: Network) -> dict[str, np.ndarray]:
    """A network's state as a weights file has it."""
    state = network.state_dict().items()
    return {name: value.cpu().contiguous().numpy() for name, value in state if not name.endswith("num_batches_tracked")}


def predicted_classes(logits: Tensor) -> np.ndarray:
    """The class of the largest logit of (N, K), of equals the lowest, as `metrics.ranks` counts; K where any is NaN:
    there no class counts as right. uint16 (N,)."""
    values = logits.detach().double().cpu().numpy()
    return np.where(np.isnan(values).any(axis=1), values.shape[1], values.argmax(axis=1)).astype(np.uint16)


def _networks(
    images: ImageSet, benchmark: Benchmark, chosen: list[Chosen], trained: dict[Job, Trained], settings: Settings
) -> Networks:
    results = [trained[one.cell, one.seed] for one in chosen]

    def stacked(split: str, samples: int) -> np.ndarray:
        return np.stack([one.predicted[split] for one in results]) if results else np.zeros((0, samples), np.uint16)

    return Networks(
        cell=np.array([one.cell for one in chosen], dtype=np.uint16),
        seed=np.array([one.seed for one in chosen], dtype=np.int64),
        counts=np.array([one.curves.top1[:, -1] for one in results]).reshape(-1, len(SPLITS)),
        table=np.array([_table(benchmark, one) for one in chosen]).reshape(-1, len(SPLITS)),
        valid=stacked("valid", len(images.valid_index)),
        test=stacked("test", len(images.test_labels)),
        valid_label=images.pool_labels[images.valid_index],
        test_label=images.test_labels,
        test_name=images.test_names,
        test_image=images.test_images,
        roles=tuple(one.role for one in chosen),
        classes=images.class_names,
        dataset=benchmark.dataset,
        recipe_name=benchmark.recipe_name,
        fingerprint=images.fingerprint,
        benchmark=benchmark.identity,
        engine=settings.engine,
    )


def _facts(images: ImageSet, recipe: Recipe, networks: Networks, position: int, keeping: Keeping) -> Facts:
    counts = networks.counts[position].tolist()
    cell = int(networks.cell[position])
    return Facts(
        cell=cell,
        architecture=space.text(space.cell(cell)),
        seed=int(networks.seed[position]),
        role=networks.roles[position],
        recipe_name=networks.recipe_name,
        recipe=recipe.as_dict(),
        engine=networks.engine,
        dataset=networks.dataset,
        options=dict(keeping.options),
        encoding=images.encoding,
        height=images.height,
        width=images.width,
        mean=images.mean.tolist(),
        std=images.std.tolist(),
        classes=list(images.class_names),
        joints=list(keeping.joints),
        parents=list(keeping.parents),
        right=dict(zip(SPLITS, counts, strict=True)),
        samples=images.counts,
        fingerprint=images.fingerprint,
        benchmark=networks.benchmark,
        licence=keeping.licence,
    )


def _table(benchmark: Benchmark, one: Chosen) -> list[int]:
    """The benchmark's counts of one training after the last epoch, -1 where it has none."""
    row, column = int(np.searchsorted(benchmark.cells, one.cell)), benchmark.seeds.index(one.seed)
    counts = []
    for split in SPLITS:
        percent = float(benchmark.values(split)[row, column])
        counts.append(-1 if np.isnan(percent) else round(percent * benchmark.samples[split] / 100))
    return counts


def _difference(networks: Networks, position: int) -> str:
    found, told = networks.counts[position].tolist(), networks.table[position].tolist()
    return (
        f"cell {networks.cell[position]} with seed {networks.seed[position]}: correct predictions of "
        f"{', '.join(SPLITS)} are {found}, the benchmark has {told}; it was trained with other software or on another "
        "device, and both are kept\n"
    )
