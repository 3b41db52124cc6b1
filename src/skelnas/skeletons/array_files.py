"""One recording as a file of numbers, in the formats and axis orders that people keep them in."""

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from skelnas.errors import InputError
from skelnas.skeletons.matlab import MatlabError, read_variables
from skelnas.skeletons.recording import BadRecording
from skelnas.untrusted import DEFAULT, LimitError, Limits, parse_json, read_member

SUFFIXES = (".npy", ".npz", ".mat", ".json", ".csv", ".txt")
SIZES = {"xyz": 3, "xy": 2, "xyzc": 4, "xyc": 3}  # c: confidence
DIMENSIONS = {"xyz": 3, "xy": 2, "xyzc": 3, "xyc": 2}
DELIMITERS = ",;\t"


def parse_axes(text: str) -> tuple[str, ...]:
    """The words of an `axes` option: `joints`, `frames` and `xyz`, each once, in the arrays' order.

    In place of `xyz` there may be `xy`, and a `c` for confidence behind either. Two of the three may share one axis:
    "frames joints*xyz" are rows of frames with the columns x y z of joint 1, x y z of joint 2, ...; "frames xyz*joints"
    has all x first. Where frames and joints share one, it must be known how many joints there are.

    Raises:
        InputError: a word is missing, unknown or given twice.
    """
    words = tuple(text.split())
    names = [name for word in words for name in word.split("*")]
    if any(word.count("*") > 1 for word in words) or sorted(names) not in [
        sorted(["joints", "frames", one]) for one in SIZES
    ]:
        raise InputError(
            f'axes: "{text}" does not say where joints, frames and xyz are; write them in the order of the arrays, '
            'such as "frames joints xyz" or "frames joints*xyz"'
        )
    return words


def arrange(array: np.ndarray, axes: tuple[str, ...], where: str, joints: int = 0) -> np.ndarray:
    """Coordinates, joints x frames x 3, from an array with the given `axes`; z is 0 where the array has only x and y.

    Raises:
        BadRecording: another number of axes, or a length that does not fit.
    """
    found, last = _apart(array, axes, where, joints)
    return np.pad(found[:, :, : DIMENSIONS[last]], ((0, 0), (0, 0), (0, 3 - DIMENSIONS[last])))


def confidence(array: np.ndarray, axes: tuple[str, ...], where: str, joints: int = 0) -> np.ndarray | None:
    """Confidence, joints x frames, where the axes have it.

    Raises:
        BadRecording: as `arrange`.
    """
    found, last = _apart(array, axes, where, joints)
    return found[:, :, -1] if last.endswith("c") else None


def _apart(array: np.ndarray, axes: tuple[str, ...], where: str, joints: int) -> tuple[np.ndarray, str]:
    """The array as joints x frames x values, and what the values are."""
    stated = " ".join(axes)
    if array.ndim != len(axes):
        raise BadRecording(f'{where} has shape {array.shape}, which does not fit the axes "{stated}"; correct `axes`')
    sizes = SIZES | (
        {"joints": joints} if joints and any({"frames", "joints"} == {*word.split("*")} for word in axes) else {}
    )
    names, shape = [], []
    for word, length in zip(axes, array.shape, strict=True):
        parts = word.split("*")
        if len(parts) == 2 and not set(parts) & set(sizes):
            raise BadRecording(
                f"{where}: joints share an axis with frames; say how many there are: `joint-tree`, `skeleton`"
            )
        count, rest = divmod(length, math.prod(sizes.get(part, 1) for part in parts))
        if rest or (word in SIZES and count != 1):
            extra = (
                "where the first column holds no coordinate say `leading: [frame]` (or *), else "
                if len(parts) == 2 and rest == 1
                else ""
            )
            raise BadRecording(
                f'{where} has shape {array.shape}, where {length} does not fit "{word}" of the axes "{stated}"; '
                f"{extra}correct `axes`"
            )
        names += parts
        shape += [sizes.get(part, count) for part in parts]
    last = next(name for name in names if name in SIZES)
    return array.reshape(shape).transpose([names.index(name) for name in ("joints", "frames", last)]), last


