"""One recording as a file of numbers, in the formats and axis orders that people keep them in."""

import io
import json
import math
from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np
import scipy.io

from skelnas.errors import InputError
from skelnas.skeletons.recording import BadRecording

SUFFIXES = (".npy", ".npz", ".mat", ".json", ".csv", ".txt")
SIZES = {"xyz": 3, "xy": 2}
FLATTENED = ("joints*xyz", "xyz*joints", "joints*xy", "xy*joints")
DELIMITERS = ",;\t"


def parse_axes(text: str) -> tuple[str, ...]:
    """The words of an `axes` option: `joints`, `frames` and `xyz` (or `xy`), each once, in the arrays' order.

    Two of them may share one axis: "frames joints*xyz" are rows of frames with the columns x y z of joint 1, x y z of
    joint 2, ...; "frames xyz*joints" has all x first.

    Raises:
        InputError: a word is missing, unknown or given twice.
    """
    words = tuple(text.split())
    names = sorted(name for word in words for name in word.split("*"))
    known = all(word in ("joints", "frames", "xyz", "xy") or word in FLATTENED for word in words)
    if not known or names not in (["frames", "joints", "xyz"], ["frames", "joints", "xy"]):
        raise InputError(
            f'axes: "{text}" does not say where joints, frames and xyz are; write them in the order of the arrays, '
            'such as "frames joints xyz" or "frames joints*xyz"'
        )
    return words


def arrange(array: np.ndarray, axes: tuple[str, ...], where: str) -> np.ndarray:
    """Coordinates, joints x frames x 3, from an array with the given `axes`; z is 0 where the array has only x and y.

    Raises:
        BadRecording: another number of axes, or a length that does not fit.
    """
    stated = " ".join(axes)
    if array.ndim != len(axes):
        raise BadRecording(f'{where} has shape {array.shape}, which does not fit the axes "{stated}"; correct `axes`')
    names, shape = [], []
    for word, length in zip(axes, array.shape, strict=True):
        parts = word.split("*")
        count, rest = divmod(length, math.prod(SIZES.get(part, 1) for part in parts))
        if rest or (word in SIZES and count != 1):
            raise BadRecording(
                f'{where} has shape {array.shape}, where {length} does not fit "{word}" of the axes "{stated}"; '
                "correct `axes`"
            )
        names += parts
        shape += [SIZES.get(part, count) for part in parts]
    last = next(name for name in names if name in SIZES)
    coordinates = array.reshape(shape).transpose([names.index(name) for name in ("joints", "frames", last)])
    return np.pad(coordinates, ((0, 0), (0, 0), (0, 3 - SIZES[last])))


def read_array(content: bytes, name: str, key: str, where: str) -> np.ndarray:
    """The numbers in a file's bytes; `name` gives the format by its suffix (SUFFIXES).

    `key` names the variable in .npz, .mat and .json files; empty where there is only one. Nothing is ever unpickled.
    Text files have one row per line, separated by commas, semicolons, tabs or blanks, and may begin with a heading.

    Raises:
        BadRecording: unknown suffix, damaged file, no such variable, or something else than real numbers.
    """
    try:
        array = _read(content, PurePosixPath(name).suffix.lower(), key, where)
    except BadRecording:
        raise
    except Exception as error:  # four formats, each with a dozen kinds of its own for a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadRecording(f"{where} cannot be read ({reason}); write the file again") from error
    if array.dtype.kind not in "fiu":
        raise BadRecording(f"{where} holds {array.dtype} values, not real numbers; write the coordinates alone")
    return array


def _read(content: bytes, suffix: str, key: str, where: str) -> np.ndarray:
    match suffix:
        case ".npy":
            return np.load(io.BytesIO(content), allow_pickle=False)
        case ".npz":
            with np.load(io.BytesIO(content), allow_pickle=False) as variables:
                return _variable(variables, key, where)
        case ".mat":
            variables = scipy.io.loadmat(io.BytesIO(content))
            return _variable({name: value for name, value in variables.items() if name[:2] != "__"}, key, where)
        case ".json":
            value = json.loads(content)
            return np.array(_variable(value, key, where) if isinstance(value, dict) else value)
        case ".csv" | ".txt":
            return _read_text(content.decode("utf-8-sig"))
    raise BadRecording(f"{where} is of no known format; known are {', '.join(SUFFIXES)}")


def _variable(variables: Mapping, key: str, where: str) -> np.ndarray:
    if key in variables:
        return variables[key]
    names = ", ".join(variables) or "none"
    if key:
        raise BadRecording(f"{where} has no variable {key}, it has {names}; correct `key`")
    if len(variables) != 1:
        raise BadRecording(f"{where} has the variables {names}; say with `key` which one holds the coordinates")
    return variables[next(iter(variables))]


def _read_text(text: str) -> np.ndarray:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    first = lines[0][1] if lines else ""
    delimiter = max(DELIMITERS, key=first.count) if any(mark in first for mark in DELIMITERS) else None
    if not any(_is_number(cell) for cell in first.split(delimiter)):
        lines = lines[1:]
    if not lines:
        raise ValueError("it holds no numbers")
    try:
        return np.loadtxt([line for _, line in lines], delimiter=delimiter, ndmin=2)
    except ValueError as error:  # numpy counts lines in its own way
        raise ValueError(_fault([(number, line.split(delimiter)) for number, line in lines]) or str(error)) from error


def _fault(rows: list[tuple[int, list[str]]]) -> str:
    """What is wrong with the first row (its line number, its cells) that is not as many numbers as the one above."""
    line, cells = rows[0]
    for number, row in rows:
        if len(row) != len(cells):
            return f"line {number} has {len(row)} columns, line {line} has {len(cells)}"
        if wrong := [cell.strip() for cell in row if not _is_number(cell)]:
            return f"line {number}: {wrong[0]!r} is no number"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
