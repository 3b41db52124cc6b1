import json

import pytest

from skelnas.errors import InputError
from skelnas.files import write_json
from skelnas.results.timing import COLUMNS, merge_timings, read_timing, timing_path, timings_of, write_timing

MEASURED = {"seconds": 1.5, "device": "a GPU", "host": "node1", "finished": "2026-11-22T10:00:00+00:00"}
SHARED = {"engine": "fused", "torch": "2.13", "skelnas": "0.1"}


def sidecar(path, seed, cells):
    timing = {"format": "skelnas timing 1", "seed": seed, **SHARED}
    write_json(path, {**timing, "cells": {str(cell): {**MEASURED, "seconds": cell / 4} for cell in cells}})


def test_sidecars_become_one_table(tmp_path):
    sidecar(tmp_path / "a.timing.json", 888, [9, 3])
    sidecar(tmp_path / "b.timing.json", 777, [3])
    table = merge_timings([tmp_path / "a.h5", tmp_path / "b.h5", tmp_path / "without.h5"])
    assert tuple(table.columns) == COLUMNS
    assert table[["index", "seed", "seconds"]].values.tolist() == [[3, 777, 0.75], [3, 888, 0.75], [9, 888, 2.25]]
    assert table["device"].tolist() == ["a GPU"] * 3


def test_no_sidecar_at_all_gives_an_empty_table(tmp_path):
    assert merge_timings([tmp_path / "a.h5"]).empty


def test_damaged_sidecar_is_named(tmp_path):
    (tmp_path / "a.timing.json").write_text('{"format": "skelnas timing 1"')
    with pytest.raises(InputError, match=r"a\.timing\.json cannot be read"):
        merge_timings([tmp_path / "a.h5"])


def test_timing_lies_beside_the_shard(tmp_path):
    assert timing_path(tmp_path / "00003-00123.h5") == tmp_path / "00003-00123.timing.json"


def test_what_is_written_is_read_complete(tmp_path):
    """A cell taken from elsewhere brings its own engine; one that nobody timed is left out."""
    shard, taken = tmp_path / "a.h5", {**MEASURED, "engine": "plain", "taken-from": "b.h5"}
    write_timing(shard, 777, {9: taken, 3: MEASURED, 4: None}, {**SHARED, "python": "3.11"})
    read = read_timing(shard)
    assert (read.seed, read.engine, list(read.cells)) == (777, "fused", [3, 9])
    assert read.cells == {3: {**SHARED, **MEASURED}, 9: {**SHARED, **taken}} == timings_of(shard)
    assert json.loads(timing_path(shard).read_text())["python"] == "3.11"
    assert timings_of(tmp_path / "without.h5") == {}


@pytest.mark.parametrize(
    "changes", [{"finished": "yesterday"}, {"seconds": "long"}, {"seconds": []}, {"host": None, "finished": 7}]
)
def test_an_odd_value_is_a_sentence_for_some_and_no_time_for_others(tmp_path, changes):
    write_timing(tmp_path / "a.h5", 777, {3: MEASURED | changes}, SHARED)
    with pytest.raises(InputError, match=r"a\.timing\.json cannot be read as measured times .*; move it away"):
        read_timing(tmp_path / "a.h5")
    assert timings_of(tmp_path / "a.h5") == {}
