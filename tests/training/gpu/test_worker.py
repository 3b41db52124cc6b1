"""The process at a GPU, with PyTorch's operations on the CPU in place of the kernels: engines, checkpoints, ends."""

import os
import signal

import numpy as np
import pytest
import torch

from skelnas.processes import LastOutcome, Worker
from skelnas.recipe import Recipe
from skelnas.training import checkpoint
from skelnas.training.engines import Request, Settings
from skelnas.training.gpu import worker as group_work
from skelnas.training.gpu.groups import capacity_for
from skelnas.training.gpu.schedule import Task
from skelnas.training.gpu.training import GpuTraining
from skelnas.training.gpu.worker import FreeMemory, GroupWork, TooLarge, group_size

RECIPE = Recipe(epochs=2, batch_size=8, precision="fp64")
JOBS = ((0, 777), (9, 777), (1651, 777))


def task_of(group, models=None):
    return Task(tuple(group), models or len(group), capacity_for([JOBS]))


def work_on(images, folder=None, minutes=5.0, processes_per_gpu=1):
    settings = Settings(checkpoint_minutes=minutes, processes_per_gpu=processes_per_gpu)
    return GroupWork(Request(JOBS, images, RECIPE, settings, folder), None)


def assert_same_curves(one, other):
    """Groups of other sizes may take the sums of PyTorch's own operations in another order."""
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-6)
    np.testing.assert_array_equal(one.top1, other.top1)
    np.testing.assert_array_equal(one.top5, other.top5)


@pytest.fixture(scope="module")
def undisturbed(tiny):
    return work_on(tiny)(task_of(JOBS)).curves


def test_groups_of_one_engine_score_what_they_score_alone(tiny, undisturbed):
    work, found = work_on(tiny), []
    engines = []
    for group in (JOBS[:2], JOBS[2:]):
        found += work(task_of(group, models=2)).curves
        engines.append(work._training)
    assert engines[0] is engines[1]
    for one, other in zip(found, undisturbed, strict=True):
        assert_same_curves(one, other)


@pytest.mark.slow
def test_a_copy_in_another_process_trains_the_same(tiny, undisturbed):
    worker = Worker(work_on(tiny), "spawn")
    worker.give(FreeMemory())
    assert worker.outcome() > 0
    worker.give(task_of(JOBS))
    for one, other in zip(worker.outcome().curves, undisturbed, strict=True):
        assert_same_curves(one, other)
    Worker.end(worker)


class Stopped(Exception):
    """The training was killed."""


@pytest.mark.parametrize("done", [1, 2, 3, 4, 7])
def test_a_killed_group_goes_on_from_any_batch(tiny, tmp_path, monkeypatch, undisturbed, done):
    """Two batches of training and two of evaluation make an epoch: the kill may meet each of them."""
    ran, run_batch = [], GpuTraining.run_batch

    def counted(self):
        if len(ran) == done:
            raise Stopped
        ran.append((self.epoch, self.batch))
        run_batch(self)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(GpuTraining, "run_batch", counted)
        work_on(tiny, tmp_path, minutes=0)(task_of(JOBS))
    assert set(checkpoint.places(tmp_path, JOBS).values()) == {divmod(done, 4)}
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr(GpuTraining, "run_batch", lambda self: ran.append((self.epoch, self.batch)) or run_batch(self))
    found = work_on(tiny, tmp_path, minutes=60)(task_of(JOBS)).curves
    assert ran == [divmod(batch, 4) for batch in range(8)]  # nothing twice
    for one, other in zip(found, undisturbed, strict=True):
        assert_same_curves(one, other)


def stop_after_an_epoch(images, folder, monkeypatch, group):
    """Leave the checkpoints of a group that was killed in its second epoch."""
    run_batch = GpuTraining.run_batch

    def stopped(self):
        if self.epoch == 1:
            raise Stopped
        run_batch(self)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(GpuTraining, "run_batch", stopped)
        work_on(images, folder, minutes=0)(task_of(group))


def test_another_grouping_takes_the_checkpoints_too(tiny, tmp_path, monkeypatch, undisturbed):
    stop_after_an_epoch(tiny, tmp_path, monkeypatch, JOBS)
    work = work_on(tiny, tmp_path, minutes=60)
    found = [*work(task_of(JOBS[1:])).curves, *work(task_of(JOBS[:1], models=2)).curves]
    for one, other in zip(found, [*undisturbed[1:], undisturbed[0]], strict=True):
        assert_same_curves(one, other)


def test_jobs_at_different_places_begin_anew_together(tiny, tmp_path, monkeypatch, undisturbed):
    stop_after_an_epoch(tiny, tmp_path, monkeypatch, JOBS[:1])
    for one, other in zip(work_on(tiny, tmp_path)(task_of(JOBS)).curves, undisturbed, strict=True):
        assert_same_curves(one, other)


@pytest.mark.parametrize("done", [1, 3, 8])
def test_sigterm_saves_where_the_group_is(tiny, tmp_path, monkeypatch, undisturbed, done):
    ran, run_batch = [], GpuTraining.run_batch

    def ended(self):
        run_batch(self)
        ran.append((self.epoch, self.batch))
        if len(ran) == done:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(GpuTraining, "run_batch", ended)
        worker = Worker(work_on(tiny, tmp_path, minutes=60))
        worker.give(task_of(JOBS))
        assert str(worker.outcome()) == "its process died with exit code 143"
        Worker.end(worker)
    assert set(checkpoint.places(tmp_path, JOBS).values()) == {divmod(done, 4) if done < 8 else (2, 4)}
    monkeypatch.setattr(GpuTraining, "run_batch", lambda self: ran.append(0) or run_batch(self))
    for one, other in zip(work_on(tiny, tmp_path)(task_of(JOBS)).curves, undisturbed, strict=True):
        assert_same_curves(one, other)
    assert len(ran) == 8 - done  # what was done before is counted in the process that ended


def test_too_little_memory_is_an_outcome(tiny, monkeypatch):
    def refuse(self, *arguments):
        raise torch.OutOfMemoryError("too much")

    work = work_on(tiny)
    with monkeypatch.context() as patch:
        patch.setattr(GpuTraining, "__init__", refuse)
        assert isinstance(work(task_of(JOBS)), TooLarge)
    assert len(work(task_of(JOBS)).curves) == 3


def test_a_lost_device_ends_the_process(tiny, monkeypatch):
    def fail(self):
        raise RuntimeError("an illegal memory access was encountered")

    monkeypatch.setattr(GpuTraining, "run_batch", fail)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        work_on(tiny)(task_of(JOBS))
    monkeypatch.setattr(group_work, "is_lost", lambda device: True)
    with pytest.raises(LastOutcome, match="illegal memory access"):
        work_on(tiny)(task_of(JOBS))


def test_processes_that_share_a_gpu_share_its_seconds(tiny, monkeypatch):
    monkeypatch.setattr(group_work, "monotonic", iter(range(0, 10_000, 60)).__next__)
    alone = work_on(tiny)(task_of(JOBS)).seconds
    monkeypatch.setattr(group_work, "monotonic", iter(range(0, 10_000, 60)).__next__)
    shared = work_on(tiny, processes_per_gpu=2)(task_of(JOBS)).seconds
    assert shared == alone / 2


def test_the_group_size_follows_the_memory(tiny):
    small, large = (group_size(JOBS * 20, tiny, RECIPE, free) for free in (1 << 28, 1 << 30))
    assert 1 <= small < large
    assert 3.9 < large / small < 4.3
