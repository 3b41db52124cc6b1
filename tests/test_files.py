import errno
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas.errors import InputError
from skelnas.files import sha256_of_file, sha256_of_json, whole_file, write_json, write_text


def test_file_appears_whole(tmp_path):
    write_text(tmp_path / "deep" / "a.txt", "words\n")
    assert (tmp_path / "deep" / "a.txt").read_text() == "words\n"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.txt"]


def test_failed_write_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


KILLED_WHILE_WRITING = """
import os, signal, sys
from skelnas.files import whole_file
with whole_file(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    path = tmp_path / "a.txt"
    subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, path])
    assert len(list(tmp_path.iterdir())) == 1
    with whole_file(path) as mine:
        mine.write_text("mine")
        write_text(path, "whole\n")  # another writer, which leaves what is still being written
        assert set(tmp_path.iterdir()) == {mine, path}
    assert list(tmp_path.iterdir()) == [path]


def test_refused_by_its_check(tmp_path):
    def refuse(path):
        raise InputError(f"{path} is short")

    with pytest.raises(InputError, match="is short"), whole_file(tmp_path / "a.h5", verify=refuse) as temporary:
        temporary.write_bytes(b"1")
    assert list(tmp_path.iterdir()) == []


def test_full_disk_is_said_in_a_sentence(tmp_path):
    words = r"a\.h5 cannot be written: No space left on device; make room"
    with pytest.raises(InputError, match=words), whole_file(tmp_path / "a.h5") as temporary:
        temporary.write_bytes(b"1")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


def test_full_disk_below_hdf5_is_said_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="No space left on device"), whole_file(tmp_path / "a.h5") as temporary:
        # /dev/full refuses every write, as a full disk does; HDF5 words the error in its own way.
        temporary.symlink_to("/dev/full")
        with h5py.File(temporary, "w") as file:
            file["a"] = np.zeros(1_000_000)
    assert list(tmp_path.iterdir()) == []


def test_other_errors_keep_their_name(tmp_path):
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a.txt"):
        (tmp_path / "missing").read_text()


def test_json_keeps_its_order(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "ä"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "b": 1,\n  "a": "ä"\n}\n'


def test_sha256_of_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(st.dictionaries(st.text(), st.integers() | st.lists(st.text())))
def test_sha256_of_json_ignores_the_order_of_keys(value):
    assert sha256_of_json(value) == sha256_of_json(dict(reversed(value.items())))
    assert sha256_of_json(value) != sha256_of_json([value])
