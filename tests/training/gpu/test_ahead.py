"""While a group trains the next one's initial values are drawn, and a GPU that hangs is noticed."""

import threading
import time

import numpy as np
import pytest
import torch

from skelnas.processes import Worker
from skelnas.recipe import Recipe
from skelnas.training import watch
from skelnas.training.engines import Request, Settings
from skelnas.training.gpu import engine as gpu
from skelnas.training.gpu.ahead import drawing
from skelnas.training.gpu.groups import capacity_for
from skelnas.training.gpu.schedule import Schedule, Task
from skelnas.training.gpu.training import GpuTraining
from skelnas.training.gpu.worker import GroupWork

RECIPE = Recipe(epochs=1, batch_size=8, precision="fp64")
GROUPS = ((0, 777), (9, 777)), ((1651, 888), (7581, 777))
CAPACITY = capacity_for(GROUPS)


def work_on(images):
    return GroupWork(Request([job for group in GROUPS for job in group], images, RECIPE, Settings()), None)


def test_what_is_drawn_ahead_changes_no_bit(tiny, monkeypatch):
    drawn, where = GpuTraining.drawn, []

    def noted(self, group, *wanted):
        where.append((tuple(group), threading.current_thread() is threading.main_thread()))
        return drawn(self, group, *wanted)

    monkeypatch.setattr(GpuTraining, "drawn", noted)
    scores = {}
    for ahead in (False, True):
        work, where[:] = work_on(tiny), []
        followings = (GROUPS[1], ()) if ahead else ((), ())
        tasks = [Task(group, 2, CAPACITY, following=one) for group, one in zip(GROUPS, followings, strict=True)]
        state = torch.get_rng_state()
        scores[ahead] = [curves.loss.tobytes() for task in tasks for curves in work(task).curves]
        assert torch.equal(torch.get_rng_state(), state)
        beside = [group for group, main in where if group and not main]
        assert beside == ([GROUPS[1]] if ahead else [])
        assert [group for group, main in where if main] == [GROUPS[0]] + ([] if ahead else [GROUPS[1]])
    assert scores[True] == scores[False]


def test_another_group_than_the_drawn_one_is_drawn_anew(tiny):
    alone, other = work_on(tiny), work_on(tiny)
    other(Task(GROUPS[1], 2, CAPACITY, following=GROUPS[1]))
    found, expected = (work(Task(GROUPS[0], 2, CAPACITY)).curves for work in (other, alone))
    for one, same in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.loss, same.loss)


def test_what_fails_calls_the_drawing_off():
    asked = []

    def draw(wanted):
        while wanted():
            time.sleep(0.01)
        asked.append("called off")

    with pytest.raises(KeyError), drawing(draw) as later:
        raise KeyError
    assert asked == ["called off"]
    assert later.result is None


def test_each_process_gets_the_group_that_it_was_told_of():
    jobs = [(cell, 777) for cell in range(8)]
    schedule = Schedule(jobs, 1, dict.fromkeys(jobs, (0, 0)))
    told = {place: schedule.take(place).following for place in (0, 1)}
    for place in (1, 0, 0, 1):
        task = schedule.take(place)
        assert task.group == told[place]
        told[place] = task.following
    # Two are left, both kept; whoever is free first takes the other's as well.
    assert schedule.take(1).group == told[1]
    assert schedule.take(1).group == told[0]
    assert schedule.take(0) is None


@pytest.mark.slow
def test_a_gpu_that_hangs_ends_its_process_and_the_group_is_trained_in_another(tiny, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(watch, "LONGEST", 5.0)
    run_batch, hung = GpuTraining.run_batch, tmp_path / "hung"

    def hanging(self):
        if (7581, 777) in self.group and not hung.exists():
            hung.touch()
            time.sleep(600)
        run_batch(self)

    def train():
        found = {}
        request = Request([job for group in GROUPS for job in group], tiny, RECIPE, Settings(group_size=2))
        gpu.train_in_groups(
            request,
            lambda index, seed, curves, _: found.update({(index, seed): curves.loss.tobytes()}),
            lambda place: Worker(GroupWork(request, None)),
            1,
        )
        return found

    expected = train()
    monkeypatch.setattr(GpuTraining, "run_batch", hanging)
    assert train() == expected
    said = capfd.readouterr().err
    assert hung.exists()
    assert "no step ended for 5 s: the GPU hangs, and this process ends" in said
    assert "a group of 2 failed and is tried again: its GPU hangs: no step ended for minutes" in said


def test_a_slow_step_is_no_hanging_one(monkeypatch):
    """What goes on, however slowly, is left alone: this very process would end otherwise."""
    monkeypatch.setattr(watch, "LONGEST", 2.0)
    place = [0]
    with watch.watched(lambda: place[0]):
        for _ in range(12):
            time.sleep(0.25)
            place[0] += 1
