import h5py
import numpy as np
import pytest

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.results.query import Benchmark, seed_mean

CELLS = [0, 3, 123]


@pytest.fixture
def path(make_benchmark):
    return make_benchmark(CELLS)


def test_values_are_the_counts_as_percent(path):
    with Benchmark(path) as benchmark, h5py.File(path, locking=False) as file:
        assert len(benchmark) == 3
        assert (benchmark.seeds, benchmark.epochs, benchmark.classes) == ((777, 888), 3, 5)
        assert benchmark.samples == {"train": 24, "valid": 8, "test": 16}
        top1, loss = file["top1"][()].astype(float), file["loss"][()]
        np.testing.assert_allclose(benchmark.curves("valid"), 100 * top1[:, :, 1] / 8)
        np.testing.assert_allclose(benchmark.values("test", epoch=0), 100 * top1[:, :, 2, 0] / 16)
        np.testing.assert_array_equal(benchmark.curves("train", "loss"), loss[:, :, 0])
        np.testing.assert_allclose(benchmark.curve(123, "train"), 100 * top1[2, :, 0].mean(axis=0) / 24)
        np.testing.assert_allclose(benchmark.curve(123, "train", seed=888), 100 * top1[2, 1, 0] / 24)
        assert benchmark.value(3) == pytest.approx(100 * top1[1, :, 2, -1].mean() / 16)
        assert benchmark.value(3, "test", "top5", epoch=1, seed=777) == 100 * file["top5"][1, 0, 2, 1] / 16


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
    with pytest.raises(InputError, match="not a benchmark of this version"):
        Benchmark(tmp_path / "alien.h5")


def test_damage_is_noticed_when_it_is_read(path):
    with h5py.File(path) as file:
        place = file["loss"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 2] ^= 8
    path.write_bytes(content)
    with Benchmark(path) as benchmark, pytest.raises(InputError, match="is damaged in loss"):
        benchmark.curves("train", "loss")


def test_seed_mean_keeps_equal_counts_equal():
    values = 100 * np.array([[1, 2, 6], [6, 2, 1], [2, 6, 1]]) / 430
    assert len(set(seed_mean(values))) == 1
