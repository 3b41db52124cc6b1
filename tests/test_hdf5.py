"""One module writes and opens every HDF5 file: no heap, no lock, every bit below a checksum."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from skelnas import hdf5
from skelnas.errors import InputError

from .lacking import lacking

ARRAYS = {
    "numbers": hdf5.Stored(np.arange(1000, dtype=np.uint16).reshape(100, 10), (16, 10), 65_535),
    "names": hdf5.Stored(np.array([b"a", b"bcd"])),
    "nothing": hdf5.Stored(np.zeros(0)),
}
ATTRIBUTES = {"format": "test 1", "text": "Größe " * 50, "empty": "", "number": 7, **{f"more{n}": n for n in range(20)}}


@pytest.fixture
def path(tmp_path):
    hdf5.write(tmp_path / "file.h5", ARRAYS, ATTRIBUTES)
    return tmp_path / "file.h5"


def test_what_is_written_is_read(path, tmp_path):
    with hdf5.opened(path) as (file, attributes):
        assert {name: attributes[name] for name in ATTRIBUTES} == ATTRIBUTES
        hdf5.check_seal(attributes)
        for name, stored in ARRAYS.items():
            np.testing.assert_array_equal(file[name][()], stored.array)
        assert file["numbers"].fillvalue == 65_535
        hdf5.check_arrays(attributes, {"numbers": file["numbers"][()]})
        with pytest.raises(ValueError, match="numbers is not what was written"):
            hdf5.check_arrays(attributes, {"numbers": file["numbers"][()] + 1})
    assert hdf5.damaged_arrays(path) == []
    hdf5.write(tmp_path / "again.h5", ARRAYS, ATTRIBUTES)
    assert path.read_bytes() == (tmp_path / "again.h5").read_bytes()


def test_a_changed_attribute_breaks_the_seal(path):
    with h5py.File(path, "r+") as file:
        file.attrs["number"] = 8
    with hdf5.opened(path) as (_, attributes), pytest.raises(ValueError, match="do not fit its seal"):
        hdf5.check_seal(attributes)


def test_structures_carry_checksums_and_there_is_no_heap(path):
    content = path.read_bytes()
    assert content[8] == 3  # version of the superblock; 0 and 1 have no checksum
    assert content.count(b"OHDR") == 1 + len(ARRAYS)  # object headers of version 2
    assert not re.search(b"GCOL|HEAP|SNOD|TREE", content)
    with h5py.File(path) as file:
        assert all(file[name].fletcher32 for name in ("numbers", "names"))
        assert not any(h5py.check_vlen_dtype(file.attrs.get_id(name).dtype) for name in file.attrs)


LOCKED = """
import fcntl, sys, h5py
from skelnas import hdf5
with open(sys.argv[1], "rb") as other:
    fcntl.flock(other, fcntl.LOCK_EX)  # HDF5's own reader fails here
    with hdf5.opened(sys.argv[1]) as (file, _):
        assert file["numbers"][3, 1] == 31
with hdf5.opened(sys.argv[1]), open(sys.argv[1], "rb") as other:
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""


def test_no_lock_is_taken_whatever_the_environment_says(path):
    environment = {**os.environ, "HDF5_USE_FILE_LOCKING": "TRUE"}
    subprocess.run([sys.executable, "-c", LOCKED, path], env=environment, check=True)


def test_nothing_but_this_module_opens_hdf5():
    source = Path(hdf5.__file__).parent
    opening = [file for file in source.rglob("*.py") if re.search(r"h5py\.File\(", file.read_text(encoding="utf-8"))]
    assert [file.name for file in opening] == ["hdf5.py"]


