"""The fused engine on a CPU: whole trainings, alone and together."""

import multiprocessing
import os
import signal
import time

import numpy as np
import pytest
import torch

from bench.epoch_timing import epoch_seconds
from skelnas.cells.space import cell
from skelnas.recipe import Recipe
from skelnas.termination import ended_by_sigterm
from skelnas.training import loop, plain
from skelnas.training.cpu import engine as cpu
from skelnas.training.cpu.training import CpuTraining
from skelnas.training.engines import Request, Settings, TrainingError, train_jobs
from skelnas.training.resident import ResidentImages

JOBS = [(0, 777), (9, 777), (1651, 777), (0, 888)]
RECIPE = Recipe(epochs=2, batch_size=8)


def run(jobs, images, recipe=RECIPE, engine="fused", processes=1, folder=None, minutes=5.0):
    found = {}
    settings = Settings(engine=engine, device="cpu", processes=processes, checkpoint_minutes=minutes)
    request = Request(jobs, images, recipe, settings, folder)
    train_jobs(request, lambda i, s, curves, _: found.update({(i, s): curves}))
    return found


def assert_equal_bits(one, other):
    for field in ("loss", "top1", "top5"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


@pytest.fixture(scope="module")
def trained(tiny):
    return run(JOBS, tiny)


@pytest.mark.parametrize("batch_size", [8, 64])
def test_gives_the_plain_engines_curves(tiny, batch_size):
    """Eleven training images: batches of eight leave a ragged one of three, batches of 64 are larger than the split."""
    recipe = Recipe(epochs=2, batch_size=batch_size, precision="fp64")
    plain, fused = (run(JOBS[:3], tiny, recipe, engine) for engine in ("plain", "fused"))
    for job in JOBS[:3]:
        np.testing.assert_allclose(fused[job].loss, plain[job].loss, rtol=1e-6)  # stored as float32
        np.testing.assert_array_equal(fused[job].top1, plain[job].top1)
        np.testing.assert_array_equal(fused[job].top5, plain[job].top5)


def test_figures_equal_the_plain_engines_in_float64(tiny):
    """Before they are rounded to float32."""

    kept = []
    recipe = Recipe(epochs=2, batch_size=8, precision="fp64")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "curves", lambda metrics: kept.append(metrics))

        plain.train_cell(cell(0), 777, tiny, recipe, torch.device("cpu"))
        training = CpuTraining(0, 777, tiny, ResidentImages.of(tiny, torch.device("cpu"), torch.float64), recipe)
        training.run_epoch()
        training.run_epoch()
    np.testing.assert_allclose(training.metrics, kept[0], rtol=1e-9)


def test_no_result_depends_on_the_other_jobs(tiny, trained):
    together = run(JOBS[::-1], tiny, processes=2)
    alone = run(JOBS[1:2], tiny)
    for job in JOBS:
        assert_equal_bits(together[job], trained[job])
    assert_equal_bits(alone[JOBS[1]], trained[JOBS[1]])


def test_with_few_classes_top5_counts_all(tiny, trained):
    assert tiny.classes < 5
    for curves in trained.values():
        assert (curves.top5 == np.array(list(tiny.counts.values()))[:, None]).all()


def test_a_diverging_cell_keeps_its_curve_and_harms_nobody(tiny):
    recipe = Recipe(epochs=2, batch_size=8, learning_rate=1e30)
    curves = run([(0, 777)], tiny, recipe)[0, 777]
    assert curves.diverged
    assert curves.loss.shape == (3, 2)


class Stopped(BaseException):
    """The training was killed."""


