"""How long one epoch takes with the fused engine: what benches and estimates are made of."""

from collections.abc import Sequence
from time import monotonic

import torch

from skelnas.images.image_set import ImageSet
from skelnas.processes import JobFailure, run_in_processes
from skelnas.recipe import Recipe
from skelnas.training.cpu.training import CpuTraining, keep_freed_memory
from skelnas.training.gpu.groups import capacity_for, partition
from skelnas.training.gpu.training import GpuTraining
from skelnas.training.precision import dtype
from skelnas.training.resident import ResidentImages
from skelnas.training.settings import Job, Settings, TrainingError


def epoch_seconds(jobs: Sequence[Job], images: ImageSet, recipe: Recipe, settings: Settings) -> float:
    """Seconds of one epoch (train, valid, test) of all jobs together, after one epoch that warms up.

    On a CPU the jobs are spread over `settings.processes`, on a GPU this process trains them in groups. The recipe has
    at least two epochs, of one precision.

    Raises:
        TrainingError: a job failed.
    """
    device = settings.torch_device()
    data = ResidentImages.of(images, device, dtype(recipe))
    if device.type == "cuda":
        return _on_gpu(jobs, images, recipe, settings, data)
    keep_freed_memory()

    def work(job: Job) -> float:
        training = CpuTraining(*job, images, data, recipe)
        training.run_epoch()
        begun = monotonic()
        training.run_epoch()
        return monotonic() - begun

    total = 0.0
    for job, outcome in run_in_processes(jobs, work, settings.processes):
        if isinstance(outcome, JobFailure):
            raise TrainingError({job: str(outcome)})
        total += outcome
    return total / min(settings.processes, len(jobs))


def _on_gpu(jobs: Sequence[Job], images: ImageSet, recipe: Recipe, settings: Settings, data: ResidentImages) -> float:
    from skelnas.training.gpu.worker import group_size, operations_for

    size = settings.group_size
    if size == "auto":
        size = group_size(jobs, images, recipe, torch.cuda.mem_get_info()[0])
    groups = partition(jobs, min(size, len(jobs)))
    operations = operations_for(data.pool.device, recipe, images.classes)
    training = GpuTraining(max(map(len, groups)), capacity_for(groups), images, data, recipe, operations)
    total = 0.0
    for group in groups:
        training.start(group)
        training.run_epoch()
        begun = monotonic()
        training.run_epoch()
        total += monotonic() - begun
    return total
