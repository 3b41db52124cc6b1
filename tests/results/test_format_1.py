"""Files of format 1, as skelnas 0.1 wrote them, are read: the values are those of `conftest._curves`."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from skelnas.errors import InputError
from skelnas.results.benchmark import aggregate
from skelnas.results.query import Benchmark
from skelnas.results.shard import FORMAT_1, identity, read_header, read_shard
from skelnas.results.summary import summarise

OLD = Path(__file__).parent / "format_1"
CELLS = [3, 123]


def test_a_shard_of_format_1_is_the_shard_of_format_2(write_shard, expected, tmp_path):
    old, new = read_shard(OLD / "shard.h5"), read_shard(write_shard(tmp_path / "new.h5", CELLS, 777))
    assert read_header(OLD / "shard.h5").format == FORMAT_1
    assert old.identity == new.identity == identity(expected.fingerprint, expected.recipe, CELLS, 777)
    assert old.attributes() == new.attributes()
    for name, array in old.arrays().items():
        np.testing.assert_array_equal(array, new.arrays()[name], strict=True)


def test_a_benchmark_of_format_1_answers_as_one_of_format_2(make_benchmark):
    with Benchmark(OLD / "benchmark.h5") as old, Benchmark(make_benchmark(CELLS)) as new:
        assert old.cells.tolist() == new.cells.tolist() == CELLS
        assert (old.seeds, old.samples, old.recipe, old.source) == (new.seeds, new.samples, new.recipe, new.source)
        for metric in ("top1", "top5", "loss"):
            np.testing.assert_array_equal(old.curves("valid", metric), new.curves("valid", metric))
            np.testing.assert_array_equal(old.values("test", metric), new.values("test", metric))
            assert old.value(123, "train", metric) == new.value(123, "train", metric)
            assert old.present("train", metric, epoch=None).all()
        assert summarise(old).equals(summarise(new))


def test_shards_of_both_formats_merge(expected, write_shard, make_benchmark, tmp_path):
    shutil.copy(OLD / "shard.h5", tmp_path / "old.h5")
    new = write_shard(tmp_path / "new.h5", CELLS, 888)
    aggregate({777: [tmp_path / "old.h5"], 888: [new]}, CELLS, expected, tmp_path / "merged.h5")
    assert (tmp_path / "merged.h5").read_bytes() == make_benchmark(CELLS).read_bytes()


def test_a_damaged_byte_is_noticed(tmp_path):
    content = bytearray((OLD / "shard.h5").read_bytes())
    content[content.index(b"\x78\x5e") + 10] ^= 1
    (tmp_path / "damaged.h5").write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read_shard(tmp_path / "damaged.h5")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("fingerprint", "ac" * 32, "identity of its own content"),
        ("network_version", 2, "identity of its own content"),
        ("identity", "00" * 32, "identity of its own content"),
        ("height", 12, "costs are not those"),
        ("classes", 6, "costs are not those"),
        ("width", 13, "multiples of 4"),
        ("height", 1 << 62, "too large"),
    ],
)
def test_a_benchmark_without_a_seal_must_fit_together(tmp_path, name, value, reason):
    shutil.copy(OLD / "benchmark.h5", tmp_path / "changed.h5")
    with h5py.File(tmp_path / "changed.h5", "r+") as file:
        file.attrs[name] = value
    with pytest.raises(InputError, match=rf"changed\.h5 cannot be read as a benchmark .*{reason}"):
        Benchmark(tmp_path / "changed.h5")
