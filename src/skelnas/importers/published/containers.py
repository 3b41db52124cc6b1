"""Where published results lie: tar archives, read as a stream, zip archives, folders and single files.

Nothing is unpacked to the disk. Which reader takes a file is told by its name alone.
"""

import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from skelnas.errors import InputError
from skelnas.importers.published import collected, preprocessed, raw
from skelnas.importers.published.runs import Run, Skipped
from skelnas.untrusted import DAMAGE, DEFAULT, LimitError, read_file, read_member

KINDS = "raw-data-*/arch-*-seed-*.pth, NNNNNN.pickle.pbz2, NATS-*.pickle.pbz2 or *preprocessed_data.json"
TAR = re.compile(r"\.(tar|tgz|tar\.\w+)$")
Found = Iterator[Run | Skipped]


def read(path: Path | str, seen: Callable[[str], object] = lambda name: None) -> Found:
    """Every run below `path`; `seen` is told the name of each file before it is read.

    Raises:
        InputError: there is nothing of a known kind, the archive is damaged, or a name climbs out of it.
        unpickling.ForeignError: a file asks for anything else than data.
    """
    path = Path(path)
    number = 0
    for name, stream, where in _files(path):
        number += 1
        seen(name)
        yield from reader(name)(stream, name, where)
    if not number:
        raise InputError(f"{path} holds nothing that was published: {KINDS}")


def reader(name: str) -> Callable[[IO[bytes], str, str], Found]:
    """What reads a file of that name.

    Raises:
        KeyError: nothing does.
    """
    if name.endswith(".pth") and raw.NAME.search(name):
        return _raw
    if collected.NAME.search(name):
        return lambda stream, name, where: collected.read(stream, where)
    if collected.WHOLE.search(name):
        return lambda stream, name, where: collected.read_whole(stream, where)
    if name.endswith("preprocessed_data.json"):
        return lambda stream, name, where: preprocessed.read(read_file(stream, preprocessed.LIMITS), where)
    raise KeyError(name)


def _raw(stream: IO[bytes], name: str, where: str) -> Found:
    try:
        yield raw.read(read_file(stream, DEFAULT), name, where)
    except LimitError as error:
        yield Skipped(f"{where}: {error}")
    except Skipped as error:
        yield error


def known(name: str) -> bool:
    """Whether a file of that name holds results."""
    try:
        return bool(reader(name))
    except KeyError:
        return False


def _files(path: Path) -> Iterator[tuple[str, IO[bytes], str]]:
    """Name, opened content, and how sentences call it, of every file that holds results."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            name = file.relative_to(path.parent).as_posix()
            if not file.is_file():
                continue
            if known(name):
                with file.open("rb") as stream:
                    yield name, stream, str(file)
            elif file.suffix == ".zip":
                yield from _zip(file)
            elif TAR.search(file.name):
                yield from _tar(file)
    elif not path.is_file():
        raise InputError(f"{path} does not exist; give an archive, a folder or a file of published results")
    elif known(path.resolve().as_posix()):
        with path.open("rb") as stream:
            yield path.resolve().as_posix(), stream, str(path)
    elif _begins_like_a_zip(path):  # a tar may end like one: with a zip inside
        yield from _zip(path)
    else:
        yield from _tar(path)


def _begins_like_a_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"PK"


def _zip(path: Path) -> Iterator[tuple[str, IO[bytes], str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                _check_name(path, entry.filename)
                if known(entry.filename) and not entry.is_dir():
                    content = read_member(archive, entry, preprocessed.LIMITS)
                    yield entry.filename, io.BytesIO(content), f"{path}: {entry.filename}"
    except DAMAGE as error:
        raise InputError(f"{path} is truncated or damaged ({error}); get it again") from error


def _tar(path: Path) -> Iterator[tuple[str, IO[bytes], str]]:
    """The members in the order of the archive, one at a time: a stream cannot go back."""
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                _check_name(path, member.name)
                if member.issym() or member.islnk() or member.isdev():
                    raise InputError(f"{path}: {member.name} is a link or a device; results are plain files")
                if known(member.name) and member.isfile():
                    stream = archive.extractfile(member)
                    assert stream is not None  # it is a file
                    yield member.name, io.BytesIO(read_file(stream, preprocessed.LIMITS)), f"{path}: {member.name}"
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, LimitError) as error:
        raise InputError(f"{path} is truncated or no archive ({error}); get it again") from error


def _check_name(path: Path, name: str) -> None:
    if name.startswith("/") or ".." in name.replace("\\", "/").split("/") or "\\" in name:
        raise InputError(f"{path}: the name {name!r} leads out of the archive; nothing of it was read")
