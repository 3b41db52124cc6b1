"""The fused engine on a CPU: networks of one thread each, in as many processes as the job may use."""

import contextlib
from collections.abc import Callable, Generator, Sequence
from time import monotonic

import torch

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.processes import JobFailure, failure, run_in_processes
from skelnas.training.checkpoint import remove_checkpoints
from skelnas.training.cpu.training import keep_freed_memory, train_cell
from skelnas.training.metrics import Curves
from skelnas.training.plain import one_thread
from skelnas.training.precision import dtype
from skelnas.training.resident import ResidentImages
from skelnas.training.settings import Job, OnFinished, Request, TrainingError

Outcome = tuple[Curves, float] | JobFailure | InputError  # the curves and the seconds they took, or why there are none


def train(request: Request, on_finished: OnFinished) -> None:
    """Train the jobs as `engines.train_jobs` describes; what each scores does not depend on the others, bit for bit."""
    keep_freed_memory()
    jobs = request.jobs
    data = ResidentImages.of(request.images, torch.device("cpu"), dtype(request.recipe))

    def work(job: Job) -> tuple[Curves, float]:
        begun = monotonic()
        result = train_cell(*job, request, data)
        return result, monotonic() - begun

    processes = min(request.settings.processes, len(jobs))
    reasons: dict[Job, str] = {}
    left = set(jobs)
    # The longest first: no process is then left alone with a long one.
    ordered = sorted(jobs, key=lambda job: -_weight(job))
    outcomes = run_in_processes(ordered, work, processes) if processes > 1 else _run_here(ordered, work)
    with contextlib.closing(outcomes):
        for job, outcome in outcomes:
            if isinstance(outcome, InputError):
                raise outcome
            if isinstance(outcome, JobFailure):
                reasons[job] = str(outcome)
                continue
            on_finished(*job, *outcome)
            left.discard(job)
            remove_checkpoints(request.folder, left)
    if reasons:
        raise TrainingError(reasons)


def _run_here(
    jobs: Sequence[Job], work: Callable[[Job], tuple[Curves, float]]
) -> Generator[tuple[Job, Outcome], None, None]:
    for job in jobs:
        outcome: Outcome
        with one_thread():
            try:
                outcome = work(job)
            except InputError:
                raise
            except Exception as error:
                outcome = failure(error)
        yield job, outcome


def _weight(job: Job) -> int:
    """A cell's cost, roughly: a 3x3 convolution takes nine times the work of a 1x1."""
    return sum({"nor_conv_3x3": 9, "nor_conv_1x1": 2}.get(space.OPERATIONS[digit], 1) for digit in space.cell(job[0]))
