"""Exports, read by the tools they are for, unmodified and in an environment of their own (`make test-clients`)."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skelnas import Benchmark
from skelnas.cells import cost, naming, space
from skelnas.commands import main
from skelnas.exporters import optunahub
from skelnas.prediction.network import KeptNetwork
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Table, write_benchmark
from skelnas.results.clock import timing_table
from skelnas.results.counts import MISSING, stored_counts
from skelnas.results.summary import write_table
from skelnas.results.timing import COLUMNS
from skelnas.results.weights import write_weights

from ..images.small import small, small_source
from ..prediction.kept import facts_of, kept

pytestmark = pytest.mark.clients
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON = ROOT / "build/clients/bin/python"
SAMPLES, EPOCHS, SEEDS = (323, 108, 430), 6, (777, 888)
FEW = [3, 9, 284, 1651]


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Makes a benchmark of made-up curves, with losses and seconds; where `gappy`, seed 888 of cell 9 is missing."""

    def written(cells, epochs=EPOCHS, gappy=False) -> Path:
        random = np.random.default_rng(epochs)
        shape = (len(cells), len(SEEDS), epochs)
        level = random.uniform(0.2, 0.9, (len(cells), 1, 1)) * (1 - np.exp(-np.arange(1, epochs + 1) / 2))
        share = np.clip(level + random.normal(0, 0.02, shape), 0, 0.95)
        top1 = np.stack([np.rint(share * samples).astype(int) for samples in SAMPLES], axis=2)
        top5 = np.minimum(top1 + 5, np.array(SAMPLES)[:, None])
        loss = random.random(top1.shape, dtype=np.float32)
        if gappy:
            top1[cells.index(9), 1] = top5[cells.index(9), 1] = MISSING
        recipe = Recipe(epochs, 32)
        table = Table(
            cells=np.array(cells),
            seeds=list(SEEDS),
            top1=stored_counts(top1, SAMPLES),
            top5=stored_counts(top5, SAMPLES),
            loss=loss,
            samples=SAMPLES,
            learning_rate=np.array([recipe.rate(epoch) for epoch in range(epochs)]),
            dataset="utd_mhad",
            recipe_name=f"b32-e{epochs}",
            recipe=recipe.as_dict(),
            fingerprint="ab" * 32,
            classes=27,
            height=20,
            width=68,
        )
        path = tmp_path_factory.mktemp("benchmark") / f"b32-e{epochs}.h5"
        write_benchmark(path, table)
        rows = [(cell, seed, 60.0 + cell % 7, "a GPU", "", "", "", "", "") for cell in cells for seed in SEEDS]
        write_table(timing_table(path), pd.DataFrame(rows, columns=list(COLUMNS)))
        return path

    return written


@pytest.fixture(scope="module")
def few(make):
    return make(FEW, gappy=True)


@pytest.fixture(scope="module")
def every(make):
    return make(list(range(space.CELLS)))


@pytest.fixture
def client(tmp_path):
    """Runs one of the programs beside this file with the clients' Python, and prints what it said; its answers."""

    if not PYTHON.exists():
        pytest.fail("`make test-clients` makes the environment that these tests need", pytrace=False)

    def answers(program, *arguments):
        command = [str(PYTHON), str(HERE / program), *map(str, arguments)]
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr[-3000:]
        print(done.stdout)
        return json.loads(done.stdout.rpartition("JSON ")[2])

    return answers


def export(*arguments) -> None:
    assert main(["export", *map(str, arguments)]) == 0


def test_nats_bench_under_the_true_name(few, make, client, tmp_path):
    export("nats_bench", few, make(FEW, epochs=2), tmp_path / "nats")
    found = client("nats_bench_client.py", tmp_path / "nats", "utd_mhad", EPOCHS, 3, 9)
    assert found["length"] == space.CELLS
    with Benchmark(few) as benchmark:
        for cell, seeds in ((3, [777, 888]), (9, [777])):
            answer = found[str(cell)]
            assert answer["seeds"] == seeds  # what nobody trained is not there, and no mean stands for it
            for seed in seeds:
                told = answer["by_seed"][str(seed)]
                for shown, split in (("train", "train"), ("valid", "valid"), ("test", "test")):
                    assert told[f"{shown}-accuracy"] == benchmark.value(cell, split, seed=seed)
                    assert told[f"{shown}-loss"] == benchmark.value(cell, split, "loss", seed=seed)
            assert answer["mean"]["test-accuracy"] == pytest.approx(benchmark.value(cell))
            assert answer["first_epoch"]["valid-accuracy"] == pytest.approx(benchmark.value(cell, "valid", epoch=0))
            assert answer["cost"]["params"] == pytest.approx(cost.parameters(space.cell(cell), 27) / 1e6)
            assert answer["cost"]["flops"] == pytest.approx(benchmark.cost(cell).macs / 1e6)
            assert answer["cost"]["T-train@total"] == pytest.approx(benchmark.cost(cell).seconds)
            assert answer["latency"] is None
            assert answer["config"]["arch_str"] == space.text(space.cell(cell))
            assert answer["index_of_string"] == cell
        best = max((3, 9), key=lambda cell: benchmark.value(cell, "valid"))
        assert (
            found["best"]["valid"] == found["best"]["x-valid"] == [best, pytest.approx(benchmark.value(best, "valid"))]
        )
        assert found["best"]["test"][1] == pytest.approx(max(benchmark.value(cell) for cell in (3, 9)))
    assert "Invalid dataset name : utd_mhad" in found["refused"]
    assert client("nats_bench_client.py", tmp_path / "nats", "utd_mhad", 2, 284)["284"]["seeds"] == [777, 888]


