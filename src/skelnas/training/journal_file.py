"""Files of a journal: records one after the other, each whole or not there, added by one process only.

A record is, in little endian: the length of its body (uint64); the body: identity of the shard (32 bytes), architecture
index (uint32), when it was finished (float64, seconds since 1970), data; SHA-256 of all that (32 bytes). A file ends at
the first record that is not whole, whatever follows.

A process adds to a file of its own name and to no other, and a record counts once it is flushed and the file is still
in its place. So whoever moves a file away and reads it then has all its records, or its writer has noticed.
"""

import contextlib
import hashlib
import os
import socket
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from skelnas.errors import InputError
from skelnas.files import flush_to_disk, refusal

SUFFIX = ".journal"
FOLDED = ".folded"  # behind the name of a file that another process moved away to take its records over
LENGTH = struct.Struct("<Q")
BODY = struct.Struct("<32sId")
DIGEST = 32
HEAD = LENGTH.size + BODY.size
ATTEMPTS = 20


class Record(NamedTuple):
    """One record: `data` is what its owner put in; `raw` all of its bytes."""

    identity: bytes
    cell: int
    finished: float
    data: bytes
    raw: bytes


class Mark(NamedTuple):
    """Where a record lies, without having read it: its checksum may yet turn out wrong."""

    identity: bytes
    cell: int
    finished: float
    path: Path
    offset: int  # of its data
    length: int  # of its data


def record(identity: bytes, cell: int, finished: float, data: bytes) -> bytes:
    """The bytes of a record."""
    head = LENGTH.pack(BODY.size + len(data)) + BODY.pack(identity, cell, finished)
    return head + data + hashlib.sha256(head + data).digest()


def records(content: bytes) -> Iterator[Record]:
    """The records of a file, up to the first that is not whole."""
    start = 0
    while len(content) >= start + HEAD + DIGEST:
        (length,) = LENGTH.unpack_from(content, start)
        end = start + LENGTH.size + length
        if length < BODY.size or end + DIGEST > len(content):
            return
        if hashlib.sha256(content[start:end]).digest() != content[end : end + DIGEST]:
            return
        identity, cell, finished = BODY.unpack_from(content, start + LENGTH.size)
        yield Record(identity, cell, finished, content[start + HEAD : end], content[start : end + DIGEST])
        start = end + DIGEST


def marks(path: Path) -> Iterator[Mark]:
    """Where the records of a file lie; only their heads are read. Nothing where the file is gone."""
    with contextlib.suppress(OSError), path.open("rb", buffering=0) as file:
        start, size = 0, os.fstat(file.fileno()).st_size
        while size >= start + HEAD + DIGEST:
            head = os.pread(file.fileno(), HEAD, start)
            (length,) = LENGTH.unpack_from(head)
            end = start + LENGTH.size + length + DIGEST
            if length < BODY.size or end > size:
                return
            identity, cell, finished = BODY.unpack_from(head, LENGTH.size)
            yield Mark(identity, cell, finished, path, start + HEAD, length - BODY.size)
            start = end


def journal_files(folder: Path) -> list[Path]:
    """The journal files in a folder, those that are being taken over included."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.removesuffix(FOLDED).endswith(SUFFIX))
    except OSError:
        return []


def read_records(paths: Iterable[Path]) -> Iterator[Record]:
    """The records of several files; a file that another process just took away is read where it lies now."""
    for path in paths:
        for place in (path, path.with_name(path.name.removesuffix(FOLDED) + FOLDED)):
            with contextlib.suppress(FileNotFoundError):
                yield from records(place.read_bytes())
                break


def is_alive(path: Path, silence: float) -> bool:
    """Whether the process that adds to a file seems to be there.

    Of this machine's its number is looked up; of another's, whether it has added anything for `silence` seconds. What
    was moved away has no writer.
    """
    if path.name.endswith(FOLDED):
        return False
    host, process, *_ = path.name.rsplit(".", 3)
    if host == _host():
        return process.isdigit() and Path("/proc", process).exists()
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime < silence
    return False


class JournalFile:
    """The file that this process adds to; it is made when the first record comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path: Path | None = None
        self._handle = -1
        self._written: list[bytes] = []

    def add(self, new: Sequence[bytes]) -> None:
        """Add records and flush them to disk; when this returns they count.

        Raises:
            InputError: the disk is full or the folder cannot be written; none of `new` counts then.
        """
        try:
            for _ in range(ATTEMPTS):
                waiting = list(new)
                if self._handle < 0:
                    self._open()
                    waiting = [
                        *self._written,
                        *new,
                    ]  # of a file that is gone: whoever took it may not have had the last
                self._append(b"".join(waiting))
                if self._is_in_place():
                    self._written += new
                    return
                self.close()
            raise InputError(f"{self.folder}: other processes keep removing the journal; end them, then run again")
        except OSError as error:
            where = self.path or self.folder
            self.close()
            if (reason := refusal(error)) is None:
                raise
            raise InputError(
                f"{where} cannot be written: {reason}; make room or choose another folder, then run again"
            ) from error

    def close(self) -> None:
        """Add nothing more to the present file."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle, self.path = -1, None

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / f"{_host()}.{os.getpid()}.{time.time_ns()}{SUFFIX}"
        self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        flush_to_disk(self.folder)

    def _append(self, content: bytes) -> None:
        before = os.fstat(self._handle).st_size
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(self._handle, rest) :]
            os.fsync(self._handle)
        except OSError:
            # The rest of a record would hide all that follow it.
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, before)
                if not before and self.path:
                    self.path.unlink()
            raise

    def _is_in_place(self) -> bool:
        assert self.path is not None
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._handle))
        except FileNotFoundError:
            return False


def _host() -> str:
    return socket.gethostname().replace("/", "_")