def read_array(content: bytes, name: str, key: str, where: str, limits: Limits = DEFAULT) -> np.ndarray:
    """The numbers in a file's bytes; `name` gives the format by its suffix (SUFFIXES).

    `key` names the variable in .npz, .mat and .json files; empty where there is only one. Nothing is ever unpickled.
    Text files have one row per line, separated by commas, semicolons, tabs or blanks, and may begin with a heading:
    words, or the numbers of the columns counted from 0, as a data frame without names writes them.

    Raises:
        BadRecording: unknown suffix, damaged file, no such variable, or something else than real numbers.
    """
    try:
        array = _read(content, PurePosixPath(name).suffix.lower(), key, where, limits)
    except BadRecording:
        raise
    except (LimitError, MatlabError) as error:  # they say themselves what to do
        raise BadRecording(f"{where} cannot be read: {error}") from error
    except Exception as error:  # four formats, each with a dozen kinds of its own for a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadRecording(f"{where} cannot be read ({reason}); write the file again") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        found = f"{array.dtype} values" if isinstance(array, np.ndarray) else array
        raise BadRecording(f"{where} holds {found}, not real numbers; write the coordinates alone")
    return array


def _read(content: bytes, suffix: str, key: str, where: str, limits: Limits) -> np.ndarray | str:
    """The array, or in words what else is there."""
    match suffix:
        case ".npy":
            return np.load(io.BytesIO(content), allow_pickle=False)
        case ".npz":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = {name.removesuffix(".npy"): name for name in archive.namelist()}
                array = read_member(archive, _variable(members, key, where), limits)
            return np.load(io.BytesIO(array), allow_pickle=False)
        case ".mat":
            return _variable(read_variables(content, limits.member_bytes), key, where)
        case ".json":
            value = parse_json(content, limits)
            return np.array(_variable(value, key, where) if isinstance(value, dict) else value)
        case ".csv" | ".txt":
            text = content.decode("utf-8-sig")
            limits.check_lines(text)
            return _read_text(text, where)
    raise BadRecording(f"{where} is of no known format; known are {', '.join(SUFFIXES)}")


def _variable(variables: Mapping[str, Any], key: str, where: str) -> Any:
    if key in variables:
        return variables[key]
    names = ", ".join(variables) or "none"
    if key:
        raise BadRecording(f"{where} has no variable {key}, it has {names}; correct `key`")
    if len(variables) != 1:
        raise BadRecording(f"{where} has the variables {names}; say with `key` which one holds the coordinates")
    return variables[next(iter(variables))]


def _read_text(text: str, where: str) -> np.ndarray:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    first = lines[0][1] if lines else ""
    delimiter = max(DELIMITERS, key=first.count) if any(mark in first for mark in DELIMITERS) else None
    if _is_heading(first.split(delimiter)):
        lines = lines[1:]
    if not lines:
        raise ValueError("it holds no numbers")
    try:
        return np.loadtxt([line for _, line in lines], delimiter=delimiter, ndmin=2)
    except ValueError as error:  # numpy counts lines in its own way
        rows = [(number, line.split(delimiter)) for number, line in lines]
        if column := _column_of_words([cells for _, cells in rows]):
            shown = rows[0][1][column - 1].strip()
            raise BadRecording(
                f"{where}: column {column} holds no numbers ({shown!r} and so on); leave that column out"
            ) from error
        raise ValueError(_fault(rows) or str(error)) from error


def _column_of_words(rows: list[list[str]]) -> int:
    """The first column, from 1, without a single number (of times, of names); 0 where there is none."""
    if len({len(cells) for cells in rows}) > 1:
        return 0
    columns = enumerate(zip(*rows, strict=True), start=1)
    return next((number for number, cells in columns if len(cells) > 1 and not any(map(is_number, cells))), 0)


def _fault(rows: list[tuple[int, list[str]]]) -> str:
    """What is wrong with the first row (its line number, its cells) that is not as many numbers as the one above."""
    line, cells = rows[0]
    for number, row in rows:
        if len(row) != len(cells):
            return f"line {number} has {len(row)} columns, line {line} has {len(cells)}"
        if wrong := [cell.strip() for cell in row if not is_number(cell)]:
            return f"line {number}: {wrong[0]!r} is no number"
    return ""


def _is_heading(cells: list[str]) -> bool:
    """Whether a first line names columns: in words, or as 0, 1, 2, ... with the index of a data frame or without."""
    numbers = [float(cell) for cell in cells if is_number(cell)]
    named = len(cells) - len(numbers)
    counted = numbers == list(range(len(numbers))) and len(numbers) > 2
    return not numbers or (counted and (named == 0 or (named == 1 and not is_number(cells[0]))))


def is_number(text: str) -> bool:
    """Whether Python reads it as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True
