"""What a user asks of a benchmark file: numbers that say what they are, tables, cost and the clock."""

import copy
import itertools
import pickle
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pandas as pd
import pytest

import skelnas
from skelnas import Benchmark, InputError
from skelnas.cells import cost, space
from skelnas.results import clock, tables
from skelnas.results.summary import write_table

CELLS = [0, 3, 123]


@pytest.fixture
def benchmark(make_benchmark):
    with Benchmark(make_benchmark(CELLS)) as opened:
        yield opened


@pytest.fixture
def timed(benchmark):
    """The benchmark with seconds beside it: 30 for a training of cell 0, 60 of cell 3, and nobody timed cell 123."""
    trainings = list(itertools.product(CELLS[:2], benchmark.seeds))
    rows = {"index": [cell for cell, _ in trainings], "seed": [seed for _, seed in trainings]}
    rows |= {"seconds": [30.0 if cell == 0 else 60.0 for cell, _ in trainings], "device": "NVIDIA H200"}
    write_table(clock.timing_table(benchmark.path), pd.DataFrame(rows))
    return benchmark


def test_a_number_is_a_float_that_says_what_it_is(benchmark):
    number = benchmark.value(3, "valid", seed=888, epoch=1)
    assert isinstance(number, float)
    assert number == benchmark.curve(3, "valid", seed=888)[1]
    assert repr(number) == f"{float(number):.6g} % (top1 of valid, cell 3, seed 888, after epoch 2 of 3)"
    assert f"{number}" == str(float(number))
    mean = benchmark.value(3, metric="loss")
    assert repr(mean).endswith(" nats (loss of test, cell 3, mean of seeds 777, 888, after epoch 3 of 3)")
    assert (mean.unit, mean.split, mean.seeds, mean.epoch) == ("nats", "test", (777, 888), 2)
    for twin in (pickle.loads(pickle.dumps(number)), copy.copy(number)):
        assert repr(twin) == repr(number)


def test_the_four_ways_to_name_a_cell(benchmark):
    cell = space.cell(123)
    for name in (cell, "".join(map(str, cell)), space.text(cell), np.array(cell)):
        assert benchmark.value(name) == benchmark.value(123)
    assert benchmark.value("class 3").cell == 3
    with pytest.raises(InputError, match=r"has none of the .* cells of class 1"):
        benchmark.value("class 1")


def test_best_epoch_is_chosen_by_validation_of_each_seed(benchmark):
    valid, test = benchmark.curves("valid")[1], benchmark.curves("test")[1]
    each = [test[seed, valid[seed].argmax()] for seed in (0, 1)]
    assert benchmark.value(3, epoch="best", seed=888) == each[1]
    assert benchmark.value(3, epoch="best") == pytest.approx(np.mean(each))
    assert benchmark.value(3, epoch="final") == benchmark.value(3, epoch=-1)
    assert (benchmark.values(epoch="final") == benchmark.values()).all()


def test_the_best_cell(benchmark):
    means = benchmark.values("valid", epoch=1).mean(axis=1)
    best = benchmark.best(epoch=1)
    assert (best.cell, float(best)) == (CELLS[means.argmax()], pytest.approx(means.max()))
    assert benchmark.best("train", "loss", seed=777) == benchmark.values("train", "loss")[:, 0].min()


@pytest.mark.parametrize("wrong", [None, True, 1.5, b"x", [], {}, object(), "x", 10**9])
def test_a_wrong_argument_of_any_type_is_a_sentence(benchmark, wrong):
    questions = [
        lambda: benchmark.value(wrong),
        lambda: benchmark.curve(wrong),
        lambda: benchmark.cost(wrong),
        lambda: benchmark.network(wrong),
        lambda: benchmark.value(3, wrong),
        lambda: benchmark.value(3, "test", wrong),
        lambda: benchmark.value(3, epoch=wrong),
        lambda: benchmark.best(wrong),
        lambda: benchmark.table(wrong),
        lambda: benchmark.table(epoch=wrong),
        lambda: Benchmark(wrong),
    ]
    questions += [lambda: benchmark.value(3, seed=wrong)] if wrong is not None else []
    for question in questions:
        with pytest.raises(InputError) as caught:
            question()
        assert "\n" not in str(caught.value)


