"""Every HDF5 file of skelnas is written and opened here.

A file is built in memory and written as plain bytes, so a full disk is an ordinary error of writing. It is read through
a Python file object, which takes no lock, whatever HDF5_USE_FILE_LOCKING says. Superblock and object headers are of the
versions that carry checksums (HDF5 1.10), every array has its Fletcher-32, texts are of fixed length (no global heap),
and nothing depends on a clock: equal content gives equal bytes. Arrays are packed with gzip: no plugin is needed.

Two attributes let a reader notice what checksums of 32 bits let through: `arrays` (JSON: type, shape and SHA-256 of
each array) and the seal, a SHA-256 over every other attribute, `arrays` included.
"""

import contextlib
import hashlib
import io
import json
import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5fd, h5l, h5p, h5t

from skelnas.errors import InputError
from skelnas.files import sha256_of_file, sha256_of_json, whole_file
from skelnas.text import first_line

Attributes = Mapping[str, str | int]
# What h5py raises on a damaged file; a caller turns them into a sentence with `unreadable`.
READ_ERRORS = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError, MemoryError)
ARRAYS, SEAL = "arrays", "seal"  # names of the two attributes
CACHE_BYTES = 16 << 20  # HDF5's own cache of unpacked chunks, for each array
UNPACKED = 1_100  # times its size: gzip reaches 1,032
COMPACT = 64  # so many attributes stay in the object header, below its checksum
HEAP, HEAP_HEADER, OBJECT_HEADER = b"GCOL", 16, 16  # a global heap, of format 1: signature, sizes in bytes


@dataclass(frozen=True)
class Stored:
    """An array with the shape of its chunks (None: one chunk), and the value that stands for a missing number."""

    array: np.ndarray
    chunks: tuple[int, ...] | None = None
    missing: Any = None


def write(path: Path | str, arrays: Mapping[str, Stored], attributes: Attributes, seal: str = SEAL) -> None:
    """Write `path`, whole or not at all, and read it back before it gets its name; `seal` names the seal's attribute.

    Raises:
        InputError: the disk is full or the folder cannot be written.
    """
    attributes = sealed(arrays, attributes, seal)
    content = io.BytesIO()
    with _created(content) as file:
        for name, value in attributes.items():
            file.attrs.create(name, **_attribute(value))
        for name, stored in arrays.items():
            _store(file, name, stored)
    digest = hashlib.sha256(content.getbuffer()).hexdigest()

    def verify(written: Path) -> None:
        if sha256_of_file(written) != digest or damaged_arrays(written):
            raise OSError(f"{path} does not read back as written")

    with whole_file(path, verify) as temporary:
        temporary.write_bytes(content.getbuffer())


def sealed(arrays: Mapping[str, Stored], attributes: Attributes, seal: str = SEAL) -> dict[str, str | int]:
    """The attributes as they are written: with `arrays` and the seal."""
    outline = {name: _outline(stored.array) for name, stored in arrays.items()}
    attributes = {**attributes, ARRAYS: json.dumps(outline, sort_keys=True)}
    return {**attributes, seal: sha256_of_json(attributes)}


@contextlib.contextmanager
def opened(path: Path | str) -> Iterator[tuple[h5py.File, dict[str, str | int]]]:
    """An HDF5 file for reading, without a lock, and its attributes as plain values; those of format 1 too.

    Raises:
        InputError: the file may not be read.
        READ_ERRORS: there is no such file, or it is damaged.
    """
    try:
        stream = Path(path).open("rb")  # noqa: SIM115
    except PermissionError as error:
        raise InputError(f"{path} may not be read ({error.strerror}); give yourself the right to read it") from error
    with stream, h5py.File(stream, "r", rdcc_nbytes=CACHE_BYTES) as file:
        yield file, _attributes(file, stream)


def dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """An array of an opened file, not read yet; every array is opened here.

    Raises:
        READ_ERRORS: there is none, it lies elsewhere (links, external and virtual storage could name any file of the
            machine), or it claims to be larger than what its file can hold.
    """
    elsewhere = f"{name} is not in this file itself"
    if file.id.links.get_info(name.encode()).type != h5l.TYPE_HARD:
        raise ValueError(elsewhere)
    found = file[name]
    creation = found.id.get_create_plist()
    if creation.get_layout() == h5d.VIRTUAL or creation.get_external_count():
        raise ValueError(elsewhere)
    if found.nbytes > UNPACKED * file.id.get_filesize():
        raise ValueError(f"{name} claims to be larger than its file can hold")
    return found


def check_seal(attributes: Attributes, seal: str = SEAL) -> None:
    """Refuse attributes that are not what was written, with `ValueError`."""
    rest = {name: value for name, value in attributes.items() if name != seal}
    if attributes.get(seal) != sha256_of_json(rest):
        raise ValueError(f"its attributes do not fit its {seal}")


