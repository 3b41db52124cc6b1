"""The journal: its entries are whole, of this shard, or absent."""

import errno
import functools
import json
import os
import signal
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas.errors import InputError
from skelnas.files import write_record
from skelnas.training import journal as journal_module
from skelnas.training import journal_file
from skelnas.training.journal import Entry, Journal, remove_journals
from skelnas.training.journal import _data as journal_data
from skelnas.training.metrics import Curves

from .forked import forked

IDENTITY = "0123456789abcdef" * 4
TIMING = {"seconds": 1.5, "device": "a processor"}


def entry(value=1, epochs=4):
    counts = np.full((3, epochs), value, dtype=np.int32)
    return Entry(Curves(counts.astype(np.float32), counts, counts + 1), TIMING)


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "00000-00124.h5", IDENTITY, "plain", "cpu")


def test_what_is_added_is_read(journal, tmp_path):
    diverged = entry()
    diverged.curves.loss[:] = np.nan
    journal.add(7, entry(3))
    journal.add(9, diverged)
    found = journal.read([7, 8, 9], 4)
    assert sorted(found) == [7, 9]
    assert found[7].curves.top1.tolist() == [[3] * 4] * 3
    assert found[7].curves.top1.dtype == np.int32
    assert found[7].timing == TIMING
    assert np.isnan(found[9].curves.loss).all()
    assert journal.folder == tmp_path / ".journal" / "00000-00124-0123456789abcdef-plain-cpu"


@pytest.mark.parametrize("change", ["truncate", "flip", "empty"])
def test_a_damaged_record_and_what_follows_it_count_as_absent(journal, change):
    journal.add(7, entry())
    [path] = journal.folder.iterdir()
    first = path.stat().st_size
    journal.add(8, entry())
    journal.add(9, entry())
    content = bytearray(path.read_bytes())
    content[first + 60] ^= 1
    path.write_bytes({"truncate": content[: first + 60], "flip": content, "empty": b""}[change])
    assert sorted(journal.read([7, 8, 9], 4)) == ([] if change == "empty" else [7])


def test_records_of_another_shard_count_as_absent(journal, tmp_path):
    journal.add(7, entry())
    other = Journal(tmp_path / "00000-00124.h5", IDENTITY[:16] + "f" * 48, "plain", "cpu")
    assert other.folder == journal.folder
    assert other.read([7], 4) == {}
    assert other.finished() == {}
    assert journal.read([7], 5) == {}


def test_what_is_shown_while_a_shard_is_trained(journal):
    before = time.time()
    journal.add(7, entry())
    journal.add(9, entry())
    assert sorted(journal.finished()) == [7, 9]
    assert all(before <= when <= time.time() for when in journal.finished().values())
    assert list(journal.timings([9])) == [(9, TIMING)]


@given(
    st.lists(st.tuples(st.integers(0, 15624), st.binary(max_size=40)), max_size=5), st.binary(max_size=60), st.data()
)
def test_any_bytes_behind_whole_records_hide_none_of_them(written, rubbish, data):
    made = [journal_file.record(b"i" * 32, cell, 1.5, text) for cell, text in written]
    found = list(journal_file.records(b"".join(made) + rubbish))
    assert [(one.cell, one.data, one.raw) for one in found[: len(made)]] == [
        (cell, text, raw) for (cell, text), raw in zip(written, made, strict=True)
    ]
    if made:
        cut = data.draw(st.integers(0, len(made[-1]) - 1))
        whole = b"".join(made[:-1])
        assert [one.raw for one in journal_file.records(whole + made[-1][:cut])] == made[:-1]


# --- killed, and several at a time ---


@pytest.mark.slow
def test_killed_at_every_byte_of_a_record(tmp_path):
    """The cell before is kept, the cell at hand counts once all of it is written, and the next process goes on."""
    size, write = len(journal_file.record(b"", 0, 0.0, b"")) + len(journal_data(entry(epochs=1))), os.write

    def killed(folder, byte):
        own = Journal(folder / "s.h5", IDENTITY, "plain", "cpu")
        own.add(7, entry(1, 1))

        def part(handle, content):
            write(handle, bytes(content[:byte]))
            os.kill(os.getpid(), signal.SIGKILL)

        os.write = part
        own.add(8, entry(2, 1))

    for byte in range(size + 1):
        folder = tmp_path / str(byte)
        assert forked(functools.partial(killed, folder, byte)) == [-signal.SIGKILL]
        following = Journal(folder / "s.h5", IDENTITY, "plain", "cpu")
        assert sorted(following.read([7, 8, 9], 1)) == ([7, 8] if byte == size else [7])
        following.take_over(1)
        following.add(9, entry(3, 1))
        assert sorted(following.read([7, 8, 9], 1)) == ([7, 8, 9] if byte == size else [7, 9])
        [path] = following.folder.iterdir()  # what was torn is gone with its file
        assert len(list(journal_file.records(path.read_bytes()))) == (3 if byte == size else 2)


