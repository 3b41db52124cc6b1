"""Jobs spread over worker processes, one thread each, so that no result depends on how many there are."""

import contextlib
import ctypes
import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

import torch

from skelnas.errors import InputError
from skelnas.training.settings import Job

PR_SET_PDEATHSIG = 1  # of Linux's prctl.h


class JobFailure(Exception):
    """A job raised, or its process died; the text is the reason in one line."""


def run_in_processes(jobs: Sequence[Job], work: Callable[[Job], Any], processes: int) -> Iterator[tuple[Job, Any]]:
    """Yield (job, what `work` returned, a JobFailure or an InputError) as jobs finish, in any order.

    The processes are forked, so `work` may hold large arrays without a copy of them. A process that dies costs its
    job only. Leaving the loop early ends them all; they also end when this process dies.
    """
    waiting, running = deque(jobs), {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                worker = Worker(work)
                worker.give(waiting.popleft())
                running[worker.pipe] = worker
            for pipe in wait(list(running)):
                worker = running[pipe]
                yield worker.job, worker.outcome()
                if waiting and worker.alive():
                    worker.give(waiting.popleft())
                else:
                    running.pop(pipe).end()
    finally:
        for worker in running.values():
            worker.end()


class Worker:
    """One forked process and the pipe to it."""

    def __init__(self, work: Callable[[Job], Any]) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, inner = context.Pipe()
        self.process = context.Process(target=_serve, args=(inner, self.pipe, work), daemon=True)
        self.process.start()
        inner.close()
        self.job: Job | None = None

    def give(self, job: Job) -> None:
        """Start a job."""
        self.job = job
        # A process that has died meanwhile shows as the end of its pipe when the outcome is read.
        with contextlib.suppress(BrokenPipeError):
            self.pipe.send(job)

    def outcome(self) -> Any:
        """What the job gave; called once the pipe is ready."""
        try:
            return self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            return JobFailure(f"its process died with exit code {self.process.exitcode}")

    def alive(self) -> bool:
        """Whether the process can take another job."""
        return self.process.is_alive()

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.terminate()
        self.process.join()
        self.pipe.close()


def _serve(pipe: Connection, outer: Connection, work: Callable[[Job], Any]) -> None:
    """The worker's life: jobs from the pipe, outcomes into it."""
    outer.close()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent decides
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    torch.set_num_threads(1)
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        try:
            outcome = work(job)
        except InputError as error:
            outcome = error
        except Exception as error:
            outcome = failure(error)
        pipe.send(outcome)


def failure(error: Exception) -> JobFailure:
    """The JobFailure that tells of `error` in one line."""
    text = str(error).strip().splitlines()
    return JobFailure(f"{type(error).__name__}: {text[0]}" if text else type(error).__name__)
