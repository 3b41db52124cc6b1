"""Checkpoints of a group: one file per job, so that another grouping can go on from them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skelnas.files import read_record, write_record
from skelnas.training.checkpoint import checkpoint_path
from skelnas.training.gpu.groups import WorkLists
from skelnas.training.gpu.state import GpuState, split_flat
from skelnas.training.gpu.training import GpuTraining
from skelnas.training.settings import Job

OF_PARAMETERS = ("parameters", "momentum")  # the flat buffers that have the shapes of the parameters
START = (0, 0)


def save(training: GpuTraining, folder: Path) -> None:
    """Write every job's part of the group; each file is whole or not there."""
    buffers = {name: buffer.cpu() for name, buffer in training.state.buffers().items()}
    losses, right = training.losses.cpu().numpy(), training.right.cpu().numpy()
    models: list[dict[str, np.ndarray]] = [{} for _ in range(training.models)]
    for model, key, row in _rows(training.state, training.lists, buffers):
        models[model][key] = row.numpy()
    for model, job in enumerate(training.group):
        of_epoch = {"losses": losses[:, model], "right": right[..., model], "figures": training.figures[model]}
        place = {"place": np.array([training.epoch, training.batch])}
        generator = {"generator": training.drawn_from[model].numpy()}
        write_record(checkpoint_path(folder, *job), models[model] | of_epoch | place | generator)


def place_of(folder: Path | None, job: Job) -> tuple[int, int]:
    """The epoch and the batch in it with which a job would go on; `START` where it has no checkpoint."""
    arrays = read_record(checkpoint_path(folder, *job)) if folder else None
    if arrays is None or "place" not in arrays:
        return START
    epoch, batch = arrays["place"].tolist()
    return epoch, batch


def restore(training: GpuTraining, folder: Path) -> None:
    """Go on from the checkpoints of a group just started, all of which are of the same place."""
    saved = [read_record(checkpoint_path(folder, *job)) for job in training.group]
    buffers = {name: buffer.cpu().clone() for name, buffer in training.state.buffers().items()}
    for model, key, row in _rows(training.state, training.lists, buffers):
        if model < len(saved):
            row.copy_(torch.from_numpy(saved[model][key]))
    for name, buffer in training.state.buffers().items():
        buffer.copy_(buffers[name])
    training.restore(
        tuple(saved[0]["place"].tolist()),
        [torch.from_numpy(arrays["generator"]) for arrays in saved],
        np.stack([arrays["figures"] for arrays in saved]),
        torch.from_numpy(np.stack([arrays["losses"] for arrays in saved], axis=-1)),
        torch.from_numpy(np.stack([arrays["right"] for arrays in saved], axis=-1)),
    )


def remove(folder: Path | None, group: Sequence[Job]) -> None:
    """Remove the checkpoints of jobs that are finished and recorded."""
    for job in group if folder else ():
        checkpoint_path(folder, *job).unlink(missing_ok=True)


def _rows(state: GpuState, lists: WorkLists, buffers: dict[str, Tensor]) -> Iterator[tuple[int, str, Tensor]]:
    """Every model's rows of the flat buffers: (model, key in its checkpoint, view)."""
    shapes = {name: view.shape for name, view in state.views.items()}
    norms = state.norm_shapes
    views = {name: split_flat(buffer, shapes if name in OF_PARAMETERS else norms) for name, buffer in buffers.items()}
    for stack, (model, entry), key in state.rows(lists):
        for name in buffers:
            if name in OF_PARAMETERS:
                yield model, f"{name}.{key}", views[name][stack][entry]
            elif stack.endswith(".scale"):
                yield model, f"{name}.{key}", views[name][stack.removesuffix(".scale")][entry]
