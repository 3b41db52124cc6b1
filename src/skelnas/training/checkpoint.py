"""Checkpoints inside one training: what a killed process goes on from, bit for bit; one form for all engines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from torch import Tensor

from skelnas.files import read_record, write_record
from skelnas.training.settings import Job

FORMAT = "skelnas checkpoint 2"
START = (0, 0)


@dataclass(frozen=True)
class Snapshot:
    """All that the remaining batches of one training depend on.

    place: the epoch that is being trained, and how many of its batches are done. generator: uint8, the state that the
    epoch's order of samples was drawn from. metrics: float64 (epochs, 3 splits, loss and top-1 and top-5), filled up to
    the epoch. tensors: parameters, momentum, running statistics and sums of the epoch, under an engine's own names.
    """

    place: tuple[int, int]
    generator: Tensor
    metrics: np.ndarray
    tensors: dict[str, Tensor]


def checkpoint_path(folder: Path, job: Job) -> Path:
    """Where the training of a job keeps its checkpoint."""
    cell, seed = job
    return folder / f"{cell:05d}-{seed}.checkpoint"


def write_checkpoint(folder: Path, job: Job, snapshot: Snapshot) -> None:
    """Write a job's checkpoint, whole or not at all.

    Raises:
        InputError: the disk is full or the folder cannot be written.
    """
    write_record(checkpoint_path(folder, job), {"format": np.array(FORMAT), **_arrays(snapshot)})


def read_checkpoint(folder: Path, job: Job, like: Snapshot) -> Snapshot | None:
    """A job's checkpoint; None where there is none, it is damaged, or of another recipe or program than `like`."""
    arrays = _read(folder, job)
    if arrays is None or _kinds(arrays) != _kinds(_arrays(like)):
        return None
    epoch, batch = arrays.pop("place").tolist()
    generator, metrics = torch.from_numpy(arrays.pop("generator")), arrays.pop("metrics")
    return Snapshot((epoch, batch), generator, metrics, {name: torch.from_numpy(v) for name, v in arrays.items()})


def place_of(folder: Path | None, job: Job) -> tuple[int, int]:
    """The epoch and the batch in it with which a job would go on; `START` where it has no checkpoint."""
    arrays = _read(folder, job) if folder else None
    if arrays is None:
        return START
    epoch, batch = arrays["place"].tolist()
    return epoch, batch


def remove_checkpoints(folder: Path | None, jobs: Iterable[Job]) -> None:
    """Remove the checkpoints of jobs that are finished and recorded."""
    if folder:
        for job in jobs:
            checkpoint_path(folder, job).unlink(missing_ok=True)


def _read(folder: Path, job: Job) -> dict[str, np.ndarray] | None:
    arrays = read_record(checkpoint_path(folder, job)) or {}
    return arrays if str(arrays.pop("format", "")) == FORMAT else None


def _arrays(snapshot: Snapshot) -> dict[str, np.ndarray]:
    tensors = {name: value.cpu().numpy() for name, value in snapshot.tensors.items()}
    own = {"place": np.array(snapshot.place), "generator": snapshot.generator.numpy(), "metrics": snapshot.metrics}
    return own | tensors


def _kinds(arrays: dict[str, np.ndarray]) -> dict[str, tuple]:
    return {name: (array.dtype, array.shape) for name, array in arrays.items()}


class Checkpoint:
    """The checkpoint of a plain training, saved at the end of an epoch when `minutes` have passed since the last."""

    def __init__(self, folder: Path, cell: int, seed: int, minutes: float) -> None:
        self.folder, self.job, self.path = folder, (cell, seed), checkpoint_path(folder, (cell, seed))
        self._seconds, self._last = 60 * minutes, monotonic()

    def save_if_due(
        self,
        network: torch.nn.Module,
        optimiser: torch.optim.Optimizer,
        generator: torch.Generator,
        metrics: np.ndarray,
        epoch: int,
    ) -> None:
        """Save everything the epochs from `epoch` on depend on, and the metrics of those before, if it is time."""
        if monotonic() - self._last < self._seconds:
            return
        momentum = {name: optimiser.state[value]["momentum_buffer"] for name, value in network.named_parameters()}
        write_checkpoint(self.folder, self.job, _of_network(network, momentum, generator, metrics, epoch))
        self._last = monotonic()

    def restore(
        self,
        network: torch.nn.Module,
        optimiser: torch.optim.Optimizer,
        generator: torch.Generator,
        metrics: np.ndarray,
    ) -> int:
        """Put the saved state into what is given, in place, and return the epoch to go on with; 0 without one."""
        parameters = dict(network.named_parameters())
        saved = read_checkpoint(self.folder, self.job, _of_network(network, parameters, generator, metrics, 0))
        if saved is None:
            return 0
        network.load_state_dict({name: saved.tensors[f"network.{name}"] for name in network.state_dict()})
        for name, parameter in parameters.items():
            optimiser.state[parameter]["momentum_buffer"] = saved.tensors[f"momentum.{name}"].to(parameter)
        generator.set_state(saved.generator)
        metrics[:] = saved.metrics
        return saved.place[0]

    def remove(self) -> None:
        """Remove the checkpoint of a training that is finished and recorded."""
        remove_checkpoints(self.folder, [self.job])


def _of_network(
    network: torch.nn.Module,
    momentum: Mapping[str, Tensor],
    generator: torch.Generator,
    metrics: np.ndarray,
    epoch: int,
) -> Snapshot:
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"momentum.{name}": value.detach() for name, value in momentum.items()}
    return Snapshot((epoch, 0), generator.get_state(), metrics, tensors)
