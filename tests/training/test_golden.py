"""Whatever is moved or made faster: each engine still computes what it computed at 91a9860, to the last digits."""

import dataclasses

import numpy as np
import pytest
import torch

from skelnas.cells import space
from skelnas.recipe import Recipe
from skelnas.training import plain, seeding
from skelnas.training.cpu.training import CpuTraining
from skelnas.training.gpu.groups import capacity_for
from skelnas.training.gpu.operations import reference
from skelnas.training.gpu.training import GpuTraining
from skelnas.training.resident import ResidentImages

from ..last_digits import moved_a_little, tolerances, values_drawn

RECIPE = Recipe(epochs=2, batch_size=8, precision="fp64")
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def same_start(monkeypatch):
    """Initial values that do not depend on the processor's rounding."""
    start = seeding.start

    def rounded_once(cell, seed, *shape):
        network, generator = start(cell, seed, *shape)
        for parameter, drawn in zip(network.parameters(), values_drawn(network, seed), strict=True):
            parameter.data = drawn
        return network, generator

    monkeypatch.setattr(seeding, "start", rounded_once)


def plain_engine(jobs, images):
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "curves", kept.append)
        for index, seed in jobs:
            plain.train_cell(space.cell(index), seed, images, RECIPE, CPU)
    return kept


def fused_on_cpu(jobs, images):
    data = ResidentImages.of(images, CPU, torch.float64)
    trainings = [CpuTraining(index, seed, images, data, RECIPE) for index, seed in jobs]
    for training in trainings:
        training.run_epoch()
        training.run_epoch()
    return [training.metrics for training in trainings]


def fused_in_a_group(jobs, images):
    data = ResidentImages.of(images, CPU, torch.float64)
    training = GpuTraining(len(jobs), capacity_for([jobs]), images, data, RECIPE, reference)
    training.start(jobs)
    training.run_epoch()
    training.run_epoch()
    return list(training.metrics)


@pytest.mark.parametrize(
    ("name", "engine"), [("plain", plain_engine), ("cpu", fused_on_cpu), ("gpu", fused_in_a_group)]
)
@pytest.mark.slow
def test_losses_and_counts_are_what_they_were(oracle, tiny, name, engine):
    trainings = oracle("golden")["trainings"]
    jobs = [(training["cell"], training["seed"]) for training in trainings]
    colours = {part: moved_a_little(torch.from_numpy(getattr(tiny, part))).numpy() for part in ("mean", "std")}
    found, moved = (engine(jobs, images) for images in (tiny, dataclasses.replace(tiny, **colours)))
    for training, ours, theirs in zip(trainings, found, moved, strict=True):
        allowed = tolerances(ours[..., 0].ravel(), theirs[..., 0].ravel())
        assert allowed.max() < 1e-6  # else the test could not fail
        golden = np.array(training[name]).ravel()
        np.testing.assert_array_less(np.abs(ours[..., 0].ravel() / golden - 1), allowed)
        np.testing.assert_array_equal(ours[..., 1:], training["right"])
