"""The journal of a shard: every finished cell in it, so that a killed job repeats none of them.

It lies in `.journal/` beside the shard, unknown to the workflow, in a folder named after the shard, the first digits of
its identity, the engine and the kind of device: results of different ones never meet in one shard. Every process that
trains adds to a file of its own (journal_file.py); all files are read. A process takes the records of those that are
gone into its own file, so that there is one file per process. A damaged record counts as absent.

In a finished shard's journal the records give way to second names (hard links) of the shard and its sidecar, until its
benchmark file is made: snakemake deletes what a job has written when the job is ended before it could report success.

skelnas 0.1 had a file per cell, `00007.cell`; these are still read.
"""

import contextlib
import json
import re
import shutil
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelnas.errors import InputError
from skelnas.files import read_record, whole_file
from skelnas.recipe import SPLITS
from skelnas.results.shard import read_shard
from skelnas.results.timing import timing_path
from skelnas.training.heartbeat import SILENCE, heartbeat_path
from skelnas.training.journal_file import (
    FOLDED,
    JournalFile,
    Record,
    is_alive,
    journal_files,
    marks,
    read_records,
    record,
)
from skelnas.training.metrics import Curves

OLD_SUFFIX = ".cell"
OLD_FORMAT = "skelnas journal 1"
TIMING = struct.Struct("<I")  # bytes of the timing's JSON, which stands before the curves
TYPES = (np.dtype("<f4"), np.dtype("<i4"), np.dtype("<i4"))  # of loss, top-1 and top-5


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
        self._file = JournalFile(self.folder)

    def add(self, cell: int, entry: Entry) -> None:
        """Record a finished cell; when this returns it is on the disk.

        Raises:
            InputError: the disk is full or the folder cannot be written.
        """
        self._file.add([record(self._key, cell, time.time(), _data(entry))])

    def read(self, cells: Iterable[int], epochs: int) -> dict[int, Entry]:
        """The cells among `cells` that are recorded, undamaged and of this shard."""
        wanted, listed = set(cells), None
        found: dict[int, Entry | None] = {}
        while listed != (listed := (journal_files(self.folder), self._old_cells())):
            files, old = listed
            found |= {cell: self._old_entry(cell, epochs) for cell in wanted & old}
            for one in read_records(files):
                if one.identity == self._key and one.cell in wanted and not found.get(one.cell):
                    found[one.cell] = _entry(one, epochs)
            # Once more where another process took files over meanwhile.
        return {cell: entry for cell, entry in found.items() if entry is not None}

    def take_over(self, epochs: int) -> None:
        """Take the records of processes that are gone, and of skelnas 0.1, into this process's file; remove theirs.

        Raises:
            InputError: the disk is full or the folder cannot be written; nothing is removed then.
        """
        gone = [path for path in journal_files(self.folder) if path != self._file.path and not is_alive(path, SILENCE)]
        moved = [_moved(path) for path in gone]
        own: dict[tuple[bytes, int], bytes] = {}
        for one in read_records(moved):
            own.setdefault((one.identity, one.cell), one.raw)
        old = {cell: self._old_entry(cell, epochs) for cell in self._old_cells()}
        for cell, entry in old.items():
            if entry is not None:
                finished = self._old_path(cell).stat().st_mtime
                own.setdefault((self._key, cell), record(self._key, cell, finished, _data(entry)))
        if own:
            self._file.add(list(own.values()))
        for path in [*moved, *(self._old_path(cell) for cell in old)]:
            path.unlink(missing_ok=True)

    def finished(self) -> dict[int, float]:
        """When each recorded cell was finished (seconds since 1970), from the heads of the records alone."""
        found = {cell: self._old_path(cell).stat().st_mtime for cell in self._old_cells()}
        for path in journal_files(self.folder):
            for mark in marks(path):
                if mark.identity == self._key:
                    found.setdefault(mark.cell, mark.finished)
        return found

    def timings(self, cells: Iterable[int]) -> Iterator[tuple[int, dict[str, float | str]]]:
        """(cell, what was measured) of recorded cells; the curves are not read."""
        wanted = set(cells)
        for path in journal_files(self.folder):
            for mark in marks(path):
                if mark.identity == self._key and mark.cell in wanted:
                    wanted.discard(mark.cell)
                    with contextlib.suppress(OSError, ValueError, struct.error), path.open("rb") as file:
                        file.seek(mark.offset)
                        (length,) = TIMING.unpack(file.read(TIMING.size))
                        yield mark.cell, json.loads(file.read(min(length, mark.length)))

    @property
    def _key(self) -> bytes:
        return bytes.fromhex(self._identity)

    def _old_cells(self) -> set[int]:
        with contextlib.suppress(OSError):
            return {
                int(path.stem) for path in self.folder.iterdir() if path.suffix == OLD_SUFFIX and path.stem.isdigit()
            }
        return set()

    def _old_path(self, cell: int) -> Path:
        return self.folder / f"{cell:05d}{OLD_SUFFIX}"

    def _old_entry(self, cell: int, epochs: int) -> Entry | None:
        arrays = read_record(self._old_path(cell))
        if arrays is None:
            return None
        description = json.loads(str(arrays["description"]))
        timing = description.pop("timing", None)
        if description != {"format": OLD_FORMAT, "identity": self._identity, "cell": cell}:
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
        self._file.close()
        for path in [*journal_files(self.folder), *map(self._old_path, self._old_cells())]:
            path.unlink(missing_ok=True)

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


def _data(entry: Entry) -> bytes:
    """A record's data: the timing as JSON behind its length, then loss, top-1 and top-5 (3 splits, epochs) each."""
    timing = json.dumps(entry.timing).encode()
    parts = (entry.curves.loss, entry.curves.top1, entry.curves.top5)
    arrays = (np.ascontiguousarray(part, dtype=kind).tobytes() for part, kind in zip(parts, TYPES, strict=True))
    return TIMING.pack(len(timing)) + timing + b"".join(arrays)


def _entry(one: Record, epochs: int) -> Entry | None:
    """The entry of a record; None where it has another number of epochs."""
    (length,) = TIMING.unpack_from(one.data)
    start, size = TIMING.size + length, 4 * len(SPLITS) * epochs
    if len(one.data) != start + 3 * size:
        return None
    arrays = (
        np.frombuffer(one.data, kind, len(SPLITS) * epochs, start + position * size).reshape(len(SPLITS), epochs).copy()
        for position, kind in enumerate(TYPES)
    )
    return Entry(Curves(*arrays), json.loads(one.data[TIMING.size : start]))


def _moved(path: Path) -> Path:
    """A file moved away from its writer, should that one live after all: it notices, and records again elsewhere."""
    if path.name.endswith(FOLDED):
        return path
    folded = path.with_name(path.name + FOLDED)
    with contextlib.suppress(FileNotFoundError):
        path.rename(folded)
    return folded


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
