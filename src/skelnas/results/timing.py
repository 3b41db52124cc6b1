"""What training took, from the sidecars of the shards: one row per cell and seed. Measured, so never part of results.

Columns: index (of the cell), seed, seconds (of its training, wall clock), device, host, finished (date in UTC), engine,
torch and skelnas (versions). Cells trained together share the seconds of their group as the engine divides them.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from skelnas.errors import InputError
from skelnas.files import check_readable
from skelnas.results.shard import timing_path

FORMAT = "skelnas timing 1"
COLUMNS = ("index", "seed", "seconds", "device", "host", "finished", "engine", "torch", "skelnas")


def merge_timings(shards: Iterable[Path | str]) -> pd.DataFrame:
    """The sidecars of `shards` as one table, ascending by cell and seed; shards without a sidecar add no rows.

    Raises:
        InputError: a sidecar cannot be read.
    """
    rows = [row for shard in shards if timing_path(shard).is_file() for row in _rows(timing_path(shard))]
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(["index", "seed"], ignore_index=True)


def _rows(path: Path) -> list[dict[str, int | float | str]]:
    try:
        timing = json.loads(path.read_text(encoding="utf-8"))
        if timing["format"] != FORMAT:
            raise ValueError(f"not {FORMAT}")
        shared = {name: timing[name] for name in ("seed", "engine", "torch", "skelnas")}
        own = ("seconds", "device", "host", "finished")
        return [  # a cell that was taken from another shard brings its own engine and versions
            {"index": int(cell)}
            | {name: measured.get(name, value) for name, value in shared.items()}
            | {name: measured[name] for name in own}
            for cell, measured in timing["cells"].items()
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        check_readable(path)
        raise InputError(
            f"{path} cannot be read as measured times ({error}); delete it, results do not need it"
        ) from error
