"""One form of checkpoint for all engines: what this program wrote for this recipe is read, and nothing else."""

import os

import numpy as np
import pytest
import torch

from skelnas.files import write_record
from skelnas.training import checkpoint
from skelnas.training.checkpoint import (
    START,
    Snapshot,
    checkpoint_path,
    places,
    read_checkpoint,
    remove_checkpoints,
    write_checkpoint,
)

from .forked import forked

JOB, OTHER, THIRD = (9, 777), (10, 777), (10, 888)


def snapshot(place=(1, 3), epochs=2, dtype=torch.float32):
    generator = torch.Generator().manual_seed(sum(place))
    tensors = {"parameters": torch.arange(5, dtype=dtype) * sum(place), "sums": torch.ones(3, 4, dtype=torch.float64)}
    return Snapshot(place, generator.get_state(), np.full((epochs, 3, 3), 0.1 * place[0]), tensors)


def write(folder, place, *jobs):
    write_checkpoint(folder, dict.fromkeys(jobs, snapshot(place)))


def read(folder, job):
    return read_checkpoint(folder, {job: snapshot((0, 0))}).get(job)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_is_read(tmp_path):
    write_checkpoint(tmp_path, {JOB: snapshot()})
    found = read(tmp_path, JOB)
    assert found.place == places(tmp_path, [JOB])[JOB] == (1, 3)
    assert torch.equal(found.generator, snapshot().generator)
    assert np.array_equal(found.metrics, snapshot().metrics)
    assert found.tensors.keys() == snapshot().tensors.keys()
    assert all(torch.equal(found.tensors[name], value) for name, value in snapshot().tensors.items())
    assert files(tmp_path) == ["00009-777.checkpoint"]
    remove_checkpoints(tmp_path, {JOB})
    assert len(files(tmp_path)) == 1
    remove_checkpoints(tmp_path, {OTHER})
    assert files(tmp_path) == []


def test_a_group_has_one_file_that_stays_until_all_of_it_are_finished(tmp_path):
    write_checkpoint(tmp_path, {THIRD: snapshot((1, 1)), JOB: snapshot((1, 2)), OTHER: snapshot((1, 3))})
    assert len(files(tmp_path)) == 1
    assert places(tmp_path, [JOB, OTHER, THIRD, (5, 5)]) == {
        JOB: (1, 2),
        OTHER: (1, 3),
        THIRD: (1, 1),
        (5, 5): START,
    }
    found = read_checkpoint(tmp_path, dict.fromkeys([JOB, THIRD], snapshot((0, 0))))
    assert {job: one.place for job, one in found.items()} == {JOB: (1, 2), THIRD: (1, 1)}
    write(tmp_path, (2, 0), JOB, OTHER, THIRD)  # in its place, whatever their order
    assert len(files(tmp_path)) == 1
    for left in ({JOB, OTHER}, {OTHER}):
        remove_checkpoints(tmp_path, left)
        assert read(tmp_path, OTHER).place == (2, 0)
    remove_checkpoints(tmp_path, set())
    assert files(tmp_path) == []


def test_the_furthest_counts_and_what_is_superseded_goes(tmp_path):
    """A group was killed, and its jobs are dealt into two others."""
    write(tmp_path, (1, 0), JOB, OTHER)
    [old] = files(tmp_path)
    write(tmp_path, (1, 0), JOB, THIRD)  # the other one is in the old file alone
    assert len(files(tmp_path)) == 2
    write(tmp_path, (2, 0), JOB, THIRD)
    assert len(files(tmp_path)) == 2
    assert places(tmp_path, [JOB, OTHER]) == {JOB: (2, 0), OTHER: (1, 0)}
    assert read(tmp_path, JOB).place == (2, 0)
    write(tmp_path, (1, 1), OTHER)
    assert old not in files(tmp_path)
    assert places(tmp_path, [JOB, OTHER, THIRD]) == {JOB: (2, 0), OTHER: (1, 1), THIRD: (2, 0)}
    # Older than what others have: its writer goes on with it, the others keep theirs.
    write(tmp_path, (1, 2), JOB)
    assert places(tmp_path, [JOB])[JOB] == (2, 0)


