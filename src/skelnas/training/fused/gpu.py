"""The fused engine on a GPU: groups of jobs on a model axis, in the largest groups that its memory holds."""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from time import monotonic
from types import ModuleType

import torch

from skelnas.images.image_set import ImageSet
from skelnas.training.curves import Curves
from skelnas.training.fused import kernel_check, stacked_checkpoint, stacked_operations
from skelnas.training.fused.groups import deal, room_for
from skelnas.training.fused.stacked_training import StackedTraining, memory_of
from skelnas.training.fused.suspects import note_suspects, suspect_groups
from skelnas.training.fused.worker_processes import JobFailure, failure
from skelnas.training.precision import dtype
from skelnas.training.recipe import Recipe
from skelnas.training.resident import ResidentImages
from skelnas.training.settings import Job, OnFinished, Settings, TrainingError

SHARE_FOR_IMAGES = 0.7  # of the free memory; the rest is for partial sums, parameters and PyTorch itself
MOST_MODELS = 4096  # in a group: launches have at most 65,535 entries on an axis


def train_on_gpu(
    jobs: Sequence[Job],
    images: ImageSet,
    recipe: Recipe,
    settings: Settings,
    on_finished: OnFinished,
    folder: Path | None,
) -> None:
    """Train the jobs as `engines.train_jobs` describes, on the current CUDA device."""
    device = settings.torch_device()
    operations = operations_for(device, recipe)
    size = settings.group_size
    if size == "auto":
        size = group_size(jobs, images, recipe, torch.cuda.mem_get_info(device)[0])
    train_in_groups(jobs, images, recipe, settings, on_finished, folder, device, operations, size)


def operations_for(device: torch.device, recipe: Recipe) -> ModuleType:
    """The Triton kernels where they work, else PyTorch's operations: slower, and said so on standard error."""
    if recipe.precision == "fp64":
        return stacked_operations
    try:
        from skelnas.training import kernels

        kernel_check.check(kernels, device)
        if recipe.precision == "bf16":
            kernel_check.check(kernels, device, torch.bfloat16)
        return kernels
    except Exception as error:
        sys.stderr.write(
            f"{torch.cuda.get_device_name(device)}: the Triton kernels do not work here ({failure(error)}); "
            f"training goes on with PyTorch's own operations, which are much slower\n"
        )
        return stacked_operations


def group_size(jobs: Sequence[Job], images: ImageSet, recipe: Recipe, free: int) -> int:
    """How many models of this make-up `free` bytes hold, judged from a sample of the jobs."""
    sample = deal(jobs, 25)[0]
    each = memory_of(len(sample), room_for([sample]), images, recipe) / len(sample)
    return max(1, min(int(SHARE_FOR_IMAGES * free / each), MOST_MODELS))


def train_in_groups(
    jobs: Sequence[Job],
    images: ImageSet,
    recipe: Recipe,
    settings: Settings,
    on_finished: OnFinished,
    folder: Path | None,
    device: torch.device,
    operations: ModuleType,
    size: int,
) -> None:
    """Train the jobs in groups of at most `size`; half as many where the memory does not hold them."""
    waiting, reasons = set(jobs), {}
    while waiting:
        size = min(size, len(waiting))
        try:
            finished = _train_all(sorted(waiting), images, recipe, settings, folder, device, operations, size)
            for job, outcome, seconds in finished:
                waiting.discard(job)
                if isinstance(outcome, JobFailure):
                    reasons[job] = str(outcome)
                    continue
                on_finished(*job, outcome, seconds)
                if folder:
                    stacked_checkpoint.remove(folder, [job])
        except torch.OutOfMemoryError as error:
            if size == 1:
                reasons |= dict.fromkeys(waiting, str(failure(error)))
                break
            size = size // 2
            sys.stderr.write(f"out of GPU memory: going on with groups of {size}\n")
            # The traceback holds the tensors of the engine that did not fit.
            error.__traceback__ = None
            torch.cuda.empty_cache()
    if reasons:
        raise TrainingError(reasons)


def _train_all(
    jobs: Sequence[Job],
    images: ImageSet,
    recipe: Recipe,
    settings: Settings,
    folder: Path | None,
    device: torch.device,
    operations: ModuleType,
    size: int,
) -> Iterator[tuple[Job, Curves | JobFailure, float]]:
    """Every job with its curves and its share of the seconds, or with the reason why it has none.

    A group that fails is tried once more, and then in halves, down to the job that is at fault. Where the failure costs
    this process its GPU, the search goes on in the next one (see `suspects`).
    """
    epochs = {job: stacked_checkpoint.epoch_of(folder, job) for job in jobs}
    watched = [group for suspects in suspect_groups(folder, jobs) for group in deal(suspects, size)]
    free = set(jobs).difference(*watched)
    by_epoch = groupby(sorted(free, key=lambda job: (epochs[job], job)), key=epochs.get)
    # Groups train in step, so only jobs of the same epoch can go on together.
    dealt = [(group, 1) for _, alike in by_epoch for group in deal(list(alike), size)]
    waiting = deque([*dealt, *((group, 0) for group in watched)])
    room = room_for([group for group, _ in waiting])
    data = ResidentImages.of(images, device, dtype(recipe))
    recorded = device.type == "cuda" and operations is not stacked_operations
    training = StackedTraining(size, room, images, data, recipe, operations, recorded)
    while waiting:
        group, tries = waiting.popleft()
        begun = monotonic()
        try:
            alike = epochs[group[0]] and len({epochs[job] for job in group}) == 1
            _train_group(training, group, settings, folder if alike else None, folder)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            if is_lost(device):
                note_suspects(folder, group, [other for other, _ in waiting if other in watched])
                reason = f"{failure(error)}; the GPU is lost to this process, start the same command again"
                raise TrainingError(dict.fromkeys(group, reason)) from error
            if tries:
                waiting.appendleft((group, tries - 1))
            elif len(group) > 1:
                waiting.extendleft([(group[::2], 0), (group[1::2], 0)])
            else:
                yield group[0], failure(error), monotonic() - begun
            continue
        seconds = (monotonic() - begun) / len(group)
        for job, result in zip(group, training.curves(), strict=True):
            yield job, result, seconds


def _train_group(
    training: StackedTraining, group: Sequence[Job], settings: Settings, resumed: Path | None, folder: Path | None
) -> None:
    training.start(group)
    if resumed:
        stacked_checkpoint.restore(training, resumed)
    saved = monotonic()
    while training.epoch < training.recipe.epochs:
        training.run_epoch()
        due = monotonic() - saved >= 60 * settings.checkpoint_minutes
        if folder and due and training.epoch < training.recipe.epochs:
            stacked_checkpoint.save(training, folder)
            saved = monotonic()


def is_lost(device: torch.device) -> bool:
    """Whether an error has left this process without its GPU."""
    try:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
    except RuntimeError:
        return True
    return False
