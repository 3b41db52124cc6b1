"""The journal of a shard: every finished cell in a file of its own, so that a killed job repeats none of them.

It lies in `.journal/` beside the shard, unknown to the workflow, in a folder named after the shard, the first digits of
its identity, the engine and the kind of device: results of different ones never meet in one shard. A damaged record
counts as absent. Two processes that train the same shard write the same records, each whole.
"""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelnas.records import read_record, write_record
from skelnas.training.curves import SPLITS, Curves

SUFFIX = ".cell"
FORMAT = "skelnas journal 1"


@dataclass(frozen=True)
class Entry:
    """One finished cell: its curves, and what was measured (`timing`: plain values for the sidecar)."""

    curves: Curves
    timing: dict[str, float | str]


class Journal:
    """The records of one shard that is being trained."""

    def __init__(self, shard: Path, identity: str, engine: str, device_kind: str) -> None:
        self.folder = shard.parent / ".journal" / f"{shard.stem}-{identity[:16]}-{engine}-{device_kind}"
        self._identity = identity

    def _key(self, cell: int) -> dict[str, int | str]:
        return {"format": FORMAT, "identity": self._identity, "cell": cell}

    def add(self, cell: int, entry: Entry) -> None:
        """Record a finished cell.

        Raises:
            InputError: the disk is full or the folder cannot be written.
        """
        values = entry.curves
        arrays = {"loss": values.loss, "top1": values.top1, "top5": values.top5}
        text = json.dumps({**self._key(cell), "timing": entry.timing})
        write_record(self._path(cell), {**arrays, "description": np.array(text)})

    def read(self, cells: Iterable[int], epochs: int) -> dict[int, Entry]:
        """The cells among `cells` that are recorded, undamaged and of this shard."""
        found = {cell: self._entry(cell, epochs) for cell in cells}
        return {cell: entry for cell, entry in found.items() if entry is not None}

    def _entry(self, cell: int, epochs: int) -> Entry | None:
        arrays = read_record(self._path(cell))
        if arrays is None:
            return None
        description = json.loads(str(arrays["description"]))
        timing = description.pop("timing", None)
        if description != self._key(cell):
            return None
        curves = Curves(arrays["loss"], arrays["top1"], arrays["top5"])
        if any(part.shape != (len(SPLITS), epochs) for part in (curves.loss, curves.top1, curves.top5)):
            return None
        return Entry(curves, timing)

    def remove(self) -> None:
        """Remove the journal of a shard that is in place, and the folder of journals when it was the last."""
        # Another process may be writing the same shard's records right now; what it adds, it removes itself.
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.folder.parent.rmdir()
        except OSError:
            return

    def _path(self, cell: int) -> Path:
        return self.folder / f"{cell:05d}{SUFFIX}"
