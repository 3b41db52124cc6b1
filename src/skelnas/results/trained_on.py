"""Which processor trained which cell: what of the measured times belongs to a result, and never the times themselves.

Counts are the same bit for bit on one kind of processor with one engine and one PyTorch, and nowhere else; so an
archive says of every training what it was made with. As JSON: a list of groups, each with `device` (its model),
`engine`, `torch`, `skelnas` (versions) and `cells`, the trainings as {seed: "0-124,4999"}. No host is named.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skelnas.cells.selection import select

if TYPE_CHECKING:
    import pandas as pd

KEYS = ("device", "engine", "torch", "skelnas")


@dataclass(frozen=True)
class Origin:
    """What a training was made with; a text is empty where nobody knows."""

    device: str = ""
    engine: str = ""
    torch: str = ""
    skelnas: str = ""

    def __str__(self) -> str:
        if not self.device:
            return "a processor that the archive does not name"
        return f"{self.device}, engine {self.engine or 'unknown'}, torch {self.torch or 'unknown'}"


def trained_on(timing: "pd.DataFrame") -> list[dict[str, Any]]:
    """The groups of a table of measured times (`results.timing`), in the order of their texts."""
    found: dict[tuple[str, ...], dict[int, list[int]]] = {}
    for row in timing.to_dict("records"):
        key = tuple(_text(row.get(name)) for name in KEYS)
        found.setdefault(key, {}).setdefault(int(row["seed"]), []).append(int(row["index"]))
    return [
        dict(zip(KEYS, key, strict=True))
        | {"cells": {str(seed): ranges(found[key][seed]) for seed in sorted(found[key])}}
        for key in sorted(found)
    ]


def origins(groups: Iterable[dict[str, Any]]) -> dict[tuple[int, int], Origin]:
    """The origin of each training (cell, seed).

    Raises:
        KeyError, TypeError, ValueError, InputError: it is none of what `trained_on` gives.
    """
    return {
        (cell, int(seed)): Origin(*(str(group[name]) for name in KEYS))
        for group in groups
        for seed, cells in group["cells"].items()
        for cell in select(cells)
    }


def ranges(cells: Sequence[int]) -> str:
    """Indices as `select` reads them, ascending: 0,1,2,7 is "0-2,7"."""
    found: list[list[int]] = []
    for cell in sorted(set(cells)):
        if found and cell == found[-1][1] + 1:
            found[-1][1] = cell
        else:
            found.append([cell, cell])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
