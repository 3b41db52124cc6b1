import pickle

import h5py
import numpy as np
import pytest

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.results.benchmark import loss_path
from skelnas.results.query import Benchmark, seed_mean

CELLS = [0, 3, 123]


@pytest.fixture
def path(make_benchmark):
    return make_benchmark(CELLS)


def test_values_are_the_counts_as_percent(path):
    with Benchmark(path) as benchmark, h5py.File(path) as file, h5py.File(loss_path(path)) as losses:
        assert len(benchmark) == 3
        assert (benchmark.seeds, benchmark.epochs, benchmark.classes) == ((777, 888), 3, 5)
        assert benchmark.samples == {"train": 24, "valid": 8, "test": 16}
        top1, loss = file["top1"][()].astype(float), losses["loss"][()]
        np.testing.assert_allclose(benchmark.curves("valid"), 100 * top1[:, :, 1] / 8)
        np.testing.assert_allclose(benchmark.values("test", epoch=0), 100 * top1[:, :, 2, 0] / 16)
        np.testing.assert_array_equal(benchmark.curves("train", "loss"), loss[:, :, 0])
        np.testing.assert_allclose(benchmark.curve(123, "train"), 100 * top1[2, :, 0].mean(axis=0) / 24)
        np.testing.assert_allclose(benchmark.curve(123, "train", seed=888), 100 * top1[2, 1, 0] / 24)
        assert benchmark.value(3) == pytest.approx(100 * top1[1, :, 2, -1].mean() / 16)
        assert benchmark.value(3, "test", "top5", epoch=1, seed=777) == 100 * int(file["top5"][1, 0, 2, 1]) / 16


def test_a_cell_by_its_string_is_the_same_cell(path):
    with Benchmark(path) as benchmark:
        assert benchmark.value(space.text(space.cell(123))) == benchmark.value(123)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (lambda b: b.curve(4), "has no cell 4"),
        (lambda b: b.curve(15_625), "15624"),
        (lambda b: b.curve("|nor_conv_3x3~0|"), "cannot be read"),
        (lambda b: b.curve(3, "dev"), "no split 'dev'; there are train, valid, test"),
        (lambda b: b.curve(3, metric="f1"), "no metric 'f1'"),
        (lambda b: b.curve(3, seed=1), "no seed 1; it holds 777, 888"),
        (lambda b: b.value(3, epoch=3), "epochs run from 0 to 2"),
        (lambda b: b.values(epoch=-4), "no epoch -4"),
        *((lambda b, cell=cell: b.value(cell), "is no cell: give") for cell in (True, 3.0, np.float64(3), b"3", None)),
        *((lambda b, seed=seed: b.value(3, seed=seed), "is no seed: give") for seed in (777.0, "777", False)),
        *((lambda b, epoch=epoch: b.values(epoch=epoch), "is no epoch: give") for epoch in (1.0, None, True)),
        (lambda b: b.values(b"test"), "no split b'test'"),
        (lambda b: b.values(metric=["top1"]), "no metric"),
        (lambda b: b.value(-1), "there is no cell -1"),
    ],
)
def test_wrong_questions_get_a_sentence(path, question, words):
    with Benchmark(path) as benchmark, pytest.raises(InputError, match=words):
        question(benchmark)


def test_missing_truncated_and_alien_files(path, tmp_path):
    with pytest.raises(InputError, match="no such benchmark"):
        Benchmark(tmp_path / "none.h5")
    (tmp_path / "half.h5").write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"half\.h5 cannot be read"):
        Benchmark(tmp_path / "half.h5")
    with h5py.File(tmp_path / "alien.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(InputError, match="is a file of another program and not a benchmark; give another file"):
        Benchmark(tmp_path / "alien.h5")


def test_damage_is_noticed_when_it_is_read(path):
    with h5py.File(loss_path(path)) as file:
        place = file["loss"].id.get_chunk_info(0).byte_offset
    content = bytearray(loss_path(path).read_bytes())
    content[place + 2] ^= 8
    loss_path(path).write_bytes(content)
    with Benchmark(path) as benchmark, pytest.raises(InputError, match="is damaged in loss"):
        benchmark.curves("train", "loss")


def test_seed_mean_keeps_equal_counts_equal():
    values = 100 * np.array([[1, 2, 6], [6, 2, 1], [2, 6, 1]]) / 430
    assert len(set(seed_mean(values))) == 1


def test_seed_mean_leaves_out_what_is_missing_and_keeps_what_diverged():
    losses, there = np.array([[1.0, np.nan], [2.0, np.nan]]), np.array([[True, False], [True, True]])
    np.testing.assert_array_equal(seed_mean(losses, there), [1, np.nan])
    np.testing.assert_array_equal(seed_mean(np.array([[np.nan, np.nan], [10, np.nan]])), [np.nan, 10])


def test_numpys_whole_numbers_are_whole_numbers(path):
    with Benchmark(path) as benchmark:
        asked = benchmark.value(np.int16(3), epoch=np.int64(1), seed=np.uint16(777))
        assert asked == benchmark.value(3, epoch=1, seed=777)


def test_a_pickled_benchmark_opens_its_file_again(path, make_benchmark):
    with Benchmark(path) as benchmark:
        packed, value = pickle.dumps(benchmark), benchmark.value(3)
    with pytest.raises(InputError, match="was closed; open it again"):
        benchmark.curve(3)
    with pickle.loads(packed) as copy:
        assert copy.value(3) == value
    path.write_bytes(make_benchmark([0, 3]).read_bytes())
    with pytest.raises(InputError, match="another benchmark than the one that was pickled"):
        pickle.loads(packed)


def test_losses_are_a_file_of_their_own(path, make_benchmark):
    away = loss_path(path).rename(path.with_name("away.h5"))
    with Benchmark(path) as benchmark:
        assert 0 <= benchmark.value(3) <= 100
        with pytest.raises(InputError, match=r"losses are in a file of their own, .*benchmark\.loss\.h5, which is not"):
            benchmark.value(3, metric="loss")
    loss_path(path).write_bytes(loss_path(make_benchmark([0, 3])).read_bytes())
    with Benchmark(path) as benchmark, pytest.raises(InputError, match="the losses of another benchmark"):
        benchmark.value(3, metric="loss")
    away.replace(loss_path(path))
    with Benchmark(path) as benchmark:
        assert benchmark.value(3, metric="loss") == benchmark.curve(3, metric="loss")[-1]


def test_last_values_are_the_ends_of_the_curves(path):
    with Benchmark(path) as benchmark:
        for metric in ("top1", "top5", "loss"):
            curves = benchmark.curves("valid", metric)
            np.testing.assert_array_equal(benchmark.values("valid", metric), curves[..., -1])
            np.testing.assert_array_equal(benchmark.values("valid", metric, 1), curves[..., 1])
            np.testing.assert_array_equal(benchmark.seed_means("valid", metric), seed_mean(curves[..., -1]))


def test_a_file_that_may_not_be_read_is_not_called_damaged(path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(InputError, match="may not be read") as caught:
        Benchmark(path)
    assert "delete" not in str(caught.value)
