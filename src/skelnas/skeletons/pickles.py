"""Pickles of plain values and numpy arrays, read without running anything that they name.

Dicts, lists, tuples, texts, numbers and arrays may be built; what is named beyond these `unpickling` refuses. Arrays
are built by this module from their bytes, not by numpy's own constructors, so that a shape that does not fit its bytes
costs no memory. The format is Python's (pickle protocols 0 to 5) with numpy's `__reduce__`.
"""

import io
import math
from collections import OrderedDict
from typing import Any

import numpy as np

from skelnas import unpickling

KINDS = "fiub"  # numbers and truth values; `O` is a list


class _Type:
    """A dtype on its way: its name, then its byte order."""

    def __init__(self, name: object, align: object = False, copy: object = False) -> None:
        self.dtype: np.dtype = np.dtype(str(name))
        if not isinstance(name, str) or self.dtype.kind not in KINDS + "OUS":
            raise ValueError(f"an array of {str(name)[:40]}, not of numbers or texts")

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "="):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array on its way; `plain` makes it one."""

    value: Any = None

    def __init__(self, *_: object) -> None:
        """What numpy's own function makes an empty array of: class, shape and type, all stated again later."""

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, content = state
        self.value = _array(content, kind, shape, "F" if fortran else "C")


def _array(content: Any, kind: Any, shape: Any, order: Any) -> Any:
    if not isinstance(kind, _Type) or not all(isinstance(size, int) and size >= 0 for size in shape):
        raise ValueError("an array without a type or shape")
    if kind.dtype.kind == "O":
        if not isinstance(content, list) or len(content) != math.prod(shape):
            raise ValueError("an array of objects that are not there")
        return content if len(shape) == 1 else _nested(content, list(shape))
    content = content.encode("latin1") if isinstance(content, str) else content
    if not isinstance(content, bytes | bytearray):
        raise ValueError("an array without its bytes")
    if len(content) != math.prod(shape) * kind.dtype.itemsize:
        raise ValueError(f"an array of shape {tuple(shape)} in {len(content)} bytes")
    return np.frombuffer(content, kind.dtype).reshape(shape, order="F" if order == "F" else "C")


def _nested(content: list, shape: list[int]) -> list:
    if len(shape) < 2 or not shape[0]:
        return content
    size = len(content) // shape[0]
    return [_nested(content[start : start + size], shape[1:]) for start in range(0, len(content), max(size, 1))]


def _from_buffer(content: Any, kind: Any, shape: Any, order: Any) -> _Array:
    array = _Array()
    array.value = _array(content, kind, shape, order)
    return array


def _scalar(kind: Any, content: Any = b"") -> Any:
    return _array(content, kind, (), "C").item() if isinstance(kind, _Type) else None


def _latin1(text: Any, code: Any = "") -> bytes:
    if code != "latin1":
        raise ValueError(f"a text in {str(code)[:40]}")
    return str(text).encode("latin1")


def _ndarray(*_: object) -> None:
    raise ValueError("numpy.ndarray as a function")


NAMES: unpickling.Names = {
    ("numpy", "dtype"): _Type,
    ("numpy", "ndarray"): _ndarray,
    ("_codecs", "encode"): _latin1,
    ("collections", "OrderedDict"): OrderedDict,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
}


def load(content: bytes, where: str) -> Any:
    """The value of a pickle; arrays in it still have to be asked for with `plain`. `where` names it in sentences.

    Raises:
        unpickling.ForeignError: it names something that is neither an array nor a plain type.
        InputError: it is damaged, or no pickle.
    """
    return unpickling.read(io.BytesIO(content), NAMES, where)


def plain(value: Any) -> Any:
    """An array as numpy has it, anything else as it is."""
    return value.value if isinstance(value, _Array) else value
