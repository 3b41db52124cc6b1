"""What a process at a GPU does: train one group after the other, in an engine that is kept as long as it fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

import torch

from skelnas.errors import InputError
from skelnas.images.image_set import ImageSet
from skelnas.processes import LastOutcome, failure
from skelnas.recipe import Recipe
from skelnas.training import loop
from skelnas.training.gpu.ahead import drawing
from skelnas.training.gpu.faults import is_lost, is_out_of_memory
from skelnas.training.gpu.groups import capacity_for, partition
from skelnas.training.gpu.operations import Operations, check, reference
from skelnas.training.gpu.schedule import Task
from skelnas.training.gpu.training import GpuTraining, Start, memory_of
from skelnas.training.metrics import Curves
from skelnas.training.precision import dtype, precisions_of
from skelnas.training.resident import ResidentImages
from skelnas.training.settings import Job, Request
from skelnas.training.watch import watched

SHARE_FOR_IMAGES = 0.85  # of the free memory; the rest is for partial sums, parameters and PyTorch itself
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

    What has to do with the device is made when the first task comes, so that an object can be sent to another process.
    """

    def __init__(self, request: Request, gpu: int | None) -> None:
        self.request, self.gpu = request, gpu
        self._device_parts: tuple[Operations, ResidentImages] | None = None
        self._training: GpuTraining | None = None
        self._next: Start | None = None  # drawn for the task that comes next, most likely

    def __call__(self, task: Task | FreeMemory) -> Trained | TooLarge | int:
        """Do a task.

        Raises:
            LastOutcome: the device is lost to this process.
            Exception: what went wrong with a group, and perhaps with it alone.
        """
        device = self._device()
        try:
            if isinstance(task, FreeMemory):
                return _free(device)
            return self._train(task, device)
        except Exception as error:
            if not is_out_of_memory(error):
                if is_lost(device):
                    raise LastOutcome(failure(error)) from error
                raise
            self._training = None
        # Only now, as the error held the tensors of the engine that did not fit.
        torch.cuda.empty_cache()
        return TooLarge()

    def _device(self) -> torch.device:
        if self.gpu is None:
            return torch.device("cpu")
        torch.cuda.set_device(self.gpu)
        return torch.device("cuda", self.gpu)

    def _engine(self, task: Task, device: torch.device) -> GpuTraining:
        images, recipe = self.request.images, self.request.recipe
        if self._device_parts is None:
            operations = operations_for(device, recipe, images.classes)
            self._device_parts = operations, ResidentImages.of(images, device, dtype(recipe))
        operations, data = self._device_parts
        engine = self._training
        if engine is None or (engine.models, engine.state.capacity) != (task.models, task.capacity):
            engine = self._training = None  # before the next one asks for memory
            engine = GpuTraining(task.models, task.capacity, images, data, recipe, operations)
        self._training = engine
        return engine

    def _train(self, task: Task, device: torch.device) -> Trained:
        settings, folder = self.request.settings, self.request.folder
        training = self._engine(task, device)
        begun = monotonic()
        with watched(lambda: (training.epoch, training.batch)):
            drawn, self._next = self._next, None
            training.start(task.group, drawn)
            with drawing(partial(training.drawn, task.following)) as following:
                name = f"{len(task.group)} trainings go on"
                loop.run(training, name, self.request.recipe.epochs, folder, settings.checkpoint_minutes)
                # Processes that share a GPU have it for a part of the time each.
                seconds = (monotonic() - begun) / len(task.group) / settings.processes_per_gpu
        self._next = following.result
        return Trained(training.curves(), seconds)


class KernelsFail(InputError):
    """The Triton kernels do not work on this GPU: they cannot be compiled, or compute something else than PyTorch."""


def operations_for(device: torch.device, recipe: Recipe, classes: int) -> Operations:
    """The Triton kernels, once they have passed on this kind of GPU; PyTorch's operations for float64 and on a CPU.

    Raises:
        KernelsFail: they do not work here; names the operation that differs from PyTorch's.
    """
    if recipe.precision == "fp64" or device.type == "cpu":
        return reference
    try:
        import triton

        from skelnas.training.gpu.operations import triton as kernels

        if triton.knobs.runtime.interpret:
            raise RuntimeError("TRITON_INTERPRET is set; unset it")
        check.check_once(kernels, device, precisions_of(recipe), classes)
        return kernels
    except Exception as error:
        if is_out_of_memory(error) or is_lost(device):
            raise
        name = torch.cuda.get_device_name(device)
        raise KernelsFail(f"{name}: the Triton kernels do not work here ({failure(error)})") from error


def group_size(jobs: Sequence[Job], images: ImageSet, recipe: Recipe, free: int) -> int:
    """How many models of this make-up `free` bytes hold, judged from a sample of the jobs."""
    sample = partition(jobs, 25)[0]
    each = memory_of(len(sample), capacity_for([sample]), images, recipe) / len(sample)
    return max(1, min(int(SHARE_FOR_IMAGES * free / each), MOST_MODELS))


def _free(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 1 << 30