def test_nats_bench_under_an_alias_simulates(few, client, tmp_path, capsys):
    export("nats_bench", few, tmp_path / "nats", "--alias", "cifar100")
    assert "'cifar100' is an alias: these are results of utd_mhad, not of cifar100" in capsys.readouterr().out
    assert "'cifar100' is an alias" in (tmp_path / "nats/README.md").read_text()
    found = client("nats_bench_client.py", tmp_path / "nats", "cifar100", EPOCHS, 9, 9)
    with Benchmark(few) as benchmark:
        accuracy, _, seconds, total = found["simulated"][1]
        assert accuracy == benchmark.value(9, "valid", seed=777)
        assert (seconds, total) == (
            pytest.approx(benchmark.cost(9).seconds),
            pytest.approx(2 * benchmark.cost(9).seconds),
        )


def test_syne_tune_simulates_asha_and_rea(every, client, tmp_path):
    export("syne-tune", every, tmp_path / "syne")
    found = client("syne_tune_client.py", tmp_path / "syne", "utd_mhad", 1500)
    assert found["shape"] == [space.CELLS, len(SEEDS), EPOCHS, 7]
    with Benchmark(every) as benchmark:
        values = np.array(found["values"])
        names = found["names"]
        own = {name: values[:, names.index(name)] for name in names}
        np.testing.assert_allclose(
            own["metric_valid_error"], 1 - benchmark.curve(5, "valid", seed=888) / 100, atol=1e-6
        )
        np.testing.assert_allclose(own["metric_test_error"], 1 - benchmark.curve(5, seed=888) / 100, atol=1e-6)
        np.testing.assert_allclose(own["metric_elapsed_time"], np.arange(1, EPOCHS + 1) * 65 / EPOCHS, rtol=1e-6)
        typical = 1 - benchmark.values("valid").mean() / 100
    for name in ("ASHA", "REA"):
        assert found["smallest"] <= found[name]["best"] < typical
        assert found[name]["trials"] > 50
    # REA trains whole cells; ASHA stops most of them early, so it sees more of them in the same time.
    assert found["ASHA"]["trials"] > 1.2 * found["REA"]["trials"]


def test_syne_tune_leaves_out_what_has_a_gap(few, client, tmp_path, capsys):
    export("syne-tune", few, tmp_path / "syne")
    said = capsys.readouterr().out
    assert "3 cells, 2 seeds (0 is 777)" in said
    assert "1 cells are left out: a seed or an epoch of them is missing" in said
    assert not np.isnan(np.load(tmp_path / "syne/objectives_evaluations.npy")).any()


def test_optunahub_reports_every_epoch_and_prunes(every, client, tmp_path):
    export("optunahub", every, tmp_path / "hub")
    with Benchmark(every) as benchmark:
        found = client("optunahub_client.py", tmp_path / "hub", optunahub.package(benchmark), "313124")
        assert found["evaluate"] == found["value"] == pytest.approx(benchmark.value("313124", "valid"))
        assert found["test"] == pytest.approx(benchmark.value("313124"))
        assert found["of_a_seed"] == pytest.approx(benchmark.value("313124", "valid", seed=888))
        curve = benchmark.curve("313124", "valid")
        assert list(found["reported"].values()) == pytest.approx(curve.tolist())
    assert found["pruned_on_the_way"] > 20
    assert found["complete"] + found["pruned_on_the_way"] == 150
    assert found["best"] >= found["evaluate"]


def test_the_hugging_face_folder_is_valid_croissant(few, client, tmp_path):
    export("huggingface", few, tmp_path / "hub", "--creator", "Ada", "--url", "https://example.org/data")
    found = client("croissant_client.py", tmp_path / "hub")
    assert found["errors"] == []
    assert found["warnings"] == []
    assert found["record_sets"] == ["final", "curves"]
    with Benchmark(few) as benchmark:
        assert [row["final/index"] for row in found["rows"]] == [3, 3, 9]
        assert found["rows"][1]["final/test_top1"] == benchmark.value(3, seed=888)


