"""How far a run is, read from real shards, sidecars, journals and logs."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from unittest import mock

import numpy as np
import pytest

from skelnas.cells.cost import macs
from skelnas.cells.space import cell
from skelnas.errors import InputError
from skelnas.recipe import Recipe
from skelnas.results.shard import identity
from skelnas.results.timing import write_timing
from skelnas.study.estimate import ends, estimate
from skelnas.study.runs import Run
from skelnas.study.state import measured_seconds, run_state
from skelnas.training.heartbeat import heartbeat, heartbeat_path
from skelnas.training.journal import Entry, Journal
from skelnas.training.metrics import Curves

RECIPE = Recipe(epochs=3, batch_size=4)
RUN = Run("tiny", "short", (777,), (0, 1, 2, 3, 4, 5), 2, "0-5")
FOLDER = "results/train/tiny/short/seed777"
TRAINING = {"engine": "fused", "device": "auto", "group-size": 1}


@pytest.fixture
def folder(tmp_path, expected):
    manifest = {"fingerprint": expected.fingerprint, "height": 8, "width": 12, "classes": list("abcde")}
    (tmp_path / "results/images").mkdir(parents=True)
    (tmp_path / "results/images/tiny.json").write_text(json.dumps({**manifest, "images": {"train": 24}}))
    return tmp_path


def sidecar(path, seconds, minutes_ago):
    finished = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat(timespec="seconds")
    one = {"device": "GPU A", "host": "n1", "finished": finished}
    write_timing(path, 777, {cell: {**one, "seconds": value} for cell, value in seconds.items()})


def record(folder, expected, cells, cell, seconds, minutes_ago=0):
    own = identity(expected.fingerprint, RECIPE, cells, 777)
    journal = Journal(folder / FOLDER / f"{cells[0]:05d}-{cells[-1]:05d}.h5", own, "fused", "cpu")
    ones = np.ones((3, 3), dtype=np.int32)
    entry = Entry(Curves(ones.astype(np.float32), ones, ones), {"seconds": seconds, "device": "CPU B"})
    then = time.time() - 60 * minutes_ago
    with mock.patch("skelnas.training.journal.time.time", return_value=then):
        journal.add(cell, entry)
    [file] = journal.folder.iterdir()
    os.utime(file, (then, then))


def test_nothing_begun(tmp_path):
    state = run_state(RUN, RECIPE, "fused", tmp_path)
    assert (state.manifest, state.trainings, state.left, state.aggregated) == (None, 6, 6, False)
    [one] = estimate([state], [], TRAINING, jobs=2)
    assert (one.rate, one.hours) == (None, None)
    assert ends([one], 2) == [None]


def test_finished_shards_and_journals_count(folder, expected, write_shard):
    sidecar(write_shard(folder / FOLDER / "00000-00001.h5", [0, 1], 777), {0: 10, 1: 20}, minutes_ago=90)
    record(folder, expected, (2, 3), 3, 5.0, minutes_ago=30)
    state = run_state(RUN, RECIPE, "fused", folder)
    first, second, third = state.shards
    assert (first.finished, first.left, second.finished, second.left, third.left) == (True, (), False, (2,), (4, 5))
    assert [age // 600 for shard in state.shards for age in shard.seconds_ago] == [9, 9, 3]
    assert (state.trainings, state.left) == (6, 3)
    assert measured_seconds(state) == ([(0, 10.0), (1, 20.0)], "2 trainings in finished shards, on GPU A")


def test_without_finished_shards_journals_tell_the_seconds(folder, expected):
    record(folder, expected, (2, 3), 3, 5.0)
    record(folder, expected, (4, 5), 4, 7.0)
    state = run_state(RUN, RECIPE, "fused", folder)
    assert measured_seconds(state) == ([(3, 5.0), (4, 7.0)], "2 trainings in journals, on CPU B")


def test_the_journal_of_another_engine_or_identity_does_not_count(folder, expected):
    record(folder, expected, (2, 3), 3, 5.0)
    assert run_state(RUN, RECIPE, "plain", folder).left == 6
    assert run_state(RUN, Recipe(epochs=4, batch_size=4), "fused", folder).left == 6


def test_a_shard_of_another_recipe_is_stale_and_still_to_be_trained(folder, write_shard):
    write_shard(folder / FOLDER / "00000-00001.h5", [0, 1], 777, recipe=Recipe(epochs=2, batch_size=4))
    state = run_state(RUN, RECIPE, "fused", folder)
    assert (state.shards[0].finished, state.shards[0].stale, state.left) == (False, True, 6)


def test_the_outlook_scales_by_macs_epochs_and_jobs(folder, write_shard):
    sidecar(write_shard(folder / FOLDER / "00000-00001.h5", [0, 1], 777), {0: 3600, 1: 3600}, minutes_ago=1)
    longer = Run("tiny", "longer", (777,), (0, 1), 1, "0-1")
    states = [
        run_state(RUN, RECIPE, "fused", folder),
        run_state(longer, Recipe(epochs=30, batch_size=4), "fused", folder),
        run_state(longer, Recipe(epochs=30, batch_size=8), "fused", folder),
    ]
    first, second, third = estimate(states, [], TRAINING, jobs=2)
    assert first.rate.origin == "2 trainings in finished shards, on GPU A"
    assert second.rate.origin == "2 trainings in finished shards, on GPU A of tiny/short"
    # Ten times the epochs take ten times the 7,200 s, divided as the multiply-accumulates of cells 0 and 1 are.
    share = np.array([macs(cell(index), 8, 12, 5) for index in range(6)], dtype=float)
    share /= share[:2].sum()
    assert second.shard_seconds == pytest.approx(72_000 * share[:2])
    assert second.hours == pytest.approx(20)
    assert third.rate is None
    assert first.shard_seconds == pytest.approx([7200 * share[2:4].sum(), 7200 * share[4:].sum()])
    until = ends([second, third, first], jobs=2)
    assert until[0] == pytest.approx(72_000 * share[:2].max())
    assert ends([second], jobs=2, devices=4) == [pytest.approx(until[0] / 4)]
    assert until[1:] == [None, None]


def test_a_finished_run_needs_no_hours_and_no_disk(folder, write_shard):
    run = Run("tiny", "short", (777,), (0, 1), 2, "0-1")
    sidecar(write_shard(folder / FOLDER / "00000-00001.h5", [0, 1], 777), {0: 1, 1: 1}, minutes_ago=1)
    [one] = estimate([run_state(run, RECIPE, "fused", folder)], [], TRAINING, jobs=2)
    assert (one.hours, ends([one], 2)) == (0, [0])
    assert one.need > 0  # the benchmark is still to be written
    (folder / "results/benchmark/tiny").mkdir(parents=True)
    (folder / "results/benchmark/tiny/short.h5").touch()
    assert estimate([run_state(run, RECIPE, "fused", folder)], [], TRAINING, jobs=2)[0].need == 0


def test_paths_of_log_and_comment(tmp_path):
    shard = run_state(RUN, RECIPE, "fused", tmp_path).shards[1]
    assert str(shard.log) == "logs/train/tiny/short/seed777/00002-00003.log"
    assert shard.comment == "rule_train_wildcards_tiny_short_777_00002-00003"


def test_a_heartbeat_is_a_sign_of_life(folder):
    shard = folder / FOLDER / "00002-00003.h5"
    with pytest.raises(InputError), heartbeat(shard):
        raise InputError("the disk is full")
    os.utime(heartbeat_path(shard), (time.time() - 100, time.time() - 100))
    first, second, _ = run_state(RUN, RECIPE, "fused", folder).shards
    assert (first.beat, first.touched_ago) == (None, None)
    assert (second.beat.state, second.beat.said) == ("failed", "the disk is full")
    assert second.touched_ago == pytest.approx(100, abs=30)
