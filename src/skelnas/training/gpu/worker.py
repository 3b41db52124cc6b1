"""What a process at a GPU does: train one group after the other, in an engine that is kept as long as it fits."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import torch

from skelnas.images.image_set import ImageSet
from skelnas.processes import LastOutcome, failure
from skelnas.recipe import Recipe
from skelnas.training.gpu import checkpoint
from skelnas.training.gpu.groups import capacity_for, partition
from skelnas.training.gpu.operations import Operations, reference
from skelnas.training.gpu.operations import check as kernel_check
from skelnas.training.gpu.schedule import Task
from skelnas.training.gpu.training import GpuTraining, memory_of
from skelnas.training.metrics import Curves
from skelnas.training.precision import dtype
from skelnas.training.resident import ResidentImages
from skelnas.training.settings import Job, Settings
from skelnas.training.termination import asked, deferred, end_if_asked

SHARE_FOR_IMAGES = 0.7  # of the free memory; the rest is for partial sums, parameters and PyTorch itself
MOST_MODELS = 4096  # in a group: launches have at most 65,535 entries on an axis


@dataclass(frozen=True)
class Trained:
    """The curves of a group's jobs, in their order, and the seconds that each of them had the device for."""

    curves: list[Curves]
    seconds: float


class TooLarge:
    """The outcome of a group for whose engine the memory is too small."""


class FreeMemory:
    """A task whose outcome is the number of free bytes on the device."""


class GroupWork:
    """Trains groups on a device: number `gpu` of those visible, or the CPU with None (slow; tests do it).

    `folder` takes the checkpoints. What has to do with the device is made when the first task comes, so that an object
    can be sent to another process.
    """

    def __init__(
        self, images: ImageSet, recipe: Recipe, settings: Settings, folder: Path | None, gpu: int | None
    ) -> None:
        self.images, self.recipe, self.settings, self.folder, self.gpu = images, recipe, settings, folder, gpu
        self._operations: Operations | None = None
        self._data: ResidentImages | None = None
        self._training: GpuTraining | None = None

    def __call__(self, task: Task | FreeMemory) -> Trained | TooLarge | int:
        """Do a task.

        Raises:
            LastOutcome: the device is lost to this process.
            RuntimeError: what went wrong with a group, and perhaps with it alone.
        """
        device = self._device()
        try:
            if isinstance(task, FreeMemory):
                return _free(device)
            return self._train(task, device)
        except torch.OutOfMemoryError:
            self._training = None
        except RuntimeError as error:
            if _is_lost(device):
                raise LastOutcome(failure(error)) from error
            raise
        # Only now, as the error held the tensors of the engine that did not fit.
        torch.cuda.empty_cache()
        return TooLarge()

    def _device(self) -> torch.device:
        if self.gpu is None:
            return torch.device("cpu")
        torch.cuda.set_device(self.gpu)
        return torch.device("cuda", self.gpu)

    def _engine(self, task: Task, device: torch.device) -> GpuTraining:
        if self._operations is None:
            self._operations = operations_for(device, self.recipe)
            self._data = ResidentImages.of(self.images, device, dtype(self.recipe))
        engine = self._training
        if engine is None or (engine.models, engine.state.capacity) != (task.models, task.capacity):
            engine = self._training = None  # before the next one asks for memory
            engine = GpuTraining(task.models, task.capacity, self.images, self._data, self.recipe, self._operations)
        self._training = engine
        return engine

    def _train(self, task: Task, device: torch.device) -> Trained:
        training, folder = self._engine(task, device), self.folder
        begun = monotonic()
        training.start(task.group)
        places = {checkpoint.place_of(folder, job) for job in task.group}
        if len(places) == 1 and checkpoint.START not in places:
            checkpoint.restore(training, folder)
            at = f"epoch {training.epoch + 1}, batch {training.batch + 1}"
            sys.stderr.write(f"{len(task.group)} trainings go on from {at}\n")
        saved = monotonic()
        with deferred():
            while training.epoch < self.recipe.epochs:
                training.run_batch()
                if folder and (asked() or monotonic() - saved >= 60 * self.settings.checkpoint_minutes):
                    checkpoint.save(training, folder)
                    saved = monotonic()
                end_if_asked()
        # Processes that share a GPU have it for a part of the time each.
        seconds = (monotonic() - begun) / len(task.group) / self.settings.processes_per_gpu
        return Trained(training.curves(), seconds)


def operations_for(device: torch.device, recipe: Recipe) -> Operations:
    """The Triton kernels where they work, else PyTorch's operations: slower, and said so on standard error."""
    if recipe.precision == "fp64" or device.type == "cpu":
        return reference
    try:
        from skelnas.training.gpu.operations import triton as kernels

        kernel_check.check(kernels, device)
        if recipe.precision == "bf16":
            kernel_check.check(kernels, device, torch.bfloat16)
        return kernels
    except Exception as error:
        sys.stderr.write(
            f"{torch.cuda.get_device_name(device)}: the Triton kernels do not work here ({failure(error)}); "
            f"training goes on with PyTorch's own operations, which are much slower\n"
        )
        return reference


def group_size(jobs: Sequence[Job], images: ImageSet, recipe: Recipe, free: int) -> int:
    """How many models of this make-up `free` bytes hold, judged from a sample of the jobs."""
    sample = partition(jobs, 25)[0]
    each = memory_of(len(sample), capacity_for([sample]), images, recipe) / len(sample)
    return max(1, min(int(SHARE_FOR_IMAGES * free / each), MOST_MODELS))


def _free(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 1 << 30


def _is_lost(device: torch.device) -> bool:
    """Whether an error has left this process without its GPU."""
    try:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    except RuntimeError:
        return True
    return False
