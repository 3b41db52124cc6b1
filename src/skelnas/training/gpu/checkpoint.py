"""Checkpoints of a group: each model's rows of the stacked values as a snapshot of its own, all in one file."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from skelnas.training.checkpoint import Snapshot, read_checkpoint, write_checkpoint
from skelnas.training.gpu.groups import WorkLists
from skelnas.training.gpu.state import GpuState, split_flat

if TYPE_CHECKING:
    from skelnas.training.gpu.training import GpuTraining

OF_PARAMETERS = ("parameters", "momentum")  # the flat buffers that have the shapes of the parameters


def save(training: "GpuTraining", folder: Path) -> None:
    """Write every job's part of the group into one file, which is whole or not there."""
    write_checkpoint(folder, dict(zip(training.group, _snapshots(training), strict=True)))


def restore(training: "GpuTraining", folder: Path) -> bool:
    """Go on from the checkpoints of a group just started; False where they are not all there and of the same place."""
    found = read_checkpoint(folder, dict(zip(training.group, _snapshots(training), strict=True)))
    saved = [found[job] for job in training.group if job in found]
    reached = {snapshot.place for snapshot in saved}
    if len(saved) < len(training.group) or len(reached) != 1:
        return False
    buffers = {name: buffer.cpu().clone() for name, buffer in training.state.buffers().items()}
    for model, key, row in _rows(training.state, training.lists, buffers):
        if model < len(saved):
            row.copy_(saved[model].tensors[key])
    for name, buffer in training.state.buffers().items():
        buffer.copy_(buffers[name])
    training.resume(reached.pop(), [snapshot.generator for snapshot in saved])
    for model, snapshot in enumerate(saved):
        training.metrics[model] = snapshot.metrics
        training.tally.losses[:, model] = snapshot.tensors["losses"].to(training.device)
        training.tally.right[..., model] = snapshot.tensors["right"].to(training.device)
    return True


def _snapshots(training: "GpuTraining") -> list[Snapshot]:
    """Where each job of the group is."""
    buffers = {name: buffer.cpu() for name, buffer in training.state.buffers().items()}
    losses, right = training.tally.losses.cpu(), training.tally.right.cpu()
    tensors: list[dict[str, Tensor]] = [
        {"losses": losses[:, model], "right": right[..., model]} for model in range(training.models)
    ]
    for model, key, row in _rows(training.state, training.lists, buffers):
        tensors[model][key] = row
    place = training.epoch, training.batch
    return [
        Snapshot(place, training.drawn_from[model], training.metrics[model], tensors[model])
        for model in range(len(training.group))
    ]


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
