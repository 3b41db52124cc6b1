"""What training took: the sidecar of each shard, and a table of all of them. Measured, so never part of results.

A sidecar is JSON beside its shard: format; seed; engine, torch and skelnas (versions) once for all cells; and per cell
seconds (of its training, wall clock), device, host, finished (date in UTC). A cell that was taken from another shard
brings its own engine and versions, and says where it was taken from. Cells trained together share the seconds of their
group as the engine divides them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skelnas.errors import InputError
from skelnas.files import check_readable, write_json

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "skelnas timing 1"
COLUMNS = ("index", "seed", "seconds", "device", "host", "finished", "engine", "torch", "skelnas")
SHARED = ("engine", "torch", "skelnas")
OWN = ("seconds", "device", "host", "finished")
Timing = dict[str, Any]  # of one cell: plain values by name


@dataclass(frozen=True)
class Sidecar:
    """The sidecar of one shard; the timing of each cell is complete, with `SHARED` in it."""

    seed: int
    engine: str
    cells: dict[int, Timing]


def timing_path(shard: Path | str) -> Path:
    """The sidecar of a shard file."""
    return Path(shard).with_suffix(".timing.json")


def write_timing(
    shard: Path | str, seed: int, cells: Mapping[int, Timing | None], shared: Mapping[str, str] | None = None
) -> None:
    """Write the sidecar of a shard: what was measured for each cell, where it was, and `shared` once for all of them.

    Raises:
        InputError: the disk is full or the folder cannot be written.
    """
    timings = {str(cell): cells[cell] for cell in sorted(cells) if cells[cell]}
    content = {"format": FORMAT, "seed": seed, **(shared or dict.fromkeys(SHARED, "")), "cells": timings}
    write_json(timing_path(shard), content)


def read_timing(shard: Path | str) -> Sidecar:
    """The sidecar of a shard.

    Raises:
        InputError: it is not there, or cannot be read.
    """
    path = timing_path(shard)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"not {FORMAT}")
        shared = {name: content[name] for name in SHARED}
        cells = {int(cell): {**shared, **_complete(measured)} for cell, measured in content["cells"].items()}
        return Sidecar(int(content["seed"]), str(content["engine"]), cells)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        check_readable(path)
        raise InputError(
            f"{path} cannot be read as measured times ({error}); move it away, results do not need it"
        ) from error


def timings_of(shard: Path | str) -> dict[int, Timing]:
    """The timing of each cell of a shard; none where there is no sidecar, or none that can be read."""
    try:
        return read_timing(shard).cells
    except InputError:
        return {}


def merge_timings(shards: Iterable[Path | str]) -> "pd.DataFrame":
    """The sidecars of `shards` as one table, ascending by cell and seed; shards without a sidecar add no rows.

    Raises:
        InputError: a sidecar cannot be read.
    """
    import pandas as pd  # slow to load, and those who train need only sidecars

    found = [read_timing(shard) for shard in shards if timing_path(shard).is_file()]
    rows = [
        {"index": cell, "seed": sidecar.seed, **{name: timing[name] for name in (*OWN, *SHARED)}}
        for sidecar in found
        for cell, timing in sidecar.cells.items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(["index", "seed"], ignore_index=True)


def _complete(measured: Timing) -> Timing:
    if missing := [name for name in OWN if name not in measured]:
        raise ValueError(f"a cell without {missing[0]}")
    float(measured["seconds"])
    datetime.fromisoformat(measured["finished"])
    return measured
