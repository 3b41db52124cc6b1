"""What every export refuses and leaves out; `tests/clients` reads the rest with the tools themselves."""

import json

import numpy as np
import pandas as pd
import pytest

from skelnas import Benchmark, InputError
from skelnas.commands import main
from skelnas.exporters import EXPORTERS, Options, export, huggingface
from skelnas.results import clock
from skelnas.results.benchmark import loss_path
from skelnas.results.summary import write_table

CELLS = [0, 3, 123]
NEEDED = Options(creator="Ada", url="https://example.org/data")


@pytest.fixture
def path(make_benchmark):
    made = make_benchmark(CELLS)
    rows = [(cell, seed, 60.0, "a GPU") for cell in CELLS for seed in (777, 888)]
    write_table(clock.timing_table(made), pd.DataFrame(rows, columns=["index", "seed", "seconds", "device"]))
    return made


@pytest.fixture
def made(path, tmp_path):
    """Exports the benchmark; where it is, and what was told."""

    def run(name, options=NEEDED, *more):
        with Benchmark(path) as benchmark:
            told = export(name, [benchmark, *more], tmp_path / "out", options)
        return tmp_path / "out", told

    return run


@pytest.mark.parametrize("name", EXPORTERS)
def test_a_target_that_exists_is_left_alone(made, tmp_path, name):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="is there already; move it away"):
        made(name)
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("name", EXPORTERS)
def test_equal_benchmarks_give_equal_bytes_and_nothing_else_is_left_behind(made, tmp_path, name):
    contents = []
    for again in ("first", "second"):
        out, told = made(name)
        files = [out] if out.is_file() else sorted(path for path in out.rglob("*") if path.is_file())
        contents.append({path.relative_to(tmp_path): path.read_bytes() for path in files})
        out.rename(tmp_path / again)
        assert told
    assert contents[0] == contents[1]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("nats_bench", Options(alias="mnist"), "the alias 'mnist' would help nobody"),
        ("huggingface", Options(), "give --creator NAME and --url ADDRESS"),
        ("huggingface", Options(creator="Ada"), "give --creator NAME and --url ADDRESS"),
        ("arrow", Options(), "there is no export 'arrow'; there are nats_bench"),
    ],
)
def test_wrong_wishes_are_a_sentence_and_leave_nothing(made, tmp_path, name, options, words):
    before = set(tmp_path.iterdir())
    with pytest.raises(InputError, match=words):
        made(name, options)
    assert set(tmp_path.iterdir()) == before


def test_several_files_only_where_they_fit(path, make_benchmark, tmp_path):
    with Benchmark(path) as one, Benchmark(make_benchmark([3])) as other:
        with pytest.raises(InputError, match="csv takes one benchmark file, not 2"):
            export("csv", [one, other], tmp_path / "out", NEEDED)
        with pytest.raises(InputError, match="of each number of epochs one recipe"):
            export("nats_bench", [one, other], tmp_path / "out", NEEDED)


def test_without_seconds_syne_tune_has_no_clock(path, made):
    clock.timing_table(path).unlink()
    with pytest.raises(InputError, match=r"nobody knows how long training took"):
        made("syne-tune")
    assert any("simulate_train_eval fails" in note for note in made("nats_bench")[1])


def test_csv_says_what_the_file_says(path, made):
    loss_path(path).unlink()
    out, _ = made("csv")
    table = pd.read_csv(out).set_index(["index", "seed"])
    with Benchmark(path) as benchmark:
        row = table.loc[(123, 888)]
        assert row["test_top1"] == benchmark.value(123, seed=888)
        assert row["test_top1_at_best_valid"] == benchmark.value(123, epoch="best", seed=888)
        assert row["valid_top1_correct"] == round(benchmark.value(123, "valid", seed=888) * 8 / 100)
        assert (row["seconds"], row["device"]) == (60, "a GPU")
    assert table["test_loss"].isna().all()
    assert len(table) == 6


def test_the_description_has_every_field_that_we_require(made):
    out, _ = made("huggingface")
    found = json.loads((out / "croissant.json").read_text())
    assert [field for field in huggingface.REQUIRED if not found.get(field)] == []
    assert {file["contentUrl"] for file in found["distribution"]} == {
        "benchmark.h5",
        "benchmark.loss.h5",
        "benchmark.timing.parquet",
        "data/curves.parquet",
        "data/final.parquet",
    }
    card = (out / "README.md").read_text()
    assert card.startswith("---\nlicense: mit\n")
    assert "data_files: data/curves.parquet" in card
    with Benchmark(out / "benchmark.h5") as benchmark:
        table = pd.read_parquet(out / "data/final.parquet")
        assert table["test_top1"].tolist() == np.ravel(benchmark.values()).tolist()


def test_the_command(path, tmp_path, capsys):
    assert main(["export", "csv", str(path), str(tmp_path / "a.csv")]) == 0
    assert capsys.readouterr().out.endswith(f"written: {tmp_path / 'a.csv'}\n")
    assert main(["export", "csv", str(path)]) == 1
    assert "ends like a benchmark file" in capsys.readouterr().err