def check_arrays(attributes: Attributes, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays, as read, that are not what was written, with `ValueError`."""
    outlines = json.loads(str(attributes[ARRAYS]))
    for name, array in arrays.items():
        if _outline(array) != outlines[name]:
            raise ValueError(f"{name} is not what was written")


def damaged_arrays(path: Path | str) -> list[str]:
    """The names of the arrays that are not what was written, everything read; of a file that has the two attributes."""
    with opened(path) as (file, attributes):
        outlines = json.loads(str(attributes[ARRAYS]))
        return [name for name, outline in outlines.items() if _outline(dataset(file, name)[()]) != outline]


def unreadable(path: Path | str, error: BaseException, what: str, remedy: str) -> InputError:
    """The sentence for an error of READ_ERRORS: that the file is damaged, with the remedy; or that the disk is at
    fault, if its plain bytes cannot be read either."""
    try:
        sha256_of_file(path)
    except OSError as fault:
        return InputError(f"{path} cannot be read ({fault.strerror}); it need not be damaged: see to the disk first")
    return InputError(f"{path} {what} ({first_line(error)}); {remedy}")


def _created(content: io.BytesIO) -> h5py.File:
    creation, access = h5p.create(h5p.FILE_CREATE), h5p.create(h5p.FILE_ACCESS)
    creation.set_attr_phase_change(COMPACT, 0)
    creation.set_obj_track_times(False)
    access.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    access.set_fileobj_driver(h5fd.fileobj_driver, content)
    return h5py.File(h5f.create(b"in memory", h5f.ACC_TRUNC, fcpl=creation, fapl=access))


def _store(file: h5py.File, name: str, stored: Stored) -> None:
    array = stored.array
    options: dict[str, object] = {"track_times": False, "fillvalue": stored.missing}
    if array.size:
        options |= {"chunks": stored.chunks or array.shape, "compression": "gzip", "compression_opts": 4}
        options |= {"shuffle": array.itemsize > 1 and array.dtype.kind != "S", "fletcher32": True}
    file.create_dataset(name, data=array, **options)


def _attribute(value: str | int) -> dict[str, object]:
    if isinstance(value, str):
        text = value.encode() or b"\0"
        return {"data": np.array(text), "dtype": h5py.string_dtype("utf-8", len(text))}
    return {"data": np.int64(value)}


def _attributes(file: h5py.File, stream: BinaryIO) -> dict[str, str | int]:
    """The attributes of a file as plain values, each opened once: h5py's own mapping takes ten times as long."""
    names: list[bytes] = []
    h5a.iterate(file.id, names.append)
    opened = [h5a.open(file.id, name=name) for name in names]
    types = [attribute.get_type() for attribute in opened]
    if any(isinstance(kind, h5t.TypeStringID) and kind.is_variable_str() for kind in types):
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            _refuse_broken_heap(content)
    return {name.decode(): _plain(*pair) for name, *pair in zip(names, opened, types, strict=True)}


def _plain(attribute: h5a.AttrID, kind: h5t.TypeID) -> str | int:
    if isinstance(kind, h5t.TypeIntegerID):
        value = np.empty(attribute.shape, dtype=np.int64)
        attribute.read(value, h5t.NATIVE_INT64)
        return int(value[()])
    # Reading with the type of the file spares a search for one that fits.
    fixed = isinstance(kind, h5t.TypeStringID) and not kind.is_variable_str()
    text = np.empty(attribute.shape, dtype=f"S{kind.get_size()}" if fixed else attribute.dtype)
    attribute.read(text, kind if fixed else None)
    found = text[()]
    return found.decode() if isinstance(found, bytes) else str(found)


def _outline(array: np.ndarray) -> list[object]:
    """Type, shape and SHA-256 of the values, the same on every machine."""
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return [array.dtype.str, list(array.shape), hashlib.sha256(array.data if array.size else b"").hexdigest()]


def _refuse_broken_heap(content: mmap.mmap) -> None:
    """Walk the global heaps of a file of format 1: HDF5 reads for ever where an object does not lead on within one.

    Source: HDF5 File Format Specification 3.0, III.E, "Disk Format: Level 1E - Global Heap".
    """
    start = content.find(HEAP)
    while start >= 0:
        place, end = start + HEAP_HEADER, start + int.from_bytes(content[start + 8 : start + HEAP_HEADER], "little")
        if end > len(content) or end < place:
            raise ValueError("its global heap is damaged")
        while end - place >= OBJECT_HEADER:
            number, length = (
                int.from_bytes(content[place + at : place + to], "little") for at, to in ((0, 2), (8, 16))
            )
            # Object 0 is the free space, and counts its own header.
            step = OBJECT_HEADER + (length + 7) // 8 * 8 if number else length
            if not 0 < step <= end - place:
                raise ValueError("its global heap is damaged")
            place += step
        start = content.find(HEAP, end)
