"""Tasks spread over worker processes, one thread each, so that no result depends on how many there are."""

import contextlib
import ctypes
import multiprocessing
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal

from skelnas.errors import InputError
from skelnas.termination import end_if_asked, ended_by_sigterm
from skelnas.text import first_line

PR_SET_PDEATHSIG = 1  # of Linux's prctl.h
PATIENCE = 60  # seconds that a process which was told to end has for it
HUNG = 75  # exit status of a process whose GPU hangs (`training.watch`)


class JobFailure(Exception):
    """A task raised, or its process died, with this exit code; the text is the reason in one line."""

    exit_code: int | None = None


class LastOutcome(Exception):
    """Raised by a task that leaves its process unfit for another one; the JobFailure is its outcome."""


class Worker:
    """One process that works on a task at a time, and the pipe to it.

    A forked one may hold large arrays without a copy of them; a spawned one gets `work` as a copy, and can use a GPU
    whatever this process has done. One that starts processes of its own is no daemon, and must be ended.
    """

    def __init__(
        self, work: Callable[[Any], Any], start: Literal["fork", "spawn"] = "fork", daemon: bool = True
    ) -> None:
        context = multiprocessing.get_context("fork") if start == "fork" else multiprocessing.get_context("spawn")
        self.pipe, inner = context.Pipe()
        # A copy goes through the pipe: what a process is started with must be small, or one that dies at its start
        # leaves its parent with a broken pipe, or waiting for ever, as the version of Python will have it.
        given = (self.pipe, work) if start == "fork" else None
        self.process: BaseProcess = context.Process(target=_serve, args=(inner, given), daemon=daemon)
        self.process.start()
        inner.close()
        self.task: Any = None
        self.fit = True  # for another task
        # Large work goes when the process is up, which takes seconds; others can start meanwhile.
        self._sending = threading.Thread(target=self._send, args=(work,), daemon=True)
        if start == "spawn":
            self._sending.start()

    def give(self, task: Any) -> None:
        """Start a task."""
        self.task = task
        self._sent()
        self._send(task)

    def _sent(self) -> None:
        """Wait until the work has gone."""
        if self._sending.ident is not None:
            self._sending.join()

    def _send(self, what: Any) -> None:
        # A process that has died meanwhile shows as the end of its pipe when the outcome is read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.pipe.send(what)

    def outcome(self, seconds: float | None = None) -> Any:
        """What the task gave, a JobFailure or an InputError; waits for it, at most `seconds`."""
        try:
            if not self.pipe.poll(seconds):
                self.fit = False
                return JobFailure(f"its process gave no answer within {seconds:.0f} seconds")
            outcome, self.fit = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            code = self.process.exitcode
            died = (
                "its GPU hangs: no step ended for minutes"
                if code == HUNG
                else f"its process died with exit code {code}"
            )
            outcome, self.fit = JobFailure(died), False
            outcome.exit_code = code
        return outcome

    @staticmethod
    def end(*workers: "Worker") -> None:
        """End processes, whatever they do; a training loop among it saves where it is."""
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.process.join(PATIENCE)
            worker.process.kill()
            worker.process.join(PATIENCE)  # one that waits for a driver may never end
            worker._sent()
            worker.pipe.close()


def run_tasks(
    take: Callable[[int], Any], workers: Mapping[int, Worker], renewed: Callable[[int], Worker]
) -> Generator[tuple[Any, Any], None, None]:
    """Yield (task, outcome) as tasks finish, in any order, until none waits and none runs; then end the workers.

    `take` returns the next task for the worker at a place, or None while none waits; it is asked again after every
    outcome. `renewed` replaces the worker at a place whose process is gone, or raises a JobFailure where that cannot
    be done.

    Raises:
        JobFailure: no worker is left.
    """
    places, held = dict(workers), list[Any]()
    busy: dict[Any, int] = {}  # the place of each worker that has a task, by its pipe
    try:
        while True:
            for place in sorted(places.keys() - busy.values()):
                if (task := held.pop() if held else take(place)) is None:
                    break
                if not places[place].fit:
                    Worker.end(places.pop(place))
                    try:
                        places[place] = renewed(place)
                    except JobFailure:
                        if not places:
                            raise
                        held.append(task)
                        continue
                places[place].give(task)
                busy[places[place].pipe] = place
            if not busy:
                return
            for pipe in wait(list(busy)):
                worker = places[busy.pop(pipe)]
                outcome = worker.outcome()
                yield worker.task, outcome
    finally:
        Worker.end(*places.values())


def run_in_processes(
    tasks: Sequence[Any], work: Callable[[Any], Any], processes: int
) -> Generator[tuple[Any, Any], None, None]:
    """Yield (task, what `work` returned, a JobFailure or an InputError) as tasks finish, in any order.

    The processes are forked. A process that dies costs its task only. Leaving the loop early ends them all; they also
    end when this process dies.
    """
    waiting = deque(tasks)

    def take(place: int) -> Any:
        return waiting.popleft() if waiting else None

    workers = {place: Worker(work) for place in range(min(processes, len(tasks)))}
    return run_tasks(take, workers, lambda place: Worker(work))


def _serve(pipe: Connection, given: tuple[Connection, Callable[[Any], Any]] | None) -> None:
    """The life of a worker: tasks from the pipe, outcomes into it; first the work, where it is not given."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent decides
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    with ended_by_sigterm(), contextlib.suppress(EOFError, BrokenPipeError):
        if given is None:
            work = pipe.recv()
        else:
            outer, work = given
            outer.close()
        if torch := sys.modules.get("torch"):  # recordings are converted without it
            torch.set_num_threads(1)
        while True:
            pipe.send(_outcome(work, pipe.recv()))
            end_if_asked()


def _outcome(work: Callable[[Any], Any], task: Any) -> tuple[Any, bool]:
    """What a task gave, and whether this process is fit for another."""
    try:
        return work(task), True
    except InputError as error:
        return error, True
    except LastOutcome as error:
        return error.args[0], False
    except Exception as error:
        return failure(error), True


def failure(error: Exception) -> JobFailure:
    """The JobFailure that tells of `error` in one line."""
    said = str(error).strip()
    return JobFailure(f"{type(error).__name__}: {first_line(error)}" if said else type(error).__name__)
