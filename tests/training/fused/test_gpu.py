"""How groups are formed, retried, halved and resumed, with PyTorch's operations on the CPU in place of the kernels."""

import numpy as np
import pytest
import torch

from skelnas.training.curves import Curves
from skelnas.training.engines import Settings, TrainingError
from skelnas.training.fused import gpu, stacked_checkpoint, stacked_operations
from skelnas.training.fused.stacked_training import StackedTraining
from skelnas.training.recipe import Recipe

RECIPE = Recipe(epochs=2, batch_size=8, precision="fp64")
JOBS = [(0, 777), (9, 777), (1651, 777), (1835, 888), (7581, 777)]


class FakeTraining(StackedTraining):
    """A group whose epochs take no time; it fails or asks too much as the test wishes."""

    bad: tuple = ()
    most = 5

    def __init__(self, models, room, images, data, recipe, operations, recorded):
        if models > self.most:
            raise torch.OutOfMemoryError("too much")
        self.models, self.recipe = models, recipe
        FakeTraining.sizes.append(models)

    def start(self, group):
        self.group, self.epoch = list(group), 0
        FakeTraining.started.append(sorted(group))

    def run_epoch(self):
        if set(self.group) & set(self.bad):
            raise RuntimeError("a kernel failed")
        self.epoch += 1

    def curves(self):
        counts = np.zeros((3, 2), dtype=np.int32)
        return [Curves(counts.astype(np.float32), counts, counts) for _ in self.group]


@pytest.fixture
def fake(monkeypatch):
    FakeTraining.sizes, FakeTraining.started = [], []
    monkeypatch.setattr(gpu, "StackedTraining", FakeTraining)
    monkeypatch.setattr(FakeTraining, "bad", ())
    monkeypatch.setattr(FakeTraining, "most", 5)
    return FakeTraining


def run(jobs, images, size, folder=None, minutes=5.0):
    found = {}
    gpu.train_in_groups(
        jobs,
        images,
        RECIPE,
        Settings(device="cpu", checkpoint_minutes=minutes),
        lambda i, s, curves, _: found.update({(i, s): curves}),
        folder,
        torch.device("cpu"),
        stacked_operations,
        size,
    )
    return found


def test_groups_shrink_until_they_fit(tiny, fake, capsys):
    fake.most = 2
    assert set(run(JOBS, tiny, 100)) == set(JOBS)
    assert fake.sizes == [2]
    assert capsys.readouterr().err == "out of GPU memory: going on with groups of 2\n"


def test_a_job_too_large_for_the_memory_is_named(tiny, fake):
    fake.most = 0
    with pytest.raises(TrainingError, match="OutOfMemoryError: too much"):
        run(JOBS, tiny, 2)


def test_a_failing_group_is_tried_again_and_then_halved(tiny, fake):
    fake.bad = ((9, 777),)
    with pytest.raises(TrainingError, match="cell 9 with seed 777 crashed: RuntimeError: a kernel failed") as caught:
        run(JOBS, tiny, 5)
    assert list(caught.value.reasons) == [(9, 777)]
    with_it = [len(group) for group in fake.started if (9, 777) in group]
    assert with_it[:2] == [5, 5]
    assert with_it[-1] == 1
    assert {job for group in fake.started if (9, 777) not in group for job in group} == set(JOBS) - {(9, 777)}


def test_groups_go_on_from_their_checkpoints(tiny, tmp_path, monkeypatch):
    jobs = JOBS[:3]
    undisturbed = run(jobs, tiny, 3)
    epochs = []
    run_epoch, most = StackedTraining.run_epoch, [1]

    def counted(self):
        if len(epochs) == most[0]:
            raise KeyboardInterrupt
        epochs.append(self.epoch)
        run_epoch(self)

    monkeypatch.setattr(StackedTraining, "run_epoch", counted)
    with pytest.raises(KeyboardInterrupt):
        run(jobs, tiny, 3, tmp_path, minutes=0)
    assert [stacked_checkpoint.epoch_of(tmp_path, job) for job in jobs] == [1, 1, 1]
    most[0] = 100
    # Another grouping takes the checkpoints too.
    resumed = run(jobs, tiny, 2, tmp_path)
    assert epochs == [0, 1, 1]
    for job in jobs:
        np.testing.assert_allclose(resumed[job].loss, undisturbed[job].loss, rtol=1e-6)
        np.testing.assert_array_equal(resumed[job].top1, undisturbed[job].top1)
    assert not list(tmp_path.iterdir())


def test_the_group_size_follows_the_memory(tiny):
    small, large = (gpu.group_size(JOBS * 20, tiny, RECIPE, free) for free in (1 << 28, 1 << 30))
    assert 1 <= small < large
    assert 3.9 < large / small < 4.3


def test_a_job_that_costs_the_gpu_is_found_process_by_process(tiny, fake, tmp_path, monkeypatch):
    """Each call stands for a process: the first fault ends it."""
    fake.bad = ((9, 777),)
    monkeypatch.setattr(gpu, "is_lost", lambda device: True)
    left, blamed = set(JOBS), []
    for _ in range(4):
        found = {}
        with pytest.raises(TrainingError, match="the GPU is lost to this process") as caught:
            gpu.train_in_groups(
                sorted(left),
                tiny,
                RECIPE,
                Settings(device="cpu"),
                lambda i, s, *_, found=found: found.update({(i, s): True}),
                tmp_path,
                torch.device("cpu"),
                stacked_operations,
                5,
            )
        left -= set(found)
        blamed.append(len(caught.value.reasons))
    assert left == {(9, 777)}
    assert blamed[0] == 5
    assert blamed[-1] == 1
    assert blamed == sorted(blamed, reverse=True)
