"""Checkpoints inside trainings: what a killed process goes on from, bit for bit; one form for all engines.

A process writes one file for all that it trains in step: a line of JSON with the format and, of each job, architecture
index, seed and place (epoch, batch); then for each job a record, which is its length (uint64, little endian), the
SHA-256 of what follows, and NumPy's npz archive with the snapshot. A file is replaced as a whole. Of several that hold
a job (groups are dealt anew after a kill) the furthest counts; one whose every job is further in others is removed.
"""

import contextlib
import hashlib
import io
import json
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from skelnas.files import check_readable, sha256_of_json, whole_file
from skelnas.training.settings import Job

FORMAT = "skelnas checkpoint 3"
SUFFIX = ".checkpoint"
START = (0, 0)
LENGTH = struct.Struct("<Q")
DIGEST = 32
ATTEMPTS = 20
Place = tuple[int, int]


@dataclass(frozen=True)
class Snapshot:
    """All that the remaining batches of one training depend on.

    place: the epoch that is being trained, and how many of its batches are done. generator: uint8, the state that the
    epoch's order of samples was drawn from. metrics: float64 (epochs, 3 splits, loss and top-1 and top-5), filled up to
    the epoch. tensors: parameters, momentum, running statistics and sums of the epoch, under an engine's own names.
    """

    place: Place
    generator: Tensor
    metrics: np.ndarray
    tensors: dict[str, Tensor]


def checkpoint_path(folder: Path, jobs: Iterable[Job]) -> Path:
    """Where trainings that go on in step keep their checkpoint."""
    (cell, seed), *others = sorted(jobs)
    more = f"-and-{len(others)}-{sha256_of_json([(cell, seed), *others])[:12]}" if others else ""
    return folder / f"{cell:05d}-{seed}{more}{SUFFIX}"


def write_checkpoint(folder: Path, snapshots: Mapping[Job, Snapshot]) -> None:
    """Write the snapshots of trainings that go on in step, whole or not at all, and remove what they supersede.

    Raises:
        InputError: the disk is full or the folder cannot be written.
    """
    path = checkpoint_path(folder, snapshots)
    head = {"format": FORMAT, "jobs": [[*job, *snapshot.place] for job, snapshot in snapshots.items()]}
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with whole_file(path) as temporary, temporary.open("wb") as file:
                file.write(json.dumps(head).encode() + b"\n")
                for job, snapshot in snapshots.items():
                    file.write(_record({"job": np.array(job), **_arrays(snapshot)}))
            break
        except FileNotFoundError:
            # Another process that finished the same work removed the folder under our hands: make it again.
            if attempt == ATTEMPTS:
                raise
    _remove_superseded(folder, path)


def read_checkpoint(folder: Path, like: Mapping[Job, Snapshot]) -> dict[Job, Snapshot]:
    """The furthest checkpoint of each job; none where there is none, it is damaged, or of another recipe or program.

    `like` are snapshots with the shapes and types that are expected.
    """
    found: dict[Job, Snapshot] = {}
    for job, arrays in _records(folder, like.keys()):
        epoch, batch = arrays["place"].tolist()
        if job in found and found[job].place >= (epoch, batch):
            continue
        values = {name: arrays[name] for name in arrays.files if name != "job"}
        if _kinds(values) == _kinds(_arrays(like[job])):
            del values["place"]
            generator, metrics = torch.from_numpy(values.pop("generator")), values.pop("metrics")
            tensors = {name: torch.from_numpy(value) for name, value in values.items()}
            found[job] = Snapshot((epoch, batch), generator, metrics, tensors)
    return found


def places(folder: Path | None, jobs: Iterable[Job]) -> dict[Job, Place]:
    """The epoch and the batch in it with which each job would go on; `START` where it has no whole checkpoint."""
    found = dict.fromkeys(jobs, START)
    for job, arrays in _records(folder, found.keys()) if folder else ():
        epoch, batch = arrays["place"].tolist()
        found[job] = max(found[job], (epoch, batch))
    return found


