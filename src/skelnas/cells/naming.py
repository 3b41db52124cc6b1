"""The ways in which people name a cell: index, string, six digits, or the equivalence class that it stands for."""

import operator
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from skelnas.cells import space
from skelnas.errors import InputError

DIGITS = re.compile(r"[0-9]{6}")
CLASS = re.compile(r"class (\d{1,5})")
FORMS = (
    f"an index from 0 to {space.CELLS - 1}, a string such as {space.EXAMPLE}, six digits such as '313124', or 'class 3'"
)

Named = int | str | Sequence[int]


def class_number(name: object) -> int | None:
    """The smallest index of the class that `name` ("class 3") names; None where it names no class."""
    found = CLASS.fullmatch(name.strip()) if isinstance(name, str) else None
    return int(found[1]) if found else None


def index_of(name: Any) -> int:
    """The architecture index of a cell, given as whole number, string, six digits ("313124" or a sequence of six).

    Digits are positions in `space.OPERATIONS`, in the order of `space.EDGES`. A number alone is always an index.

    Raises:
        InputError: there is no such cell, or it is named in no such way.
    """
    if isinstance(name, str):
        if DIGITS.fullmatch(name.strip()):
            return space.index(space.of_digits(map(int, name.strip())))
        return space.index(space.parse(name))
    if isinstance(name, list | tuple) or (isinstance(name, np.ndarray) and name.ndim == 1):
        return space.index(space.of_digits(whole("digit", digit) for digit in name))
    index = whole("cell", name)
    space.cell(index)  # refuses what is no architecture index
    return index


def whole(what: str, value: Any) -> int:
    """`value` as int, if it is a whole number of Python or NumPy and no truth value.

    Raises:
        InputError: it is anything else.
    """
    if not isinstance(value, bool | np.bool_):
        try:
            return operator.index(value)
        except TypeError:
            pass
    form = FORMS if what == "cell" else "a whole number"
    raise InputError(f"{value!r} is no {what}: give {form}")
