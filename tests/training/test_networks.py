"""Chosen cells trained once more: the counts are those of the benchmark, and what was predicted adds up to them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.prediction.network import KeptNetwork
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Expected, aggregate
from skelnas.results.chosen import Chosen, choose, kept
from skelnas.results.networks import networks_path, read_networks, write_networks
from skelnas.results.query import Benchmark
from skelnas.results.weights import Facts, Weights, read_weights
from skelnas.skeletons.recording import Source
from skelnas.training import plain
from skelnas.training.cpu.training import CpuTraining
from skelnas.training.metrics import ranks
from skelnas.training.networks import Keeping, predicted_classes, predictions, train_networks
from skelnas.training.resident import ResidentImages
from skelnas.training.settings import Request, Settings
from skelnas.training.shard import train_shard

from ..prediction.kept import facts_of

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


def keeping(folder: Path, *wishes: str | int) -> Keeping:
    return Keeping(wishes, folder, {"reader": "table"}, ["hip", "head"], [-1, 0], "CC-BY-4.0")


def test_kept_weights_predict_what_was_predicted_and_are_the_same_bytes_again(study, tiny, tmp_path):
    path, settings = study
    contents = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        with Benchmark(path) as benchmark:
            keep = keeping(folder, "best", "best 2", 12)
            train_networks(tiny, RECIPE, benchmark, [11472], folder / "short.h5", settings, keep)
            best = [one.cell for one in choose(benchmark, ["best", "best 2", 12])]
        files = sorted(folder.glob("*.safetensors"))
        contents.append([file.read_bytes() for file in files])
        assert {file.name for file in files} == {f"cell-{cell:05d}.safetensors" for cell in best}
    assert contents[0] == contents[1]
    networks = read_networks(tmp_path / "one/short.h5")
    assert networks.as_in_table.all()
    assert set(networks.cell.tolist()) == {11472, *best}
    for file in files:
        weights = read_weights(file)
        facts, position = weights.facts, networks.cell.tolist().index(weights.facts.cell)
        network = KeptNetwork.of(weights)
        for split, images in (("valid", tiny.pool_images[tiny.valid_index]), ("test", tiny.test_images)):
            found = predicted_classes(torch.from_numpy(network.logits(images)))
            assert found.tolist() == getattr(networks, split)[position].tolist()
            right = (found == getattr(networks, f"{split}_label")).sum()
            assert facts.right[split] == right == networks.counts[position, ("train", "valid", "test").index(split)]
        assert (facts.mean, facts.std) == (tiny.mean.tolist(), tiny.std.tolist())
        assert (facts.fingerprint, facts.classes) == (tiny.fingerprint, list(tiny.class_names))
        assert (facts.licence, facts.joints, facts.recipe["epochs"]) == ("CC-BY-4.0", ["hip", "head"], 2)
    assert {read_weights(file).facts.role for file in files} <= {"best", "best 2", "cell"}


@pytest.mark.parametrize("cell", [3, 1651, 9])
def test_logits_are_those_of_the_trained_network(cell, tiny):
    data = ResidentImages.of(tiny, torch.device("cpu"), torch.float32)
    facts = facts_of_tiny(tiny, cell)
    request = Request([(cell, 777)], tiny, RECIPE, Settings(engine="plain", device="cpu"))
    _, trained = plain.train_network(space.cell(cell), 777, tiny, RECIPE, torch.device("cpu"))
    found = KeptNetwork.of(Weights(facts, predictions(request)[cell, 777].tensors)).logits(tiny.test_images)
    with plain.one_thread():
        assert (found == plain.outputs(trained, data, data.test, RECIPE).double().numpy()).all()

    request = replace(request, settings=Settings(engine="fused", device="cpu"))
    training = CpuTraining(cell, 777, tiny, data, RECIPE)
    while training.epoch < RECIPE.epochs:
        training.run_epoch()
    found = KeptNetwork.of(Weights(facts, predictions(request)[cell, 777].tensors)).logits(tiny.test_images)
    np.testing.assert_allclose(found, training.outputs()["test"].double().numpy(), rtol=1e-4, atol=1e-4)


def facts_of_tiny(tiny, cell: int) -> Facts:
    source = Source(tiny.class_names, ("hip", "head"), (-1, 0), (), lambda sample: None)
    return facts_of(tiny, source, {"reader": "table"}, cell)


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


def test_keep_weights_as_wishes(make_benchmark):
    assert kept("best 3") == ["best", "best 2", "best 3"]
    assert kept("best") == ["best"]
    assert kept(["resnet", 3]) == ["resnet", 3]
    with Benchmark(make_benchmark([0, 3, 9])) as benchmark:
        accuracy = dict(zip([0, 3, 9], benchmark.seed_means("valid"), strict=True))
        found = choose(benchmark, kept("best 3"))
        assert [one.cell for one in found] == sorted(accuracy, key=lambda cell: (-accuracy[cell], cell))
        assert [one.role for one in found] == ["best", "best 2", "best 3"]
        assert choose(benchmark, [space.text(space.cell(3))]) == [Chosen("cell", 3, 777)]
        with pytest.raises(InputError, match="has an accuracy of 3 cells, too few for 'best 4'; ask for fewer"):
            choose(benchmark, kept("best 4"))


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
