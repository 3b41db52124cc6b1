"""The journal: its entries are whole, of this shard, or absent."""

import numpy as np
import pytest

from skelnas.training.journal import Entry, Journal, remove_journals
from skelnas.training.metrics import Curves

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
def test_damaged_record_counts_as_absent(journal, change):
    journal.add(7, entry())
    journal.add(8, entry())
    path = journal.folder / "00007.cell"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes({"truncate": content[:-5], "flip": content, "empty": b""}[change])
    assert sorted(journal.read([7, 8], 4)) == [8]


def test_records_of_another_shard_count_as_absent(journal, tmp_path):
    journal.add(7, entry())
    other = Journal(tmp_path / "00000-00124.h5", IDENTITY[:16] + "f" * 48, "plain", "cpu")
    assert other.folder == journal.folder
    assert other.read([7], 4) == {}
    assert journal.read([7], 5) == {}
    (journal.folder / "00007.cell").rename(journal.folder / "00008.cell")
    assert journal.read([7, 8], 4) == {}


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
