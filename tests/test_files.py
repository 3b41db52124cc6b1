import errno
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas import files
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


def test_only_what_is_known_to_be_abandoned_is_removed(tmp_path):
    """A container with the same host name has process numbers of its own: its files are left alone for a week."""
    path, other = tmp_path / "a.txt", tmp_path / ".a.txt.0123456789ab.999999.12345678.tmp"
    old, odd = tmp_path / ".a.txt.0123456789ab.1.12345678.tmp", tmp_path / ".a.txt.x.tmp"
    mine = tmp_path / f".a.txt.{files._machine()}.{os.getpid()}.12345678.tmp"
    for file in (other, old, odd, mine):
        file.write_text("half")
    os.utime(old, (0, 0))
    write_text(path, "whole\n")
    assert set(tmp_path.iterdir()) == {path, other, odd, mine}


def test_a_host_name_alone_is_no_machine(monkeypatch):
    name = files._machine.__wrapped__()
    assert files._machine.__wrapped__() == name
    monkeypatch.setattr("pathlib.Path.readlink", lambda path: "pid:[1]")
    assert files._machine.__wrapped__() != name


@pytest.mark.parametrize(
    "error", [OSError("close failed (errno = 28, error message = 'x')"), RuntimeError("[errno 28]")]
)
def test_a_nearly_full_disk_however_a_library_words_it(tmp_path, error):
    with pytest.raises(InputError, match="No space left on device; make room"), whole_file(tmp_path / "a.h5") as file:
        file.write_bytes(b"1")
        raise error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_folder_that_may_not_be_written_needs_no_room(tmp_path, number):
    words = rf"a\.txt cannot be written: {os.strerror(number)}; give yourself the right to write there"
    with pytest.raises(InputError, match=words), whole_file(tmp_path / "a.txt") as temporary:
        raise OSError(number, os.strerror(number), temporary)


@pytest.fixture
def forbid(monkeypatch):
    """Makes a file unreadable, for the administrator too, to whom permissions mean nothing."""

    def make(path, number=errno.EACCES):
        real = open

        def refuse(name, *arguments, **options):
            if str(name) == str(path):
                raise OSError(number, os.strerror(number), str(path))
            return real(name, *arguments, **options)

        monkeypatch.setattr("builtins.open", refuse)
        monkeypatch.setattr("io.open", refuse)

    return make


def test_an_input_that_may_not_be_read_is_not_what_is_written(tmp_path, forbid):
    source = tmp_path / "input.csv"
    source.write_text("1")
    forbid(source)
    words = r"input\.csv cannot be read \(Permission denied\); give yourself"
    with pytest.raises(InputError, match=words), whole_file(tmp_path / "out.zip"):
        source.read_bytes()


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "give yourself the right to read it"),
        (errno.EIO, "see to the disk"),
        (errno.ESTALE, "see to the"),
    ],
)
def test_what_cannot_be_read_is_not_called_damaged(tmp_path, forbid, number, remedy):
    path = tmp_path / "a.zip"
    path.write_bytes(b"x")
    files.check_readable(path)
    files.check_readable(tmp_path)
    files.check_readable(tmp_path / "missing")
    forbid(path, number)
    with pytest.raises(InputError, match=rf"{remedy}.*: it need not be damaged") as caught:
        files.check_readable(path)
    assert "delete" not in str(caught.value)