def test_two_processes_write_and_take_over_at_the_same_time(tmp_path):
    """Nothing that `add` has returned from is ever lost, although every process takes the others' files away."""
    shard, ready = tmp_path / "s.h5", tmp_path / "ready"

    def train(number):
        own = Journal(shard, IDENTITY, "plain", "cpu")
        ready.with_suffix(f".{number}").touch()
        while len(list(tmp_path.glob("ready*"))) < 3:
            time.sleep(0.001)
        for cell in range(number, 60, 3):
            own.add(cell, entry(cell, 1))
            journal_file.is_alive = journal_module.is_alive = lambda path, silence: (
                False
            )  # each takes the others for gone
            own.take_over(1)

    assert forked(*(functools.partial(train, number) for number in range(3))) == [0, 0, 0]
    last = Journal(shard, IDENTITY, "plain", "cpu")
    found = last.read(range(60), 1)
    assert sorted(found) == list(range(60))
    assert all(found[cell].curves.top1.tolist() == [[cell]] * 3 for cell in found)
    last.take_over(1)
    assert len(list(last.folder.iterdir())) == 1
    assert sorted(last.read(range(60), 1)) == list(range(60))


def test_the_file_of_a_process_that_lives_is_left_alone(journal, tmp_path):
    journal.add(7, entry())
    [path] = journal.folder.iterdir()
    content = path.read_bytes()
    other = Journal(tmp_path / "00000-00124.h5", IDENTITY, "plain", "cpu")
    other.take_over(4)
    other.add(8, entry())
    assert path.read_bytes() == content
    assert sorted(other.read([7, 8], 4)) == sorted(journal.read([7, 8], 4)) == [7, 8]


def test_a_full_disk_is_said_and_costs_only_the_cell_at_hand(journal, monkeypatch):
    journal.add(7, entry())
    write = os.write

    def full(handle, content):
        write(handle, bytes(content[:50]))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device; make room"):
        journal.add(8, entry())
    monkeypatch.undo()
    journal.add(9, entry())
    assert sorted(journal.read([7, 8, 9], 4)) == [7, 9]


def test_records_of_version_0_1_are_read_and_taken_over(journal):
    old = {
        "loss": entry().curves.loss,
        "top1": entry().curves.top1,
        "top5": entry().curves.top5,
        "description": np.array(
            json.dumps({"format": "skelnas journal 1", "identity": IDENTITY, "cell": 7, "timing": TIMING})
        ),
    }
    write_record(journal.folder / "00007.cell", old)
    write_record(journal.folder / "00008.cell", old)  # under a wrong name: of another cell
    assert journal.read([7, 8], 4)[7].timing == TIMING
    assert sorted(journal.read([7, 8], 4)) == [7]
    assert 7 in journal.finished()
    journal.take_over(4)
    assert [path.suffix for path in journal.folder.iterdir()] == [".journal"]
    assert journal.read([7, 8], 4)[7].curves.top5.tolist() == entry().curves.top5.tolist()


def test_engines_devices_and_identities_never_meet(tmp_path):
    shard = tmp_path / "a.h5"
    folders = {
        Journal(shard, *key).folder
        for key in [
            (IDENTITY, "plain", "cpu"),
            (IDENTITY, "fused", "cpu"),
            (IDENTITY, "plain", "cuda"),
            ("f" * 64, "plain", "cpu"),
        ]
    }
    assert len(folders) == 4


def test_removal_leaves_nothing_but_other_journals(journal, tmp_path):
    other = Journal(tmp_path / "00125-00249.h5", IDENTITY, "plain", "cpu")
    journal.add(7, entry())
    other.add(130, entry())
    remove_journals([tmp_path / "00000-00124.h5"])
    assert not journal.folder.exists()
    assert sorted(other.read([130], 4)) == [130]
    remove_journals([tmp_path / "00125-00249.h5"])
    assert list(tmp_path.iterdir()) == []
    remove_journals([tmp_path / "00125-00249.h5"])  # nothing is left to remove


def test_journals_of_shards_with_longer_names_stay(tmp_path):
    others = ["00000-00001-01234567-0123456789abcdef-plain-cpu", "00000-00001-0123456789abcdef-plain"]
    for name in ["00000-00001-0123456789abcdef-plain-cpu", *others]:
        (tmp_path / ".journal" / name).mkdir(parents=True)
    remove_journals([tmp_path / "00000-00001.h5"])
    assert sorted(path.name for path in (tmp_path / ".journal").iterdir()) == sorted(others)
