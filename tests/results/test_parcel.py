"""A parcel of shards that is cut, changed or not there is one sentence, and nothing of it is taken."""

import contextlib
import random
from pathlib import Path

import pytest

from skelnas.errors import InputError
from skelnas.results.parcel import pack, unpack
from skelnas.results.timing import write_timing


@pytest.fixture
def parcel(write_shard, tmp_path: Path) -> Path:
    """Two shards of one seed."""
    shards = []
    for cell in (3, 7):
        shards.append(write_shard(tmp_path / f"{cell:05}-{cell:05}.h5", [cell], 777))
        timing = {"seconds": 1.0, "device": "cpu", "host": "here", "finished": "2026-01-01T00:00:00+00:00"}
        write_timing(shards[-1], 777, {cell: timing}, {"engine": "plain", "torch": "2", "skelnas": "0"})
    pack(shards, tmp_path / "parcel.zip")
    return tmp_path / "parcel.zip"


def test_what_was_packed_comes_out(parcel):
    names = [f"{cell:05}-{cell:05}" for cell in (3, 7)]
    assert [one.name for one in unpack(parcel)] == names
    assert [one.file for one in unpack(parcel)] == [(parcel.parent / f"{name}.h5").read_bytes() for name in names]


def test_cut_or_changed_anywhere(parcel):
    content, drawn, whole = parcel.read_bytes(), random.Random(5), unpack(parcel)
    for _ in range(60):
        parcel.write_bytes(content[: drawn.randrange(len(content))])
        with pytest.raises(InputError, match=r"parcel\.zip"):
            unpack(parcel)
    for _ in range(120):
        place = drawn.randrange(len(content))
        parcel.write_bytes(content[:place] + bytes([content[place] ^ 1 << drawn.randrange(8)]) + content[place + 1 :])
        with contextlib.suppress(InputError):  # times and flags of zip members matter to nobody
            assert [one.file for one in unpack(parcel)] == [one.file for one in whole]


def test_not_there_and_no_file(tmp_path):
    with pytest.raises(InputError, match="there is no such parcel of shards; look for its name"):
        unpack(tmp_path / "none.zip")
    with pytest.raises(InputError, match="cannot be read as a parcel of shards"):
        unpack(tmp_path)
