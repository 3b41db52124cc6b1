"""Worker processes: tasks that fail, processes that die or are replaced, and the end of all of them."""

import functools
import math
import multiprocessing
import multiprocessing.resource_tracker
import multiprocessing.spawn
import os
import signal
import time

import pytest

from skelnas.processes import JobFailure, LastOutcome, Worker, run_in_processes, run_tasks
from skelnas.termination import asked, deferred, end_if_asked


def double(number):
    """A task; odd ones fail, each in its own way."""
    if number == 1:
        raise ValueError("odd\nreally")
    if number == 3:
        os._exit(7)
    if number == 5:
        raise LastOutcome(JobFailure("unfit"))
    return 2 * number, os.getpid()


@pytest.mark.parametrize("processes", [1, 3])
def test_every_task_has_an_outcome_whatever_the_others_do(processes):
    found = dict(run_in_processes(range(7), double, processes))
    assert {task: outcome[0] for task, outcome in found.items() if task % 2 == 0} == {0: 0, 2: 4, 4: 8, 6: 12}
    assert {task: str(found[task]) for task in (1, 3, 5)} == {
        1: "ValueError: odd",
        3: "its process died with exit code 7",
        5: "unfit",
    }
    assert not multiprocessing.active_children()


def test_an_unfit_process_is_replaced_and_a_fit_one_kept():
    outcomes = [outcome for _, outcome in run_in_processes([0, 2, 5, 4, 6], double, 1)]
    first, second, _, third, fourth = [outcome[1] if isinstance(outcome, tuple) else None for outcome in outcomes]
    assert first == second
    assert third == fourth != first


def test_tasks_that_turn_up_late_are_done():
    waiting = [0]
    outcomes = []
    for task, outcome in run_tasks(lambda place: waiting.pop() if waiting else None, {0: Worker(double)}, None):
        outcomes.append(outcome[0])
        if task < 6:
            waiting.append(task + 2)
    assert outcomes == [0, 4, 8, 12]


def test_where_no_worker_can_be_replaced_the_last_one_ends_it():
    def gone(place):
        raise JobFailure("no device")

    waiting = [2, 5]
    found = {}
    with pytest.raises(JobFailure, match="no device"):
        for task, outcome in run_tasks(
            lambda place: waiting.pop() if waiting else None, {0: Worker(double), 1: Worker(double)}, gone
        ):
            found[task] = outcome
            if task == 5:
                waiting.append(3)
            if task == 3:
                waiting.append(4)
    assert found.keys() == {5, 2, 3}


def test_a_spawned_process_gets_a_copy_of_its_work():
    worker = Worker(math.sqrt, "spawn")
    for number, root in ((4, 2.0), (9, 3.0)):
        worker.give(number)
        assert worker.outcome() == root
    Worker.end(worker)
    assert worker.process.exitcode == 128 + signal.SIGTERM


def test_a_process_that_is_ended_may_save_before(tmp_path):
    def saving(path):
        with deferred():
            path.with_suffix(".begun").touch()
            while not asked():
                time.sleep(0.01)
            path.write_text("saved")
            end_if_asked()

    worker = Worker(saving)
    worker.give(tmp_path / "state")
    while not (tmp_path / "state.begun").exists():
        time.sleep(0.01)
    Worker.end(worker)
    assert (tmp_path / "state").read_text() == "saved"
    assert worker.process.exitcode == 128 + signal.SIGTERM


def test_a_spawned_process_that_dies_at_its_start_is_an_outcome(monkeypatch):
    """Its work is larger than a pipe holds, and nobody reads it."""
    monkeypatch.setattr(multiprocessing.spawn, "_python_exe", b"/bin/false")
    multiprocessing.resource_tracker.ensure_running()
    worker = Worker(functools.partial(math.dist, [0.0] * 100_000), "spawn")
    worker.give([1.0])
    assert str(worker.outcome()) == "its process died with exit code 1"
    assert not worker.fit
    Worker.end(worker)


def test_an_answer_that_does_not_come_is_a_failure():
    worker = Worker(time.sleep)
    worker.give(60)
    assert str(worker.outcome(0.1)) == "its process gave no answer within 0 seconds"
    assert not worker.fit
    Worker.end(worker)
