"""Which cells a run trains, how they are cut into shards, and what a shard is called."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from skelnas.cells.cost import costs
from skelnas.cells.edges import is_connected
from skelnas.cells.equivalence import classes
from skelnas.cells.names import NAMES, named
from skelnas.cells.space import CELLS, all_cells
from skelnas.errors import InputError
from skelnas.files import sha256_of_json

FORMS = (
    "all, one-per-class, resnet, skip-only, input-discarding, stratified-25, or indices and ranges such as 0-781,11472"
)
SHARD_NAME = re.compile(r"(\d{5})-(\d{5})(-[0-9a-f]{8})?", re.ASCII)


def select(text: str | int) -> tuple[int, ...]:
    """Architecture indices, ascending and each once, of a selection: comma-separated terms, joined.

    A term is `all`, an index, a range `first-last` (both included), `one-per-class` (the smallest index of each class
    of equal networks, 5,875 cells), a kind of cells by its name (`names.NAMES`) or `stratified-N` (N connected cells,
    spread evenly from the cheapest to the dearest in multiply-accumulates; always the same ones).

    Raises:
        InputError: a term is none of these, is reversed, or reaches past the last cell.
    """
    chosen: set[int] = set()
    text = str(text)  # YAML reads a lone index as a number
    for term in text.split(","):
        chosen.update(_term(term.strip(), text))
    return tuple(sorted(chosen))


def shards(cells: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """Cut `cells` into consecutive shards of `size` cells; the last may be shorter.

    Raises:
        InputError: the size is below 1.
    """
    if size < 1:
        raise InputError(f"a shard cannot hold {size} cells: give 1 or more cells per shard")
    return [tuple(cells[start : start + size]) for start in range(0, len(cells), size)]


def shard_name(cells: Sequence[int]) -> str:
    """`first-last` in five digits, followed by eight digits of a hash unless the shard holds every cell between them.

    `cells` are ascending indices, each once; the hash is the start of the SHA-256 of their JSON list.
    """
    cells = list(cells)
    name = f"{cells[0]:05d}-{cells[-1]:05d}"
    return name if cells == list(range(cells[0], cells[-1] + 1)) else f"{name}-{sha256_of_json(cells)[:8]}"


def shard_cells(name: str, candidates: Iterable[Sequence[int]] = ()) -> tuple[int, ...]:
    """The cells of the shard called `name`; the inverse of `shard_name`.

    A name without a hash needs no candidates; one with a hash is looked up among `candidates`, the known shards.

    Raises:
        InputError: the name is malformed, reaches past the last cell, or belongs to none of the candidates.
    """
    match = SHARD_NAME.fullmatch(name)
    if match is None:
        raise InputError(
            f"{name!r} is not the name of a shard: expected first and last cell in five digits, such as 00000-00124"
        )
    first, last = int(match[1]), int(match[2])
    _check_range(first, last, f"shard {name}")
    if match[3] is None:
        return tuple(range(first, last + 1))
    for cells in candidates:
        if (cells[0], cells[-1]) == (first, last) and shard_name(cells) == name:
            return tuple(cells)
    raise InputError(
        f"shard {name} belongs to no configured run: give cells and cells-per-shard that lead to this name"
    )


def _term(term: str, text: str) -> Iterable[int]:
    if term == "all":
        return range(CELLS)
    if term == "one-per-class":
        return np.unique(classes("network")).tolist()
    if term in NAMES:
        return np.flatnonzero(named(term)).tolist()
    if match := re.fullmatch(r"stratified-(\d{1,9})", term, re.ASCII):
        return _stratified(int(match[1]), text)
    if match := re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", term, re.ASCII):
        first = int(match[1])
        last = first if match[2] is None else int(match[2])
        _check_range(first, last, f"cells {text!r}")
        return range(first, last + 1)
    what = f"{term!r} is not understood" if term else "a term is empty"
    raise InputError(f"cells {text!r}: {what}; give {FORMS}")


def _check_range(first: int, last: int, where: str) -> None:
    if max(first, last) >= CELLS:
        raise InputError(f"{where}: there is no cell {max(first, last)}; indices run from 0 to {CELLS - 1}")
    if first > last:
        raise InputError(f"{where}: the range {first}-{last} is reversed; write the smaller index first")


def _stratified(number: int, text: str) -> list[int]:
    by_cost = _connected_by_cost()
    if not 1 <= number <= len(by_cost):
        raise InputError(
            f"cells {text!r}: {number} cells cannot be spread over {len(by_cost)} connected cells; "
            f"give a number from 1 to {len(by_cost)}"
        )
    middles = (2 * np.arange(number) + 1) * len(by_cost) // (2 * number)
    return by_cost[middles].tolist()


@lru_cache(maxsize=1)
def _connected_by_cost() -> np.ndarray:
    """The connected cells, the cheapest first: the same order for every image size and number of classes."""
    connected = np.flatnonzero([is_connected(cell) for cell in all_cells()])
    _, macs = costs(classes=10, height=4, width=4)
    return connected[np.argsort(macs[connected], kind="stable")]