@pytest.mark.parametrize("done", [1, 2, 3, 4, 6])
def test_a_killed_training_goes_on_from_any_batch_bit_for_bit(tiny, tmp_path, monkeypatch, trained, done):
    """Two batches of training, one of test and one of valid make an epoch: the kill may meet each of them."""
    ran, run_batch = [], CpuTraining.run_batch

    def counted(self):
        if len(ran) == done:
            raise Stopped
        ran.append((self.epoch, self.batch))
        run_batch(self)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(CpuTraining, "run_batch", counted)
        run([(9, 777)], tiny, folder=tmp_path, minutes=0)
    monkeypatch.setattr(CpuTraining, "run_batch", lambda self: ran.append((self.epoch, self.batch)) or run_batch(self))
    assert_equal_bits(run([(9, 777)], tiny, folder=tmp_path)[9, 777], trained[9, 777])
    assert ran == [divmod(batch, 4) for batch in range(8)]  # nothing twice
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_recipe_is_as_good_as_none(tiny, tmp_path, trained):
    data = ResidentImages.of(tiny, torch.device("cpu"), torch.float32)
    longer = CpuTraining(9, 777, tiny, data, Recipe(epochs=3, batch_size=8))
    longer.run_batch()
    longer.save(tmp_path)
    assert_equal_bits(run([(9, 777)], tiny, folder=tmp_path)[9, 777], trained[9, 777])


def test_checkpoints_are_as_far_apart_as_was_asked(tiny, tmp_path, monkeypatch):
    written, minutes = [], iter(range(1000))
    monkeypatch.setattr(CpuTraining, "save", lambda self, path: written.append((self.epoch, self.batch)))
    monkeypatch.setattr(loop, "monotonic", lambda: 60 * next(minutes))  # each look at the clock, a minute
    run([(1651, 777)], tiny, folder=tmp_path, minutes=3)
    assert written == [(0, 3), (1, 2)]


def test_sigterm_saves_a_training_where_it_is(tiny, tmp_path, monkeypatch, trained):
    run_batch = CpuTraining.run_batch

    def ended(self):
        run_batch(self)
        if (self.epoch, self.batch) == (0, 3):
            os.kill(os.getpid(), signal.SIGTERM)

    def train():
        with ended_by_sigterm():
            run(JOBS[:1], tiny, folder=tmp_path, minutes=60)

    with monkeypatch.context() as patch:
        patch.setattr(CpuTraining, "run_batch", ended)
        process = multiprocessing.get_context("fork").Process(target=train)
        process.start()
        process.join(60)
    assert process.exitcode == 143
    ran = []
    monkeypatch.setattr(CpuTraining, "run_batch", lambda self: ran.append((self.epoch, self.batch)) or run_batch(self))
    assert_equal_bits(run(JOBS[:1], tiny, folder=tmp_path)[JOBS[0]], trained[JOBS[0]])
    assert ran[0] == (0, 3)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_job_that_raises_is_named_after_the_others_have_finished(tiny, monkeypatch, trained, processes):
    train = cpu.train_cell

    def crashing(index, *rest):
        if index == 9:
            raise RuntimeError("out of luck\nand more")
        return train(index, *rest)

    monkeypatch.setattr(cpu, "train_cell", crashing)
    found = {}
    with pytest.raises(TrainingError, match="cell 9 with seed 777 crashed: RuntimeError: out of luck"):
        train_jobs(
            Request(JOBS, tiny, RECIPE, Settings(device="cpu", processes=processes)),
            lambda i, s, curves, _: found.update({(i, s): curves}),
        )
    assert set(found) == set(JOBS) - {(9, 777)}
    assert_equal_bits(found[0, 777], trained[0, 777])


def test_a_process_that_dies_costs_its_job_only(tiny, monkeypatch):
    train = cpu.train_cell
    monkeypatch.setattr(cpu, "train_cell", lambda index, *rest: os._exit(9) if index == 9 else train(index, *rest))
    found = []
    with pytest.raises(TrainingError, match=r"cell 9 with seed 777 crashed: its process died with exit code 9"):
        request = Request(JOBS, tiny, RECIPE, Settings(device="cpu", processes=2))
        train_jobs(request, lambda i, s, *_: found.append((i, s)))
    assert sorted(found) == sorted(set(JOBS) - {(9, 777)})


def test_an_error_in_the_caller_ends_the_processes(tiny, monkeypatch):

    monkeypatch.setattr(cpu, "train_cell", lambda index, *rest: time.sleep(0 if index == 1651 else 60))

    def refuse(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_jobs(Request(JOBS, tiny, RECIPE, Settings(device="cpu", processes=4)), refuse)
    assert not multiprocessing.active_children()


def test_epoch_seconds_grow_with_the_work(tiny):
    light, heavy = (epoch_seconds([(index, 777)], tiny, RECIPE, Settings(device="cpu")) for index in (1651, 1462))
    assert 0 < light < heavy
