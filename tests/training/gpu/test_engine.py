"""Groups spread over the processes at the GPUs; here the processes are forked and their trainings take no time."""

import os
import time

import numpy as np
import pytest
import torch

from skelnas.errors import InputError
from skelnas.processes import JobFailure, LastOutcome, Worker
from skelnas.recipe import Recipe
from skelnas.training.engines import Request, Settings, TrainingError
from skelnas.training.gpu import engine as gpu
from skelnas.training.gpu.worker import FreeMemory, GroupWork, TooLarge, Trained
from skelnas.training.metrics import Curves
from skelnas.training.settings import EngineFailure

RECIPE = Recipe(epochs=2, batch_size=8, precision="fp64")
JOBS = [(0, 777), (9, 777), (1651, 777), (1835, 888), (7581, 777)]


def curves_of(job):
    counts = np.full((3, RECIPE.epochs), job[0], dtype=np.int32)
    return Curves(counts.astype(np.float32), counts, counts)


def run(images, work, size=5, workers=1, folder=None, jobs=JOBS):
    """Train with `work`, a function of (place, task); the jobs that finished with their curves, and how often each."""
    found = []
    gpu.train_in_groups(
        Request(jobs, images, RECIPE, Settings(group_size=size), folder),
        lambda index, seed, curves, _: found.append(((index, seed), curves.top1[0, 0])),
        lambda place: Worker(lambda task: work(place, task)),
        workers,
    )
    return sorted(found)


def easy(place, task):
    if isinstance(task, FreeMemory):
        return 1 << 30
    return Trained([curves_of(job) for job in task.group], 1.0)


FINISHED = sorted((job, job[0]) for job in JOBS)


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_every_job_is_trained_once_with_its_own_curves(tiny, workers):
    assert run(tiny, easy, size=2, workers=workers) == FINISHED


def test_all_workers_get_groups(tiny, tmp_path):
    def noted(place, task):
        if not isinstance(task, FreeMemory):
            (tmp_path / f"{place}-{len(task.group)}").touch()
        return easy(place, task)

    run(tiny, noted, size=4096, workers=2)
    assert {path.name[0] for path in tmp_path.iterdir()} == {"0", "1"}
    assert {path.name[2] for path in tmp_path.iterdir()} == {"2", "3"}


def test_groups_shrink_until_they_fit(tiny, capsys):
    def small(place, task):
        return TooLarge() if not isinstance(task, FreeMemory) and task.models > 2 else easy(place, task)

    assert run(tiny, small) == FINISHED
    assert capsys.readouterr().err == "out of GPU memory: going on with groups of 2\n"


def test_a_job_too_large_for_the_memory_is_named(tiny):
    def none(place, task):
        return easy(place, task) if isinstance(task, FreeMemory) else TooLarge()

    with pytest.raises(TrainingError, match="free memory is too small"):
        run(tiny, none)


@pytest.mark.parametrize("fault", ["raises", "loses the GPU", "dies"])
@pytest.mark.parametrize("workers", [1, 2])
def test_the_job_at_fault_is_found_and_the_others_finish(tiny, fault, workers):
    def faulty(place, task):
        if not isinstance(task, FreeMemory) and (9, 777) in task.group:
            if fault == "dies":
                os._exit(9)
            raise RuntimeError("a kernel failed") if fault == "raises" else LastOutcome(JobFailure("no GPU any more"))
        return easy(place, task)

    finished = []
    with pytest.raises(TrainingError, match="cell 9 with seed 777 crashed") as caught:
        gpu.train_in_groups(
            Request(JOBS, tiny, RECIPE, Settings(group_size=5)),
            lambda index, seed, *_: finished.append((index, seed)),
            lambda place: Worker(lambda task: faulty(place, task)),
            workers,
        )
    assert list(caught.value.reasons) == [(9, 777)]
    assert sorted(finished) == sorted(set(JOBS) - {(9, 777)})


def test_a_gpu_that_cannot_be_used_is_said_and_left_out(tiny, capsys):
    def one_broken(place, task):
        if place == 0:
            raise RuntimeError("no kernel image")
        return easy(place, task)

    assert run(tiny, one_broken, size=2, workers=2) == FINISHED
    assert capsys.readouterr().err == "a GPU cannot be used: RuntimeError: no kernel image\n"


def test_without_any_usable_gpu_nothing_is_begun(tiny):
    def broken(place, task):
        raise RuntimeError("no kernel image")

    with pytest.raises(InputError, match=r"no GPU can be used .*no kernel image"):
        run(tiny, broken, workers=2)