def test_csv_and_parquet_in_duckdb(few, client, tmp_path):
    export("csv", few, tmp_path / "final.csv")
    export("parquet", few, tmp_path / "curves.parquet")
    found = client("tables_client.py", tmp_path / "final.csv", tmp_path / "curves.parquet")
    with Benchmark(few) as benchmark:
        best = benchmark.best()
        cell, valid, test, seeds = found["best"]
        assert (cell, seeds) == (best.cell, len(best.seeds))
        assert (valid, test) == (pytest.approx(best), pytest.approx(benchmark.value(cell)))
        assert [value for _, value in found["curve"]] == pytest.approx(benchmark.curve(cell, seed=777).tolist())
        assert found["rows"] == 7 * 3 * EPOCHS


BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGE = ROOT / "docs/benchmark.md"


@pytest.fixture
def follow(client, tmp_path, monkeypatch):
    """Does what a section of docs/benchmark.md says, in a folder with my.h5; what its last Python left behind."""
    text = PAGE.read_text(encoding="utf-8")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")

    def section(heading, path):
        for ending in (".h5", ".loss.h5", ".timing.parquet"):
            shutil.copy(path.with_suffix(ending), tmp_path / f"my{ending}")
        found = {}
        for kind, code in BLOCK.findall(text.split(f"\n## {heading}\n")[1].split("\n## ")[0]):
            if kind == "bash":
                subprocess.run(["bash", "-euo", "pipefail", "-c", code], cwd=tmp_path, check=True, capture_output=True)
            else:
                found = client("page.py", code)
        return found

    return section


def test_the_page_in_python(every, tmp_path, monkeypatch):
    text = PAGE.read_text(encoding="utf-8")
    ((_, code),) = BLOCK.findall(text.split("\n## Python\n")[1].split("\n## ")[0])
    for ending in (".h5", ".loss.h5", ".timing.parquet"):
        shutil.copy(every.with_suffix(ending), tmp_path / f"my{ending}")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(code, names)
    with Benchmark(every) as benchmark:
        assert names["quoted"] == benchmark.value(benchmark.best().cell)
        assert len(names["table"]) == space.CELLS * len(SEEDS)
        assert names["clock"].seconds == pytest.approx((60 + names["best"].cell % 7) * 2 / EPOCHS)


@pytest.mark.parametrize("heading", ["At the terminal", "DuckDB", "Hugging Face", "syne-tune", "Optuna"])
def test_the_page_section_by_section(follow, make, request, heading):
    whole = heading in ("syne-tune", "Optuna")  # searches meet any cell
    path = request.getfixturevalue("every") if whole else make(sorted([3, 1459, naming.index_of("313124")]))
    found = follow(heading, path)
    with Benchmark(path) as benchmark:
        if heading == "DuckDB":
            assert found["best"][0] == benchmark.best().cell
        if heading == "Optuna":
            assert np.isclose(benchmark.seed_means(), found["quoted"], atol=1e-6).any()


def test_the_page_for_nats_bench(make, client, tmp_path, monkeypatch):
    """On few cells: packing all of them takes minutes."""
    few = make([3, 1459])
    shutil.copy(few, tmp_path / "my.h5")
    shutil.copy(few.with_suffix(".timing.parquet"), tmp_path / "my.timing.parquet")
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8").split("\n## NATS-Bench\n")[1].split("\n## ")[0]
    for kind, code in BLOCK.findall(text):
        if kind == "bash":
            for line in code.splitlines():
                assert main(line.split()[1:]) == 0
        else:
            found = client("page.py", code)
    with Benchmark(few) as benchmark:
        assert found["quoted"] == benchmark.value(1459, seed=777)
        assert found["valid"] in [benchmark.value(1459, "valid", seed=seed) for seed in SEEDS]
        assert found["total"] == pytest.approx(60 + 1459 % 7)


@pytest.mark.parametrize("cell", [1462, 9, 11472, 1651])
def test_onnxruntime_has_the_logits_of_the_kept_network(cell, client, tmp_path):
    weights = kept(facts_of(small(height=12, width=20), small_source(), {"reader": "table"}, cell))
    write_weights(tmp_path / "cell.safetensors", weights)
    export("onnx", tmp_path / "cell.safetensors", tmp_path / "cell.onnx")
    images = np.random.default_rng(cell).integers(0, 256, (9, 12, 20, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    found = client("onnx_client.py", tmp_path / "cell.onnx", tmp_path / "images.npy")
    expected = KeptNetwork.of(weights).logits(images)
    np.testing.assert_allclose(found["logits"], expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found["one"], expected[:1], rtol=1e-4, atol=1e-4)
    assert found["input"] == ["images", "tensor(uint8)", ["images", 12, 20, 3]]
    assert found["output"] == ["logits", "tensor(float)", ["images", 3]]
    assert found["metadata"]["classes"] == weights.facts.classes
    (tmp_path / "cell.onnx").rename(tmp_path / "cell-01462.onnx")
    [code] = re.findall(r"```python\n(.+?)```", (ROOT / "docs/networks.md").read_text(), re.DOTALL)
    actions = [weights.facts.classes[label] for label in expected.argmax(axis=1)]
    assert client("page.py", code)["actions"] == actions
    assert "Pillow's bilinear filter" in found["metadata"]["preprocessing"]