def remove_checkpoints(folder: Path | None, left: Collection[Job]) -> None:
    """Remove the files that hold none of the jobs that are still `left`: all of theirs are finished and recorded."""
    for path, held in _heads(folder).items() if folder else ():
        if not any(job in left for job in held):
            path.unlink(missing_ok=True)


def _remove_superseded(folder: Path, own: Path) -> None:
    """Remove every other file each of whose jobs is as far in the file `own`, or further in any.

    Files that are alike supersede nothing: two processes that do this at a time would remove each the other's reason.
    """
    heads = _heads(folder)
    for path, held in heads.items():
        if path == own:
            continue
        others = [jobs for other, jobs in heads.items() if other != path]
        mine = heads.get(own, {})
        if all(mine.get(job) == at or any(jobs.get(job, START) > at for jobs in others) for job, at in held.items()):
            path.unlink(missing_ok=True)


def _heads(folder: Path) -> dict[Path, dict[Job, Place]]:
    """The jobs that each file of this format says to hold, and their places."""
    found: dict[Path, dict[Job, Place]] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with contextlib.suppress(OSError), path.open("rb") as file:  # gone meanwhile, or not for us to remove
            if held := _held(file.readline()):
                found[path] = held
    return found


def _held(line: bytes) -> dict[Job, Place]:
    try:
        head = json.loads(line)
        if head["format"] != FORMAT:
            return {}
        return {(int(cell), int(seed)): (int(epoch), int(batch)) for cell, seed, epoch, batch in head["jobs"]}
    except (ValueError, KeyError, TypeError):
        return {}


def _records(folder: Path, wanted: Collection[Job]) -> Iterator[tuple[Job, Any]]:
    """The whole records of wanted jobs, as NumPy's npz files; those behind a damaged length are lost with it."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with path.open("rb") as file:
                if not any(job in wanted for job in _held(file.readline())):
                    continue
                while len(prefix := file.read(LENGTH.size + DIGEST)) == LENGTH.size + DIGEST:
                    data = file.read(LENGTH.unpack_from(prefix)[0])
                    if hashlib.sha256(data).digest() == prefix[LENGTH.size :]:
                        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                            cell, seed = arrays["job"].tolist()
                            if (cell, seed) in wanted:
                                yield (cell, seed), arrays
        except FileNotFoundError:
            continue
        except OSError:
            check_readable(path)
            raise


def _record(arrays: dict[str, np.ndarray]) -> bytes:
    content = io.BytesIO()
    np.savez(content, **cast(Any, arrays))
    data = content.getvalue()
    return LENGTH.pack(len(data)) + hashlib.sha256(data).digest() + data


def _arrays(snapshot: Snapshot) -> dict[str, np.ndarray]:
    tensors = {name: value.cpu().numpy() for name, value in snapshot.tensors.items()}
    own = {"place": np.array(snapshot.place), "generator": snapshot.generator.numpy(), "metrics": snapshot.metrics}
    return own | tensors


def _kinds(arrays: dict[str, np.ndarray]) -> dict[str, tuple]:
    return {name: (array.dtype, array.shape) for name, array in arrays.items()}


class Checkpoint:
    """The checkpoint of a plain training, saved at the end of an epoch when `minutes` have passed since the last."""

    def __init__(self, folder: Path, cell: int, seed: int, minutes: float) -> None:
        self.folder, self.job, self.path = folder, (cell, seed), checkpoint_path(folder, [(cell, seed)])
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
        write_checkpoint(self.folder, {self.job: _of_network(network, momentum, generator, metrics, epoch)})
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
        like = _of_network(network, parameters, generator, metrics, 0)
        saved = read_checkpoint(self.folder, {self.job: like}).get(self.job)
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
        self.path.unlink(missing_ok=True)


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
