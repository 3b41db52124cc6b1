"""One form of checkpoint for all engines: what this program wrote for this recipe is read, and nothing else."""

import numpy as np
import pytest
import torch

from skelnas.files import write_record
from skelnas.training.checkpoint import (
    START,
    Snapshot,
    checkpoint_path,
    place_of,
    read_checkpoint,
    remove_checkpoints,
    write_checkpoint,
)

JOB = (9, 777)


def snapshot(place=(1, 3), epochs=2, dtype=torch.float32):
    generator = torch.Generator().manual_seed(sum(place))
    tensors = {"parameters": torch.arange(5, dtype=dtype) * sum(place), "sums": torch.ones(3, 4, dtype=torch.float64)}
    return Snapshot(place, generator.get_state(), np.full((epochs, 3, 3), 0.1 * place[0]), tensors)


def test_what_was_written_is_read(tmp_path):
    write_checkpoint(tmp_path, JOB, snapshot())
    found = read_checkpoint(tmp_path, JOB, snapshot((0, 0)))
    assert found.place == place_of(tmp_path, JOB) == (1, 3)
    assert torch.equal(found.generator, snapshot().generator)
    assert np.array_equal(found.metrics, snapshot().metrics)
    assert found.tensors.keys() == snapshot().tensors.keys()
    assert all(torch.equal(found.tensors[name], value) for name, value in snapshot().tensors.items())
    remove_checkpoints(tmp_path, [JOB, (10, 777)])
    assert not list(tmp_path.iterdir())


def test_without_a_folder_there_is_none():
    assert place_of(None, JOB) == START
    remove_checkpoints(None, [JOB])


@pytest.mark.parametrize("other", [{"epochs": 3}, {"dtype": torch.float64}])
def test_one_of_another_recipe_counts_as_none(tmp_path, other):
    write_checkpoint(tmp_path, JOB, snapshot(**other))
    assert read_checkpoint(tmp_path, JOB, snapshot()) is None


def test_one_of_version_0_1_counts_as_none(tmp_path):
    """Its engines wrote three forms under one name, two of them with a place."""
    place = {"generator": snapshot().generator.numpy(), "figures": snapshot().metrics, "place": np.array([1, 3])}
    write_record(checkpoint_path(tmp_path, JOB), place | {"parameters": np.zeros(5), "sums": np.ones((3, 4))})
    assert place_of(tmp_path, JOB) == START
    assert read_checkpoint(tmp_path, JOB, snapshot()) is None


def test_a_damaged_one_counts_as_none(tmp_path):
    write_checkpoint(tmp_path, JOB, snapshot())
    path = checkpoint_path(tmp_path, JOB)
    path.write_bytes(path.read_bytes()[:-7])
    assert place_of(tmp_path, JOB) == START
    assert read_checkpoint(tmp_path, JOB, snapshot()) is None
