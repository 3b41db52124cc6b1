"""A study that grows, is cut anew, or meets another one: how many trainings remain, and what `regroup` writes."""

import json
from pathlib import Path

import numpy as np
import pytest

from skelnas.cells.selection import select, shard_name, shards
from skelnas.files import write_json
from skelnas.recipe import Recipe
from skelnas.results.finished import FinishedShards
from skelnas.results.shard import read_shard
from skelnas.results.timing import merge_timings, timing_path
from skelnas.study.runs import Run
from skelnas.study.state import finished_shards, run_state

OLD = Path(__file__).parents[1] / "results/format_1/shard.h5"
RECIPE = Recipe(epochs=3, batch_size=4)  # of the made-up shards
SEEDS = (777, 888)
SIDECAR = {"format": "skelnas timing 1", "engine": "fused", "torch": "2.13", "skelnas": "0.1"}
MEASURED = {"seconds": 2.5, "host": "n1", "finished": "2026-11-22T10:00:00+00:00"}


@pytest.fixture
def folder(tmp_path, expected):
    manifest = {"fingerprint": expected.fingerprint, "height": 8, "width": 12, "classes": list("abcde")}
    (tmp_path / "results/images").mkdir(parents=True)
    (tmp_path / "results/images/tiny.json").write_text(json.dumps({**manifest, "images": {"train": 24}}))
    return tmp_path


@pytest.fixture
def trained(folder, write_shard):
    """Makes the finished shards of a run."""

    def train(cells, size, recipe="short", seeds=SEEDS, device="GPU A", **changes):
        for seed in seeds:
            for own in shards(select(cells), size):
                path = folder / f"results/train/tiny/{recipe}/seed{seed}/{shard_name(own)}.h5"
                write_shard(path, list(own), seed, **changes)
                cells_of = {str(cell): {**MEASURED, "device": device} for cell in own}
                write_json(timing_path(path), {**SIDECAR, "seed": seed, "cells": cells_of})

    return train


def grown(folder, cells, size, recipe="short", values=RECIPE):
    """The state of a run that the study has now."""
    return run_state(Run("tiny", recipe, SEEDS, select(cells), size, cells), values, "fused", folder)


def test_a_study_that_grows_from_100_to_15625_cells(folder, trained):
    trained("stratified-100", 25)
    state = grown(folder, "all", 1000)
    assert (state.trainings, state.left, state.elsewhere, state.regrouped) == (31_250, 31_050, 200, [])


def test_a_study_whose_shard_size_changes_trains_nothing(folder, trained):
    trained("0-499", 100)
    state = grown(folder, "0-499", 250)
    assert (state.left, state.elsewhere, len(state.regrouped)) == (0, 1000, 4)
    smaller = grown(folder, "0-499", 30)
    assert (smaller.left, len(smaller.regrouped)) == (0, 2 * 17)


def test_a_single_cell_trained_by_name_before(folder, trained):
    trained("7", 1, seeds=(888,))
    state = grown(folder, "0-9", 10)
    assert (state.left, state.elsewhere) == (19, 1)
    assert [shard.left for shard in state.shards][1] == (0, 1, 2, 3, 4, 5, 6, 8, 9)


def test_another_name_of_the_recipe_is_the_same_training_other_values_are_not(folder, trained):
    trained("0-9", 5, recipe="pilot")
    assert grown(folder, "0-9", 10).left == 0
    assert grown(folder, "0-9", 10, values=Recipe(epochs=3, batch_size=8)).left == 20


@pytest.mark.parametrize(
    "change", [{"fingerprint": "cd" * 32}, {"source": "imported from elsewhere"}], ids=["images", "imported"]
)
def test_other_images_and_imported_results_are_never_taken(folder, trained, change):
    trained("0-9", 5, recipe="pilot", **change)
    assert grown(folder, "0-9", 10).elsewhere == 0


def test_regroup_writes_the_shard_that_training_would(folder, trained, write_shard, expected, tmp_path):
    trained("0-4", 5, recipe="pilot", seeds=(777,), device="GPU A")
    trained("3-9", 7, recipe="wide", seeds=(777,), device="GPU B")
    state = grown(folder, "0-9", 10)
    [whole] = state.regrouped
    others = finished_shards(state.run, RECIPE, state.manifest, 777, folder)
    assert others.regroup(whole.cells, whole.path)
    once = write_shard(tmp_path / "once.h5", list(range(10)), 777)
    assert whole.path.read_bytes() == once.read_bytes()
    table = merge_timings([whole.path])
    assert table["device"].tolist() == ["GPU A"] * 5 + ["GPU B"] * 5
    assert table["engine"].tolist() == ["fused"] * 10
    sidecar = json.loads(timing_path(whole.path).read_text())
    assert sidecar["cells"]["9"]["taken-from"] == "tiny/wide/seed777/00003-00009.h5"
    assert grown(folder, "0-9", 10).shards[0].finished
    assert not others.regroup(range(11), folder / "results/train/tiny/short/seed777/00000-00010.h5")


def test_a_shard_of_format_1_is_taken(folder, expected):
    place = folder / "results/train/tiny/old/seed777/00003-00123-00000000.h5"
    place.parent.mkdir(parents=True)
    place.write_bytes(OLD.read_bytes())
    taken = FinishedShards(folder / "results/train/tiny", expected.fingerprint, RECIPE, 777).take([3, 4, 123])
    assert sorted(taken) == [3, 123]
    np.testing.assert_array_equal(taken[123].loss, read_shard(place).loss[1])
    assert taken[3].timing is None


def test_a_damaged_shard_holds_nothing(folder, trained, expected):
    trained("0-9", 5, recipe="pilot", seeds=(777,))
    path = folder / "results/train/tiny/pilot/seed777/00000-00004.h5"
    content = bytearray(path.read_bytes())
    content[content.index(b"\x78\x5e") + 8] ^= 1  # in a packed array, which the header does not see
    path.write_bytes(content)
    found = FinishedShards(folder / "results/train/tiny", expected.fingerprint, RECIPE, 777).take(range(10))
    assert sorted(found) == [5, 6, 7, 8, 9]
    path.write_bytes(content[:2000])
    assert grown(folder, "0-9", 10).elsewhere == 5
