"""The arrays of numbers in a MATLAB 5 file (`save -v5`, `-v6`, `-v7`), read without trust in any length it states.

A reader of its own for the few types that recordings need: scipy's ends the process at some damaged files. Source of
the layout: MathWorks, "MAT-File Format" (Level 5 MAT-files). A file is a header of 128 bytes and then elements: a tag
(type, bytes) and the data, filled up to 8 bytes. A variable is one element of type `MATRIX`, or that packed by zlib.
"""

import math
import zlib
from typing import NamedTuple

import numpy as np

HEADER_BYTES = 128
INT8, INT32, UINT32, MATRIX, COMPRESSED = 1, 5, 6, 14, 15
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
ARRAYS = range(6, 16)  # classes of arrays of numbers
OTHERS = {1: "a cell array", 2: "a struct", 3: "an object", 4: "text", 5: "a sparse matrix"}
COMPLEX = 0x0800
MOST_AXES = 32  # of a NumPy array
HDF5 = b"\x89HDF\r\n\x1a\n"


class MatlabError(ValueError):
    """The bytes are no whole MATLAB 5 file; the text says what is wrong."""


class Element(NamedTuple):
    """One data element."""

    kind: int
    data: memoryview


def read_variables(content: bytes, most_bytes: int = 1 << 30) -> dict[str, np.ndarray | str]:
    """Every variable by its name: an array in the type it is stored in, or in words what else it is ("a struct").

    Raises:
        MatlabError: another format, a truncated or damaged file, or more than `most_bytes` when unpacked.
    """
    order = _byte_order(content)
    variables: dict[str, np.ndarray | str] = {}
    for element in _elements(memoryview(content)[HEADER_BYTES:], order):
        if element.kind == COMPRESSED:
            unpacked = _elements(_unpacked(element.data, most_bytes), order)
            if len(unpacked) != 1:
                raise MatlabError(f"a packed variable holds {len(unpacked)} elements in place of one")
            element = unpacked[0]
        if element.kind == MATRIX and len(element.data):
            name, value = _variable(element.data, order)
            variables[name] = value
        elif element.kind != MATRIX and element.kind not in NUMBERS:
            raise MatlabError(f"an element of the unknown type {element.kind} stands where a variable should")
    return variables


def _byte_order(content: bytes) -> str:
    """ "<" or ">"."""
    if content[512:520] == HDF5 or content[:8] == HDF5:
        raise MatlabError("it is a MATLAB 7.3 file; save it with -v7: save(name, '-v7')")
    mark = content[126:128]
    if len(content) < HEADER_BYTES or mark not in (b"IM", b"MI"):
        raise MatlabError("it does not begin like a MATLAB 5 file; save it with -v7: save(name, '-v7')")
    return "<" if mark == b"IM" else ">"


def _elements(data: memoryview, order: str) -> list[Element]:
    """The elements that follow each other in `data`, to its end."""
    found: list[Element] = []
    at = 0
    while at < len(data):
        if len(data) - at < 8:
            raise MatlabError("it ends within a tag; the file was cut off")
        kind, length = (int(number) for number in np.frombuffer(data, f"{order}u4", 2, at))
        start, step = at + 8, length + -length % 8
        if kind >> 16:  # small: the length stands in the upper half, the data where the length would
            kind, length, start, step = kind & 0xFFFF, kind >> 16, at + 4, 0
            if length > 4:
                raise MatlabError(f"a small element says that it has {length} bytes")
        if length > len(data) - start:
            raise MatlabError(f"an element of {length:,} bytes is cut off")
        found.append(Element(kind, data[start : start + length]))
        at = at + 8 + (length if kind == COMPRESSED else step)  # packed ones are not filled up
    return found


def _unpacked(data: memoryview, most_bytes: int) -> memoryview:
    packed = zlib.decompressobj()
    try:
        content = packed.decompress(data, most_bytes)
        if not packed.eof:
            packed.decompress(packed.unconsumed_tail, 1)
    except zlib.error as error:
        raise MatlabError(f"a variable cannot be unpacked: {error}") from error
    if not packed.eof:
        what = "is larger than allowed" if packed.unconsumed_tail else "is cut off"
        raise MatlabError(f"a packed variable {what}")
    return memoryview(content)


def _variable(data: memoryview, order: str) -> tuple[str, np.ndarray | str]:
    """Name and value of one variable; of what is no array of numbers only the first elements are looked at."""
    flags, kind = _flags(data, order)
    if kind not in ARRAYS:
        words = OTHERS.get(kind, f"of the unknown class {kind}")
        return (_name(_elements(data, order)) if kind in OTHERS else "?"), words
    parts = _elements(data, order)
    name = _name(parts)
    if flags & COMPLEX:
        return name, "complex"
    if len(parts) != 4 or parts[1].kind != INT32 or parts[3].kind not in NUMBERS:
        raise MatlabError(f"the variable {name} is not made as an array of numbers is")
    shape = tuple(np.frombuffer(parts[1].data, f"{order}i4").tolist())
    values = _numbers(parts[3], order)
    if not 2 <= len(shape) <= MOST_AXES or min(shape) < 0 or math.prod(shape) != len(values):
        stated = " x ".join(map(str, shape))
        raise MatlabError(f"the variable {name} has {len(values):,} values, which do not make {stated}")
    return name, values.reshape(shape, order="F")


def _flags(data: memoryview, order: str) -> tuple[int, int]:
    """The flags of a variable and its class."""
    if len(data) < 16:
        raise MatlabError("a variable is cut off")
    kind, length, flags = (int(number) for number in np.frombuffer(data, f"{order}u4", 3))
    if (kind, length) != (UINT32, 8):
        raise MatlabError("a variable does not begin with its flags")
    return flags, flags & 0xFF


def _name(parts: list[Element]) -> str:
    if len(parts) < 3 or parts[2].kind != INT8:
        raise MatlabError("a variable has no name")
    return bytes(parts[2].data).decode("latin-1")


def _numbers(element: Element, order: str) -> np.ndarray:
    kind = np.dtype(order + NUMBERS[element.kind])
    if len(element.data) % kind.itemsize:
        raise MatlabError(f"{len(element.data):,} bytes are no whole number of {kind.name} values")
    values = np.frombuffer(element.data, kind)
    return values.astype(kind.newbyteorder("="))
