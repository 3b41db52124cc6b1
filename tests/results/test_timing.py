import pytest

from skelnas.errors import InputError
from skelnas.files import write_json
from skelnas.results.timing import COLUMNS, merge_timings


def sidecar(path, seed, cells):
    measured = {"seconds": 1.5, "device": "a GPU", "host": "node1", "finished": "2026-11-22T10:00:00+00:00"}
    timing = {"format": "skelnas timing 1", "seed": seed, "engine": "fused", "torch": "2.13", "skelnas": "0.1"}
    write_json(path, {**timing, "cells": {str(cell): {**measured, "seconds": cell / 4} for cell in cells}})


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
