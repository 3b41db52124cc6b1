"""The 15,625 cells of NAS-Bench-201, in the order of its published architecture indices.

A cell is a tuple of six digits, one per edge in the order of `EDGES`; a digit is a position in `OPERATIONS`.
Source: Dong and Yang, "NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search", ICLR 2020.
"""

import functools
import itertools
import random
from collections.abc import Iterable
from typing import cast

from skelnas.errors import InputError

Cell = tuple[int, int, int, int, int, int]

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NONE, SKIP, CONV1, CONV3, POOL = range(len(OPERATIONS))
CONVOLUTIONS = (CONV1, CONV3)

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # (source node, target node)
NODES = 4  # node 0 is the cell's input, node 3 its output
CELLS = len(OPERATIONS) ** len(EDGES)

SHUFFLE_SEED = 88  # the seed with which NAS-Bench-201 shuffled its list of cells
EXAMPLE = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|avg_pool_3x3~0|nor_conv_1x1~1|skip_connect~2|"


@functools.cache
def all_cells() -> tuple[Cell, ...]:
    """All 15,625 cells; the position in the tuple is the architecture index."""
    operations = range(len(OPERATIONS))
    # Written out, one range for each edge, so that its type is a cell's.
    cells = list(itertools.product(operations, operations, operations, operations, operations, operations))
    random.Random(SHUFFLE_SEED).shuffle(cells)
    return tuple(cells)


@functools.cache
def _positions() -> dict[Cell, int]:
    return {digits: position for position, digits in enumerate(all_cells())}


def cell(index: int) -> Cell:
    """The cell with architecture index `index`.

    Raises:
        InputError: the index is not in 0..15,624.
    """
    if not 0 <= index < CELLS:
        raise InputError(f"there is no cell {index}: architecture indices run from 0 to {CELLS - 1}")
    return all_cells()[index]


def of_digits(digits: Iterable[int]) -> Cell:
    """The cell of six operations, in the order of `EDGES`; what is no six is refused by whoever looks it up."""
    return cast(Cell, tuple(digits))


def index(digits: Cell) -> int:
    """The architecture index of a cell.

    Raises:
        InputError: `digits` are not six whole numbers from 0 to 4.
    """
    try:
        return _positions()[of_digits(digits)]
    except (KeyError, TypeError):
        raise InputError(
            f"{digits!r} is not a cell: give six digits from 0 to {len(OPERATIONS) - 1}, one operation for each edge"
        ) from None


def text(digits: Cell) -> str:
    """The canonical string of a cell: per target node its edges as `operation~source` (see `EXAMPLE`)."""
    edges = zip(EDGES, digits, strict=True)
    nodes = itertools.groupby(edges, key=lambda edge: edge[0][1])
    return "+".join("".join(f"|{OPERATIONS[digit]}~{source}" for (source, _), digit in node) + "|" for _, node in nodes)


def parse(string: str) -> Cell:
    """The cell of a canonical string such as `EXAMPLE`; blanks around it are allowed, anything else is not.

    Raises:
        InputError: the string is malformed; the sentence says where and shows a well-formed one.
    """
    groups = string.strip().split("+")
    if len(groups) != NODES - 1:
        raise _malformed(string, f"it has {_count(len(groups), 'part')} separated by '+', expected {NODES - 1}")
    digits: list[int] = []
    for target, group in enumerate(groups, start=1):
        if len(group) < 2 or not (group.startswith("|") and group.endswith("|")):
            raise _malformed(string, f"the part of node {target}, {group!r}, does not begin and end with '|'")
        entries = group[1:-1].split("|")
        if len(entries) != target:
            raise _malformed(string, f"node {target} has {_count(len(entries), 'edge')}, expected {target}")
        digits += [_digit(string, entry, source, target) for source, entry in enumerate(entries)]
    return of_digits(digits)


def _digit(string: str, entry: str, source: int, target: int) -> int:
    operation, tilde, origin = entry.partition("~")
    if not tilde:
        raise _malformed(string, f"{entry!r}, edge {source + 1} of node {target}, lacks '~' and its source node")
    if operation not in OPERATIONS:
        raise _malformed(string, f"{operation!r} on edge {source}>{target} is none of {', '.join(OPERATIONS)}")
    if origin != str(source):
        raise _malformed(string, f"edge {source + 1} of node {target} comes from {origin!r}, expected '{source}'")
    return OPERATIONS.index(operation)


def _malformed(string: str, reason: str) -> InputError:
    return InputError(f"the cell {string.strip()!r} cannot be read: {reason}; a correct one is {EXAMPLE}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