def test_a_gpu_that_is_lost_for_good_costs_what_is_left_and_no_more(tiny, tmp_path):
    def worn(place, task):
        done = tmp_path / "done"
        if done.exists():
            os._exit(1)
        if not isinstance(task, FreeMemory):
            done.touch()
        return easy(place, task)

    with pytest.raises(TrainingError, match="no GPU can be used") as caught:
        run(tiny, worn, size=3)
    assert len(caught.value.reasons) in (2, 3)


def test_the_other_gpus_take_over_from_one_that_is_lost_for_good(tiny, tmp_path, capfd):
    def second_worn(place, task):
        lost, replaced = tmp_path / "lost", tmp_path / "replaced"
        if place == 1 and not isinstance(task, FreeMemory):
            lost.touch()
            os._exit(1)
        if place == 1 and lost.exists():
            replaced.touch()
            raise RuntimeError("no device")
        while place == 0 and not isinstance(task, FreeMemory) and not replaced.exists():
            time.sleep(0.01)  # until somebody has tried to replace the other
        return easy(place, task)

    assert run(tiny, second_worn, size=1, workers=2) == FINISHED
    assert capfd.readouterr().err.splitlines() == [
        "a group of 1 failed and is tried again: its process died with exit code 1",
        "a GPU cannot be used: RuntimeError: no device",
    ]


def test_a_full_disk_ends_the_training(tiny):
    def full(place, task):
        if isinstance(task, FreeMemory):
            return 1 << 30
        raise InputError("checkpoint cannot be written: No space left on device")

    with pytest.raises(InputError, match="No space left"):
        run(tiny, full)


def test_each_visible_gpu_has_its_processes(tiny, monkeypatch):
    """Two GPUs with two processes each; a quarter of the memory would do for each of them."""
    begun = []

    def forked(work, start):
        assert start == "spawn"
        begun.append(work.gpu)
        return Worker(lambda task: easy(work.gpu, task))

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(gpu, "Worker", forked)
    monkeypatch.setattr(forked, "end", Worker.end, raising=False)
    sizes = []
    monkeypatch.setattr(gpu, "group_size", lambda jobs, images, recipe, free: sizes.append(free) or 1)
    found = []
    gpu.train(Request(JOBS, tiny, RECIPE, Settings(processes_per_gpu=2)), lambda i, s, *_: found.append((i, s)))
    assert begun == [0, 1, 0, 1]
    assert sizes == [1 << 29]
    assert sorted(found) == sorted(JOBS)


@pytest.mark.slow
def test_real_groups_of_two_processes_score_what_one_scores(tiny):
    """PyTorch's own operations on the CPU, in processes that are started as at a GPU."""
    found = {}
    for workers, start in ((1, "fork"), (2, "spawn")):
        request, trained = Request(JOBS, tiny, RECIPE, Settings(group_size=2)), {}
        gpu.train_in_groups(
            request,
            lambda index, seed, curves, _, trained=trained: trained.update({(index, seed): curves}),
            lambda place, request=request, start=start: Worker(GroupWork(request, None), start),
            workers,
        )
        found[workers] = trained
    assert found[1].keys() == found[2].keys() == set(JOBS)
    for job in JOBS:
        np.testing.assert_allclose(found[1][job].loss, found[2][job].loss, rtol=1e-6)
        np.testing.assert_array_equal(found[1][job].top1, found[2][job].top1)


@pytest.mark.parametrize(("workers", "most"), [(1, 4), (4, 8)])
def test_what_fails_whatever_is_tried_ends_the_shard_after_a_few_groups(tiny, tmp_path, workers, most):
    """Retried and halved down to each job, these 1,000 would take some 3,000 engines."""
    jobs = [(index, 777) for index in range(1000)]

    def broken(place, task):
        if isinstance(task, FreeMemory):
            return 1 << 30
        (tmp_path / f"{place}-{time.monotonic_ns()}").touch()
        raise RuntimeError(f"no kernel image at {hex(id(task))} for {len(task.group)} models")

    with pytest.raises(EngineFailure, match=r"failed alike before any was trained.*no kernel image") as c:
        run(tiny, broken, size=4096, workers=workers, jobs=jobs)
    assert 2 <= len(list(tmp_path.iterdir())) <= most
    assert sorted(c.value.reasons) == jobs


def test_two_bad_cells_do_not_end_a_shard_in_which_others_train(tiny):
    def faulty(place, task):
        if not isinstance(task, FreeMemory) and {JOBS[0], JOBS[-1]} & set(task.group):
            raise RuntimeError("a kernel failed")
        return easy(place, task)

    with pytest.raises(TrainingError, match="1 more of this shard") as caught:
        run(tiny, faulty, size=1, jobs=JOBS[1:4] + JOBS[:1] + JOBS[4:])
    assert not isinstance(caught.value, EngineFailure)
    assert sorted(caught.value.reasons) == [JOBS[0], JOBS[-1]]
