"""The journal of a shard: every finished cell in a file of its own, so that a killed job repeats none of them.

It lies in `.journal/` beside the shard, unknown to the workflow, in a folder named after the shard, the first digits of
its identity, the engine and the kind of device: results of different ones never meet in one shard. A damaged record
counts as absent. Two processes that train the same shard write the same records, each whole.

In a finished shard's journal the records give way to second names (hard links) of the shard and its sidecar, until its
benchmark file is made: snakemake deletes what a job has written when the job is ended before it could report success.
"""

import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelnas.errors import InputError
from skelnas.files import read_record, whole_file, write_record
from skelnas.recipe import SPLITS
from skelnas.results.shard import read_shard, timing_path
from skelnas.training.heartbeat import heartbeat_path
from skelnas.training.metrics import Curves

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

    def keep(self, shard: Path) -> None:
        """Put second names of the finished shard and its sidecar in the place of the records."""
        try:
            for file in (shard, timing_path(shard)):
                link = self.folder / file.name
                link.unlink(missing_ok=True)
                link.hardlink_to(file)
        except OSError:
            return  # a file system without hard links: the records stay
        for record in self.folder.glob(f"*{SUFFIX}"):
            record.unlink(missing_ok=True)

    def restore(self, shard: Path) -> bool:
        """Bring back a finished shard and its sidecar from their second names; whether they were there and whole.

        Raises:
            InputError: the disk is full or the folder cannot be written.
        """
        kept = [self.folder / file.name for file in (shard, timing_path(shard))]
        try:
            read_shard(kept[0], self._identity)
        except InputError:
            return False
        if not kept[1].is_file():
            return False
        for file in kept:
            with whole_file(shard.with_name(file.name)) as temporary:
                shutil.copyfile(file, temporary)
        return True

    def _path(self, cell: int) -> Path:
        return self.folder / f"{cell:05d}{SUFFIX}"


def remove_journals(shards: Iterable[Path | str]) -> None:
    """Remove the journals of shards that are merged, and folders of journals that hold no others."""
    for shard in map(Path, shards):
        folder = shard.parent / ".journal"
        heartbeat_path(shard).unlink(missing_ok=True)
        for journal in folder.glob(f"{shard.stem}-*"):
            if re.fullmatch(rf"{shard.stem}-[0-9a-f]{{16}}-[a-z]+-[a-z]+", journal.name):
                shutil.rmtree(journal, ignore_errors=True)
        try:
            folder.rmdir()
        except OSError:
            continue  # it holds others, or is gone