def test_a_file_that_may_not_be_read_is_not_called_damaged(path, monkeypatch):
    monkeypatch.setattr(hdf5, "sha256_of_file", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    sentence = str(hdf5.unreadable(path, OSError("bad"), "is damaged", "delete it"))
    assert "Input/output error" in sentence
    assert "delete" not in sentence


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        lacking("a small file system, for the test of a full disk: it takes root to mount one")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("free", [0, 4096, 12_288, 20_480])
def test_a_disk_that_is_full_or_nearly_so_is_a_sentence(small_disk, free):
    noise = {"noise": hdf5.Stored(np.random.default_rng(1).integers(0, 256, 30_000, dtype=np.uint8))}
    (small_disk / "other").write_bytes(bytes(64 * 1024 - free))
    with pytest.raises(InputError, match=r"file\.h5 cannot be written: No space left on device; make room"):
        hdf5.write(small_disk / "file.h5", noise, {"format": "test 1"})
    assert [file.name for file in small_disk.iterdir()] == ["other"]


FORMAT_1 = Path(__file__).parent / "results/format_1"


def test_a_damaged_heap_of_format_1_is_refused_and_never_read_for_ever(tmp_path):
    """HDF5 itself does not come back from some of these."""
    content = (FORMAT_1 / "shard.h5").read_bytes()
    heap = content.index(b"GCOL")
    for place in range(heap + 16, heap + 17 * 16 * 2, 8):
        if int.from_bytes(content[place : place + 8], "little") > 1 << 12:
            continue  # within a text
        damaged = bytearray(content)
        damaged[place : place + 8] = bytes(8)
        (tmp_path / "damaged.h5").write_bytes(damaged)
        try:
            with hdf5.opened(tmp_path / "damaged.h5"):
                pass
        except hdf5.READ_ERRORS:
            continue
    free = int.from_bytes(content[heap + 8 : heap + 16], "little")
    damaged = bytearray(content)
    damaged[heap + 8 : heap + 16] = (free * 1000).to_bytes(8, "little")
    (tmp_path / "damaged.h5").write_bytes(damaged)
    with pytest.raises(ValueError, match="global heap is damaged"), hdf5.opened(tmp_path / "damaged.h5"):
        pass


def test_attributes_name_the_arrays_they_cover(path):
    with hdf5.opened(path) as (_, attributes):
        assert sorted(json.loads(attributes["arrays"])) == sorted(ARRAYS)


def soft(file):
    file["numbers"] = h5py.SoftLink("/names")


def external_link(file):
    file["numbers"] = h5py.ExternalLink("other.h5", "secret")


def virtual(file):
    layout = h5py.VirtualLayout((3,), np.uint8)
    layout[:] = h5py.VirtualSource("other.h5", "secret", (3,))
    file.create_virtual_dataset("numbers", layout)


def external_storage(file):
    file.create_dataset("numbers", (3,), np.uint8, external=[("secret.txt", 0, 3)])


def huge(file):
    file.create_dataset("numbers", (1 << 40,), np.uint8, chunks=(1 << 20,), compression="gzip")


@pytest.mark.parametrize("kind", [soft, external_link, virtual, external_storage, huge])
def test_an_array_that_lies_elsewhere_or_claims_too_much_is_never_read(tmp_path, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text("abc")
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = np.arange(3, dtype=np.uint8)
    with h5py.File(tmp_path / "hostile.h5", "w") as file:
        file["names"] = np.arange(3)
        kind(file)
    with hdf5.opened(tmp_path / "hostile.h5") as (file, _):
        assert hdf5.dataset(file, "names")[()].tolist() == [0, 1, 2]
        with pytest.raises(ValueError, match=r"not in this file itself|larger than its file can hold"):
            hdf5.dataset(file, "numbers")
        with pytest.raises(hdf5.READ_ERRORS):
            hdf5.dataset(file, "absent")


def test_the_best_packed_array_that_there_is_is_read(tmp_path):
    zeros = hdf5.Stored(np.zeros(30_000_000, dtype=np.uint8))
    hdf5.write(tmp_path / "zeros.h5", {"numbers": zeros}, {})
    assert hdf5.damaged_arrays(tmp_path / "zeros.h5") == []
