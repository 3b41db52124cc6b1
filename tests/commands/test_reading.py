"""The commands that read a benchmark file: query, best, show."""

import json
import shutil

import numpy as np
import pytest

from skelnas import examples
from skelnas.cells.equivalence import members
from skelnas.commands import main
from skelnas.results.benchmark import loss_path
from skelnas.results.query import Benchmark

CELLS = [0, 3, 123, 1651]


@pytest.fixture
def path(make_benchmark):
    return make_benchmark(CELLS)


@pytest.fixture
def ask(capsys, monkeypatch):
    """Runs a command in a terminal of 100 columns; what it printed."""

    def run(*arguments, status=0, columns=100):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert main([str(one) for one in arguments]) == status
        said = capsys.readouterr()
        return said.err if status else said.out

    return run


def test_query_prints_every_split_and_seed_and_the_mean(ask, path):
    lines = ask("query", 3, path).splitlines()
    assert lines[0] == "benchmark.h5: tiny, short, 4 cells, seeds 777, 888, 3 epochs"
    assert lines[1].startswith("cell 3  |avg_pool_3x3~0|+")
    with Benchmark(path) as benchmark:
        row = next(line.split() for line in lines if line.split()[:2] == ["valid", "mean"])
        asked = [benchmark.value(3, "valid", metric) for metric in ("top1", "top5", "loss")]
        assert row == ["valid", "mean", "2", *(f"{value:.2f}" for value in asked)]
    assert sum(line.startswith(("train", "valid", "test")) for line in lines) == 9


def test_json_has_what_the_file_has(ask, path):
    records = json.loads(ask("query", 123, path, "--json", "--epoch", "best", "--seed", 888))
    with Benchmark(path) as benchmark:
        assert [record["top1"] for record in records] == [
            benchmark.value(123, split, epoch="best", seed=888) for split in ("train", "valid", "test")
        ]
    assert all(record["seed"] == "888" for record in records)


def test_without_losses_beside_it_there_are_dashes(ask, path):
    loss_path(path).unlink()
    assert ask("query", 3, path).splitlines()[5].split()[-1] == "-"
    assert json.loads(ask("query", 3, path, "--json"))[0]["loss"] is None


def test_best_chooses_by_validation_and_fits_the_width(ask, path):
    with Benchmark(path) as benchmark:
        means, cells = benchmark.seed_means("valid"), benchmark.cells
        order = [int(cells[row]) for row in np.argsort(-means, kind="stable")]
    wide, narrow = ask("best", path, columns=160), ask("best", path, columns=80)
    for said in (wide, narrow):
        assert [int(line.split()[1]) for line in said.splitlines()[5:]] == order
    assert "|avg_pool_3x3~0|" in wide
    assert max(map(len, narrow.splitlines())) <= 80
    assert json.loads(ask("best", path, "--json", "--number", 2))["cells"][1]["cell"] == order[1]


def test_show_draws_the_cell_and_knows_its_class_and_neighbours(ask, path, tmp_path):
    said = ask("show", 1651, path, "--svg", tmp_path / "cell.svg")
    assert "├╌╌╌╌▶│     │     │   none" in said
    assert "parameters" in said
    assert f"\nclass {members(1651)[0]}: " in said
    assert "neighbours, one operation changed: 0 of 24 are in the file" in said
    assert (tmp_path / "cell.svg").read_text().startswith("<svg")
    found = json.loads(ask("show", 3, path, "--json"))
    assert (found["cell"], found["digits"], len(found["neighbours"])) == (3, "410001", 24)
    assert found["same_network"][0] == found["class"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["query", "99999"], "there is no cell 99999"),
        (["query", "7"], "has no cell 7"),
        (["query", "12x"], "cannot be read"),
        (["query", "class 9"], "class 9"),
        (["query", "3", "--epoch", "7"], "no epoch 7"),
        (["query", "3", "--epoch", "later"], "'later' is no epoch"),
        (["query", "3", "--seed", "5"], "no seed 5"),
        (["best", "--split", "dev"], "no split 'dev'"),
        (["best", "--number", "0"], "lists nothing"),
        (["best", "--epoch", "best"], "'best' is no epoch"),
        (["show", "3", "--svg", "cell.png"], "ends in .svg"),
    ],
)
def test_each_mistake_is_one_sentence(ask, path, arguments, words):
    command, *rest = arguments
    asked = [command, rest[0], path, *rest[1:]] if command != "best" else [command, path, *rest]
    said = ask(*asked, status=1)
    assert words in said
    assert said.count("\n") == 1


def test_without_a_file_it_is_the_example(ask, path, tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "FOLDER", tmp_path / "examples")
    assert "has no example" in ask("best", status=1)
    (tmp_path / "examples").mkdir()
    shutil.copy(path, tmp_path / "examples/made.h5")
    assert ask("best").startswith("made.h5: tiny, short, 4 cells")