def test_a_table_has_a_row_for_each_training_and_says_what_it_is(benchmark):
    table = benchmark.table("valid", "top5", epoch=0)
    assert len(table) == 6
    row = table.set_index(["index", "seed"]).loc[(123, 888)]
    assert row["value"] == benchmark.value(123, "valid", "top5", 0, 888)
    assert row[["split", "metric", "unit", "epoch", "recipe"]].tolist() == ["valid", "top5", "%", 0, "short"]
    curves = tables.curves(benchmark, [3]).set_index(["seed", "split", "epoch"])
    assert len(curves) == 2 * 3 * 3
    assert curves.loc[(777, "train", 2), "top1"] == benchmark.value(3, "train", seed=777)
    assert curves.loc[(777, "train", 2), "top1_correct"] == round(benchmark.value(3, "train", seed=777) * 24 / 100)
    assert curves.loc[(777, "test", 1), "loss"] == benchmark.value(3, "test", "loss", 1, 777)
    assert len(tables.curves(benchmark)) == 3 * len(curves)


def test_cost_and_measured_seconds_with_their_device(timed):
    found = timed.cost(3)
    assert found.parameters == cost.parameters(space.cell(3), 5)
    assert found.macs == cost.macs(space.cell(3), 8, 12, 5)
    assert found.devices == ("NVIDIA H200",)
    assert repr(found.seconds) == "60 s (training, cell 3, mean of seeds 777, 888, measured on NVIDIA H200)"
    assert timed.cost(123).seconds is None


def test_the_clock_charges_recorded_seconds(timed):
    ticking = timed.clock()
    assert ticking.train(0, 1, 777) == timed.value(0, "valid", epoch=0, seed=777)
    assert ticking.seconds == pytest.approx(10)
    ticking.train(0, 3, 777, "test")
    assert ticking.seconds == pytest.approx(30)  # it went on from epoch 1
    ticking.train(0, 2, 777)
    assert ticking.seconds == pytest.approx(30)
    ticking.train(3)
    assert ticking.seconds == pytest.approx(150)  # both seeds
    pickle.loads(pickle.dumps(ticking)).train(0, seed=888)
    for wrong in ({"epochs": 0}, {"epochs": 4}, {"epochs": True}, {"seed": 1}, {"split": "dev"}):
        with pytest.raises(InputError):
            ticking.train(0, **wrong)
    with pytest.raises(InputError, match="nobody measured cell 123 with seed 777"):
        ticking.train(123)
    assert ticking.seconds == pytest.approx(150)


def test_without_measured_seconds_there_is_no_clock(benchmark):
    with pytest.raises(InputError, match=r"benchmark\.timing\.parquet is not there"):
        benchmark.clock()
    assert benchmark.cost(3).seconds is None


def test_the_network_of_a_cell(benchmark):
    network = benchmark.network(123)
    assert sum(parameter.numel() for parameter in network.parameters()) == benchmark.cost(123).parameters


def test_names_of_the_package():
    assert {"Benchmark", "example", "InputError"} == set(skelnas.__all__)
    assert all(getattr(skelnas, name) for name in skelnas.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Benchmarks'"):
        skelnas.Benchmarks  # noqa: B018


def test_importing_it_loads_neither_pandas_nor_torch(benchmark):
    code = f"""
import sys
from skelnas import Benchmark, example
benchmark = Benchmark({str(benchmark.path)!r})
benchmark.value(3), benchmark.best(), benchmark.curve(3), benchmark.cost(3)
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {{"pandas", "pyarrow", "torch", "matplotlib"}}))
benchmark.table()
print("pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["[]", "True", ""]


def changed(path, to, **changes):
    """A copy of a benchmark with other attributes, or without an array (`None`)."""
    shutil.copy(path, to)
    with h5py.File(to, "r+") as file:
        for name, value in changes.items():
            if value is None:
                del file[name]
            else:
                file.attrs[name] = value
    return to


def test_a_newer_format_asks_for_a_newer_skelnas_and_nothing_to_be_deleted(benchmark, tmp_path):
    newer = changed(benchmark.path, tmp_path / "newer.h5", format="skelnas benchmark 3")
    with pytest.raises(InputError, match=r"newer\.h5 was written by a newer skelnas .*pip install --upgrade") as caught:
        Benchmark(newer)
    assert "delete" not in str(caught.value)


@pytest.mark.parametrize("name", ["cell", "seed", "samples", "last_top1"])
def test_a_file_that_lacks_an_array_is_a_sentence(benchmark, tmp_path, name):
    lacking = changed(benchmark.path, tmp_path / "lacking.h5", **{name: None})
    with pytest.raises(InputError, match=r"lacking\.h5 "):
        Benchmark(lacking).value(3)