def test_files_that_are_alike_supersede_nothing(tmp_path):
    write(tmp_path, (1, 0), JOB, OTHER)
    write(tmp_path, (1, 0), OTHER, JOB, THIRD)
    copy = tmp_path / "copy.checkpoint"
    copy.write_bytes(checkpoint_path(tmp_path, [JOB, OTHER, THIRD]).read_bytes())
    write(tmp_path, (1, 0), (11, 777))
    assert "copy.checkpoint" in files(tmp_path)
    assert checkpoint_path(tmp_path, [JOB, OTHER, THIRD]).name in files(tmp_path)


def test_without_a_folder_there_is_none():
    assert places(None, [JOB]) == {JOB: START}
    remove_checkpoints(None, [JOB])


@pytest.mark.parametrize("other", [{"epochs": 3}, {"dtype": torch.float64}])
def test_one_of_another_recipe_counts_as_none(tmp_path, other):
    write_checkpoint(tmp_path, {JOB: snapshot(**other), OTHER: snapshot()})
    assert read(tmp_path, JOB) is None
    assert read(tmp_path, OTHER).place == (1, 3)


def test_one_of_version_0_1_counts_as_none(tmp_path):
    """Its engines wrote three forms under one name, two of them with a place."""
    place = {"generator": snapshot().generator.numpy(), "figures": snapshot().metrics, "place": np.array([1, 3])}
    path = checkpoint_path(tmp_path, [JOB])
    write_record(path, place | {"parameters": np.zeros(5), "sums": np.ones((3, 4))})
    assert places(tmp_path, [JOB])[JOB] == START
    assert read(tmp_path, JOB) is None
    write(tmp_path, (1, 1), JOB)
    assert read(tmp_path, JOB).place == (1, 1)


@pytest.mark.parametrize(("at", "kept"), [(-7, [JOB, OTHER]), (-1, [JOB, OTHER]), (300, [OTHER, THIRD])])
def test_damage_costs_what_it_meets(tmp_path, at, kept):
    """A flipped bit costs its job; what is cut off costs the last."""
    write(tmp_path, (1, 3), JOB, OTHER, THIRD)
    [path] = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    if at < 0:
        path.write_bytes(content[:at])
    else:
        content[at] ^= 1
        path.write_bytes(content)
    assert [job for job in (JOB, OTHER, THIRD) if places(tmp_path, [job])[job] != START] == kept
    assert [job for job in (JOB, OTHER, THIRD) if read(tmp_path, job)] == kept


@pytest.mark.parametrize("written", [0, 1, 2])
def test_killed_while_it_writes_the_one_before_stays(tmp_path, monkeypatch, written):
    write(tmp_path, (1, 0), JOB, OTHER)
    record, left = checkpoint._record, [written]

    def killed(arrays):
        if not left[0]:
            os._exit(9)
        left[0] -= 1
        return record(arrays)

    def work():
        write(tmp_path, (2, 0), JOB, OTHER)
        os._exit(9)  # as soon as it is there

    monkeypatch.setattr(checkpoint, "_record", killed)
    assert forked(work) == [9]
    assert set(places(tmp_path, [JOB, OTHER]).values()) == {(2, 0) if written == 2 else (1, 0)}
    monkeypatch.setattr(checkpoint, "_record", record)
    write(tmp_path, (3, 0), JOB, OTHER)
    assert read(tmp_path, JOB).place == (3, 0)
    assert len(files(tmp_path)) == 1  # what the killed one left is gone


def test_two_processes_that_write_the_same_group_leave_a_whole_file(tmp_path):
    def work():
        for batch in range(1, 30):
            write(tmp_path, (1, batch), JOB, OTHER)

    assert forked(work, work) == [0, 0]
    assert len(files(tmp_path)) == 1
    assert read(tmp_path, JOB).place == read(tmp_path, OTHER).place == (1, 29)
