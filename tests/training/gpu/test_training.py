"""Groups trained on a model axis, on the CPU with PyTorch's operations, against the plain engine in float64."""

import numpy as np
import pytest
import torch

from skelnas.cells.space import cell
from skelnas.recipe import Recipe
from skelnas.training import plain
from skelnas.training.gpu.groups import capacity_for, partition
from skelnas.training.gpu.operations import reference
from skelnas.training.gpu.training import GpuTraining
from skelnas.training.resident import ResidentImages

RECIPE = Recipe(epochs=2, batch_size=8, precision="fp64")
CPU = torch.device("cpu")
JOBS = [(0, 777), (9, 777), (1651, 888)]


def plain_figures(job, images):
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "curves", kept.append)
        plain.train_cell(cell(job[0]), job[1], images, RECIPE, CPU)
    return kept[0]


def test_a_group_gives_the_plain_engines_figures(tiny):
    groups = [JOBS[:2], JOBS[2:]]
    data = ResidentImages.of(tiny, CPU, torch.float64)
    training = GpuTraining(2, capacity_for(groups), tiny, data, RECIPE, reference)
    for group in groups:
        training.start(group)
        training.run_epoch()
        training.run_epoch()
        for model, job in enumerate(group):
            np.testing.assert_allclose(training.metrics[model], plain_figures(job, tiny), rtol=1e-9)


@pytest.mark.parametrize(
    ("cells", "size", "most"), [(range(1000), 334, 1.02), (range(15_625), 125, 1.1), (range(0, 15_625, 100), 25, 1.25)]
)
def test_partitioned_groups_hold_every_job_once_and_need_little_room(cells, size, most):
    jobs = [(index, 777) for index in cells]
    groups = partition(jobs, size)
    assert sorted(job for group in groups for job in group) == jobs
    sizes = {len(group) for group in groups}
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1
    least = sum(capacity_for([[job]]).total for job in jobs) / len(groups)
    assert least <= capacity_for(groups).total < most * least
