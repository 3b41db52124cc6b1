"""Checkpoints of a group: one file per job, so that another grouping can go on from them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skelnas.records import read_record, write_record
from skelnas.training.checkpoint import checkpoint_path
from skelnas.training.fused.stacked_state import StackedState, split_flat
from skelnas.training.fused.stacked_training import StackedTraining
from skelnas.training.fused.work_lists import WorkLists
from skelnas.training.settings import Job

OF_PARAMETERS = ("parameters", "momentum")  # the flat buffers that have the shapes of the parameters


def save(training: StackedTraining, folder: Path) -> None:
    """Write every job's part of the group; each file is whole or not there."""
    buffers = {name: buffer.cpu() for name, buffer in training.state.buffers().items()}
    models: list[dict[str, np.ndarray]] = [{} for _ in range(training.models)]
    for model, key, row in _rows(training.state, training.lists, buffers):
        models[model][key] = row.numpy()
    for job, arrays, generator, figures in zip(
        training.group, models, training.generators, training.figures, strict=False
    ):
        arrays |= {"generator": generator.get_state().numpy(), "figures": figures, "epoch": np.array(training.epoch)}
        write_record(checkpoint_path(folder, *job), arrays)


def epoch_of(folder: Path | None, job: Job) -> int:
    """The epoch with which a job would go on; 0 where it has no checkpoint."""
    arrays = read_record(checkpoint_path(folder, *job)) if folder else None
    return 0 if arrays is None else int(arrays["epoch"])


def restore(training: StackedTraining, folder: Path) -> None:
    """Go on from the checkpoints of a group just started, all of which are of the same epoch."""
    saved = [read_record(checkpoint_path(folder, *job)) for job in training.group]
    buffers = {name: buffer.cpu().clone() for name, buffer in training.state.buffers().items()}
    for model, key, row in _rows(training.state, training.lists, buffers):
        if model < len(saved):
            row.copy_(torch.from_numpy(saved[model][key]))
    for name, buffer in training.state.buffers().items():
        buffer.copy_(buffers[name])
    for model, arrays in enumerate(saved):
        training.generators[model].set_state(torch.from_numpy(arrays["generator"]))
        training.figures[model] = arrays["figures"]
        training.epoch = int(arrays["epoch"])


def remove(folder: Path, group: Sequence[Job]) -> None:
    """Remove the checkpoints of jobs that are finished and recorded."""
    for job in group:
        checkpoint_path(folder, *job).unlink(missing_ok=True)


def _rows(state: StackedState, lists: WorkLists, buffers: dict[str, Tensor]) -> Iterator[tuple[int, str, Tensor]]:
    """Every model's rows of the flat buffers: (model, key in its checkpoint, view)."""
    shapes = {name: view.shape for name, view in state.views.items()}
    norms = {name: view.shape for name, view in state.means.items()}
    views = {name: split_flat(buffer, shapes if name in OF_PARAMETERS else norms) for name, buffer in buffers.items()}
    for stack, (model, entry), key in state.rows(lists):
        for name in buffers:
            if name in OF_PARAMETERS:
                yield model, f"{name}.{key}", views[name][stack][entry]
            elif stack.endswith(".scale"):
                yield model, f"{name}.{key}", views[name][stack.removesuffix(".scale")][entry]
