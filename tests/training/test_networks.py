"""Chosen cells trained once more: the counts are those of the benchmark, and what was predicted adds up to them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from skelnas.errors import InputError
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Expected, aggregate
from skelnas.results.chosen import Chosen, choose
from skelnas.results.networks import networks_path, read_networks, write_networks
from skelnas.results.query import Benchmark
from skelnas.training.metrics import ranks
from skelnas.training.networks import predicted_classes, train_networks
from skelnas.training.settings import Settings
from skelnas.training.shard import train_shard

CELLS, SEEDS = [3, 9, 1651, 11472, 12], (777, 888)
RECIPE = Recipe(epochs=2, batch_size=4)


@pytest.fixture(scope="module", params=["fused", "plain"])
def study(request, tiny, tmp_path_factory):
    """A benchmark of five cells trained with one engine: its path, and the settings."""
    folder, settings = tmp_path_factory.mktemp("networks"), Settings(engine=request.param, device="cpu")
    shards = {}
    for seed in SEEDS:
        shards[seed] = [folder / f"results/train/tiny/short/seed{seed}/shard.h5"]
        train_shard(tiny, RECIPE, CELLS, seed, shards[seed][0], settings, "tiny", "short")
    expected = Expected("tiny", tiny.fingerprint, "short", RECIPE, tiny.classes, tiny.height, tiny.width)
    path = folder / "results/benchmark/study/tiny/short.h5"
    aggregate(shards, CELLS, expected, path)
    return path, settings


def test_counts_are_those_of_the_table_and_predictions_add_up_to_them(study, tiny):
    path, settings = study
    target = networks_path(path)
    assert target.parts[-5:] == ("results", "networks", "study", "tiny", "short.h5")
    with Benchmark(path) as benchmark:
        train_networks(tiny, RECIPE, benchmark, ["best", "worst", "resnet", 1651], target, settings)
    networks = read_networks(target)
    assert networks.as_in_table.all()
    assert (networks.table >= 0).all()
    assert {11472, 1651} <= set(networks.cell.tolist())
    for split, column in (("valid", 1), ("test", 2)):
        right = getattr(networks, split) == getattr(networks, f"{split}_label")
        assert right.sum(axis=1).tolist() == networks.counts[:, column].tolist()
    assert networks.test_name == tiny.test_names
    assert not list(target.parent.glob("*.checkpoints"))
    before = target.read_bytes()
    with Benchmark(path) as benchmark:
        train_networks(
            tiny, RECIPE, benchmark, ["best", "worst", "resnet", 1651], target, replace(settings, processes=2)
        )
    assert target.read_bytes() == before


def test_other_counts_are_said_and_kept(study, tiny, capsys):
    path, settings = study
    other = replace(RECIPE, learning_rate=0.3)
    with Benchmark(path) as benchmark:
        train_networks(tiny, other, benchmark, ["resnet", 3, 12], networks_path(path), settings)
    networks = read_networks(networks_path(path))
    assert not networks.as_in_table.all()
    assert "the benchmark has [" in capsys.readouterr().err


def test_choice_goes_by_validation(make_benchmark):
    cells = [0, 3, 9, 123, 1651, 4999]
    with Benchmark(make_benchmark(cells)) as benchmark:
        accuracy = dict(zip(cells, benchmark.seed_means("valid"), strict=True))
        ranked = sorted(cells, key=lambda cell: (-accuracy[cell], cell))
        found = choose(benchmark, ["best", "median", "worst", "resnet", 123, 0])
    connected = [cell for cell in cells if cell != 1651]
    worst = min(connected, key=lambda cell: (accuracy[cell], cell))
    by_role = {one.role: one.cell for one in found}
    assert by_role["best"] == ranked[0]
    assert by_role.get("median", ranked[3]) == ranked[3]
    assert by_role["worst"] == worst
    assert "resnet" not in by_role
    assert {one.cell for one in found} >= {0, 123}
    assert len({one.cell for one in found}) == len(found)
    assert {one.seed for one in found} == {777}


def test_choice_of_resnet_and_of_cells_that_are_not_there(make_benchmark):
    with Benchmark(make_benchmark([0, 11472])) as benchmark:
        assert choose(benchmark, ["resnet"]) == [Chosen("resnet", 11472, 777)]
        with pytest.raises(InputError, match="has no cell 5; name one that the study trains"):
            choose(benchmark, [5])


def test_predictions_count_as_ranks_do():
    random = np.random.default_rng(0)
    logits = torch.tensor(random.integers(0, 3, (200, 4)).astype(float))  # many equal ones
    logits[:20, 1] = torch.nan
    labels = torch.tensor(random.integers(0, 4, 200))
    right = predicted_classes(logits) == labels.numpy()
    assert (right == (ranks(logits, labels) == 0).numpy()).all()


def test_damaged_files_are_refused(study, tiny, tmp_path):
    path, settings = study
    with Benchmark(path) as benchmark:
        train_networks(tiny, RECIPE, benchmark, [3], tmp_path / "short.h5", settings)
    networks = read_networks(tmp_path / "short.h5")
    write_networks(tmp_path / "again.h5", networks)
    content = (tmp_path / "short.h5").read_bytes()
    assert (tmp_path / "again.h5").read_bytes() == content
    (tmp_path / "short.h5").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="cannot be read as networks"):
        read_networks(tmp_path / "short.h5")
    with pytest.raises(InputError, match="there are no such networks"):
        read_networks(tmp_path / "none.h5")
