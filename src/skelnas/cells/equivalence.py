"""Which cells are the same network: exact equivalence classes, under a chosen notion of sameness.

A node's value is written as a multiset of terms: the input, a convolution of a value, an average pool of a value.
Skips vanish, sums flatten, equal pools are one. Every convolution instance has weights of its own, so a convolution
used twice is not two convolutions. Two cells are equivalent when renaming the convolutions of one, kind by kind, gives
the expression of the other; the smallest expression over all renamings is therefore an exact key.

Which notion to take depends on the question. Cells of one class of "network" are the same trained function, with the
same variables under other names: it is the notion of the selection `one-per-class`, of the summary's
`class_representative` and of the noise between equivalent cells. "graph" looks at what is computed from the input
alone, as NAS-Bench-201 means it: it drops convolutions of an all-zero node, whose BatchNorm still learns a bias, so
3,310 cells have another trained function than the representative of their graph. Even cells that are the same network
are independent trials in training: their initial values and sample orders differ, and so do the parameter counts, which
include edges that reach no output.
"""

import functools
import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from skelnas.cells import space
from skelnas.cells.edges import pruned, trained_edges
from skelnas.cells.space import (
    CELLS,
    CONVOLUTIONS,
    EDGES,
    NODES,
    NONE,
    POOL,
    SKIP,
    Cell,
    all_cells,
    of_digits,
)
from skelnas.errors import InputError

INPUT = ("input",)


class Notion(NamedTuple):
    """What counts as the same: see `NOTIONS`."""

    keep_bias: bool  # a convolution of an all-zero node adds its BatchNorm's learned bias, a variable of its own
    linear_pool: bool  # pool(a + b) equals pool(a) + pool(b)


NOTIONS = {
    "network": Notion(keep_bias=True, linear_pool=False),  # the function of the network as it is built and trained
    "graph": Notion(keep_bias=False, linear_pool=False),  # the pruned graph; 0 and conv(0) are nothing
    "graph-linear": Notion(keep_bias=False, linear_pool=True),
}

# A term is a nested tuple whose first items settle every comparison between terms of different kinds.
Value = tuple[tuple, ...]


@functools.cache
def classes(notion: str = "network") -> np.ndarray:
    """For every cell the smallest architecture index of its equivalence class: int64, shape (15,625,), read-only.

    Args:
        notion: a key of `NOTIONS`; all cells without a path from input to output are one class of "graph".

    Raises:
        InputError: the notion is not known.
    """
    rules = _rules(notion)
    keys: dict[Cell, Value] = {}  # cells share a key as soon as what matters of them is the same
    first: dict[Value, int] = {}
    smallest = np.empty(CELLS, dtype=np.int64)
    for position, cell in enumerate(all_cells()):
        relevant = _relevant(cell, rules)
        if relevant not in keys:
            keys[relevant] = _key(relevant, rules)
        smallest[position] = first.setdefault(keys[relevant], position)
    smallest.flags.writeable = False
    return smallest


def representatives(cells: Iterable[int]) -> tuple[int, ...]:
    """The smallest index of each class of equal networks among `cells`, ascending; it need not be one of them."""
    return tuple(np.unique(classes("network")[list(cells)]).tolist())


def members(index: int, notion: str = "network") -> np.ndarray:
    """The cells of the class of one cell, ascending: int64. Quicker than `classes`, which looks at all of them.

    Raises:
        InputError: there is no such cell, or the notion is not known.
    """
    rules = _rules(notion)
    relevant = [_relevant(cell, rules) for cell in all_cells()]
    own = _relevant(space.cell(index), rules)
    # Each convolution has weights of its own, so equal cells have as many of either kind.
    alike = {cell for cell in relevant if _convolutions(cell) == _convolutions(own)}
    key = _key(own, rules)
    same = {cell for cell in alike if _key(cell, rules) == key}
    return np.array([position for position, cell in enumerate(relevant) if cell in same])


def _rules(notion: str) -> Notion:
    if notion not in NOTIONS:
        raise InputError(f"there is no notion of equivalence {notion!r}: choose one of {', '.join(NOTIONS)}")
    return NOTIONS[notion]


def _relevant(cell: Cell, rules: Notion) -> Cell:
    """The cell with `none` on every edge that does not matter."""
    if not rules.keep_bias:
        return pruned(cell)
    kept = trained_edges(cell).all
    return of_digits(digit if edge in kept else NONE for edge, digit in enumerate(cell))


def _convolutions(cell: Cell) -> tuple[int, ...]:
    return tuple(cell.count(kind) for kind in CONVOLUTIONS)


def _key(cell: Cell, rules: Notion) -> Value:
    return min(_output(cell, names, rules) for names in _namings(cell))


def _namings(cell: Cell) -> Iterator[dict[int, int]]:
    """Every way to number the convolutions of each kind: dictionaries from edge position to number."""
    kinds = [[edge for edge, digit in enumerate(cell) if digit == kind] for kind in CONVOLUTIONS]
    for orders in itertools.product(*(itertools.permutations(range(len(edges))) for edges in kinds)):
        yield {
            edge: number
            for edges, order in zip(kinds, orders, strict=True)
            for edge, number in zip(edges, order, strict=True)
        }


def _output(cell: Cell, names: dict[int, int], rules: Notion) -> Value:
    """The output node's value, convolutions named by `names`."""
    values: list[Value] = [(INPUT,)]
    for target in range(1, NODES):
        terms: list[tuple] = []
        for edge, ((source, end), digit) in enumerate(zip(EDGES, cell, strict=True)):
            if end == target and digit != NONE:
                terms.extend(_terms(digit, values[source], names.get(edge), rules))
        values.append(tuple(sorted(terms)))
    return values[-1]


def _terms(digit: int, value: Value, name: int | None, rules: Notion) -> Value:
    """What an operation on `value` adds to its target node; the empty value is zero."""
    if digit == SKIP:
        return value
    if digit == POOL:
        if rules.linear_pool:
            return tuple(("pool", (term,)) for term in value)
        return (("pool", value),) if value else ()
    if not value and not rules.keep_bias:
        return ()
    return (("convolution", digit, name, value),)
