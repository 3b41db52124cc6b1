"""The fused engine on GPUs: groups of jobs on a model axis, trained by processes at all GPUs that the job may use."""

import contextlib
import sys
from collections.abc import Callable
from dataclasses import replace

import torch

from skelnas.errors import InputError
from skelnas.processes import JobFailure, Worker, run_tasks
from skelnas.training import graphed
from skelnas.training.checkpoint import places, remove_checkpoints
from skelnas.training.gpu.schedule import Breaker, Schedule, even_size
from skelnas.training.gpu.worker import FreeMemory, GroupWork, KernelsFail, TooLarge, Trained, group_size
from skelnas.training.metrics import Curves
from skelnas.training.settings import EngineFailure, Job, OnFinished, Request, TrainingError

LONGEST_START = 600  # seconds: PyTorch is read from a slow disk, and a GPU that hangs never answers


def train(request: Request, on_finished: OnFinished) -> str | None:
    """Train the jobs as `engines.train_jobs` describes, on every visible GPU; the engine fallen back on, if any.

    This process leaves the GPUs alone: one that loses its GPU to an illegal memory access can then be replaced.
    """
    places = list(range(torch.cuda.device_count())) * request.settings.processes_per_gpu

    def start(place: int) -> Worker:
        return Worker(GroupWork(request, places[place]), "spawn")

    done = set[Job]()

    def noted(index: int, seed: int, curves: Curves, seconds: float) -> None:
        done.add((index, seed))
        on_finished(index, seed, curves, seconds)

    try:
        train_in_groups(request, noted, start, len(places))
    except (KernelsFail, EngineFailure) as error:
        if request.settings.fallback == "stop":
            raise
        sys.stderr.write(f"{error}; training goes on with the graphed engine, which is slower\n")
        left = [job for job in request.jobs if job not in done]
        graphed.train(replace(request, jobs=left), on_finished)
        return "graphed"
    return None


def train_in_groups(request: Request, on_finished: OnFinished, start: Callable[[int], Worker], workers: int) -> None:
    """Train the jobs in groups; `start` starts the worker at one of `workers` places, whose work is a GroupWork.

    Raises:
        EngineFailure: nothing can be trained here; only a few groups were tried.
        TrainingError: after all others have finished, the jobs that crashed.
    """
    jobs, settings, folder = request.jobs, request.settings, request.folder
    crew, free = _crew({place: start(place) for place in range(min(workers, len(jobs)))})
    size = settings.group_size
    if size == "auto":
        size = group_size(jobs, request.images, request.recipe, free // settings.processes_per_gpu)
    schedule = Schedule(jobs, even_size(len(jobs), size, len(crew)), places(folder, jobs))
    left, reasons, breaker = set(jobs), dict[Job, str](), Breaker()
    outcomes = run_tasks(schedule.take, crew, lambda place: _renewed(start, place))
    try:
        with contextlib.closing(outcomes):
            for task, outcome in outcomes:
                if isinstance(outcome, InputError):
                    raise outcome
                if isinstance(outcome, Trained):
                    breaker.trained()
                    for (index, seed), curves in zip(task.group, outcome.curves, strict=True):
                        on_finished(index, seed, curves, outcome.seconds)
                    left.difference_update(task.group)
                    remove_checkpoints(folder, left)
                elif isinstance(outcome, TooLarge) and schedule.too_large(task):
                    sys.stderr.write(f"out of GPU memory: going on with groups of {schedule.size}\n")
                elif isinstance(outcome, TooLarge):
                    reasons[task.group[0]] = "the GPU's free memory is too small for it"
                elif breaker.trips(task.group, str(outcome)):
                    raise EngineFailure(sorted(left), str(outcome))
                elif schedule.failed(task):
                    sys.stderr.write(f"a group of {len(task.group)} failed and is tried again: {outcome}\n")
                else:
                    reasons[task.group[0]] = str(outcome)
    except JobFailure as failure:
        reasons |= dict.fromkeys(sorted(left - reasons.keys()), str(failure))
    if reasons:
        raise TrainingError(reasons)


def _crew(started: dict[int, Worker]) -> tuple[dict[int, Worker], int]:
    """The workers that have a device, by place, and the fewest bytes that are free on one.

    Raises:
        InputError: there is none.
    """
    for worker in started.values():
        worker.give(FreeMemory())
    answers = {place: worker.outcome(LONGEST_START) for place, worker in started.items()}
    for place, answer in answers.items():
        if isinstance(answer, Exception):
            Worker.end(started.pop(place))
            sys.stderr.write(f"a GPU cannot be used: {answer}\n")
    if not started:
        reason = next(iter(answers.values()))
        raise InputError(f"training: no GPU can be used ({reason}); try another node, or see `nvidia-smi` there")
    return started, min(answers[place] for place in started)


def _renewed(start: Callable[[int], Worker], place: int) -> Worker:
    """A worker in the place of one that ended.

    Raises:
        JobFailure: its device cannot be used any more.
    """
    try:
        crew, _ = _crew({place: start(place)})
    except InputError as error:
        raise JobFailure(str(error)) from error
    return crew[place]
