"""A job takes what finished shards hold, and trains only the rest."""

import json

import numpy as np
import pytest

from skelnas.recipe import Recipe
from skelnas.results.shard import read_shard
from skelnas.results.timing import timing_path
from skelnas.training import shard as shards
from skelnas.training.engines import Settings
from skelnas.training.metrics import Curves

SETTINGS = Settings("plain", "cpu")
RECIPE = Recipe(epochs=2, batch_size=4)


@pytest.fixture
def train(tiny, tmp_path, monkeypatch):
    """Trains cells with an engine that makes up curves; gives the shard and the cells that the engine had to train."""
    trained = []

    def engine(request, on_finished):
        for cell, seed in request.jobs:
            trained.append(cell)
            counts = np.random.default_rng([cell, seed]).integers(0, 6, (2, 3, request.recipe.epochs), dtype=np.int32)
            on_finished(cell, seed, Curves(counts[0] / np.float32(7), *counts), 1.0)

    monkeypatch.setattr(shards, "train_jobs", engine)

    def train(recipe_name, name, cells, seed=777, recipe=RECIPE):
        trained.clear()
        path = tmp_path / f"results/train/tiny/{recipe_name}/seed{seed}/{name}.h5"
        shards.train_shard(tiny, recipe, cells, seed, path, SETTINGS, "tiny", recipe_name)
        return path, list(trained)

    return train


def test_only_what_no_finished_shard_holds_is_trained(train, tiny, tmp_path):
    assert train("pilot", "00000-00004", range(5))[1] == [0, 1, 2, 3, 4]
    assert train("short", "00007-00007", [7])[1] == [7]
    path, trained = train("short", "00000-00009", range(10))
    assert trained == [5, 6, 8, 9]
    alone = tmp_path / "alone.h5"
    shards.train_shard(tiny, RECIPE, range(10), 777, alone, SETTINGS, "tiny", "short")
    assert path.read_bytes() == alone.read_bytes()
    sidecar = json.loads(timing_path(path).read_text())["cells"]
    assert sorted(map(int, sidecar)) == list(range(10))
    assert sidecar["4"]["taken-from"] == "tiny/pilot/seed777/00000-00004.h5"
    assert "taken-from" not in sidecar["5"]


def test_another_seed_or_recipe_is_trained(train):
    train("pilot", "00000-00004", range(5))
    assert train("short", "00000-00003", range(4), seed=888)[1] == [0, 1, 2, 3]
    assert train("long", "00000-00003", range(4), recipe=Recipe(epochs=3, batch_size=4))[1] == [0, 1, 2, 3]


def test_a_shard_that_is_taken_whole_needs_no_training(train):
    first, _ = train("pilot", "00000-00004", range(5))
    path, trained = train("short", "00001-00003", [1, 2, 3])
    assert trained == []
    np.testing.assert_array_equal(read_shard(path).top1, read_shard(first).top1[1:4])
