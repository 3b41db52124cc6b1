"""Trainings that finished shards hold already, whatever study they belong to: no cell is trained twice.

A training is its image set, the values of its recipe, the network, its cell and its seed. Finished shards of one data
set are looked through by the range in the file name first, then by what the file says of itself, so that hundreds take
a second. Imported shards are never taken, nor is what a journal of another shard holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skelnas.cells.selection import SHARD_NAME
from skelnas.errors import InputError
from skelnas.recipe import NETWORK_VERSION, Recipe
from skelnas.results.shard import TRAINED, Header, Shard, identity, read_header, read_shard, write_shard
from skelnas.results.timing import Timing, timings_of, write_timing


@dataclass(frozen=True)
class Finished:
    """One training as its shard holds it: curves (3, epochs), and what was measured, None without a sidecar."""

    loss: np.ndarray
    top1: np.ndarray
    top5: np.ndarray
    timing: Timing | None


class FinishedShards:
    """The finished shards of one data set and seed that were trained on these images with these recipe values.

    folder: results/train/{dataset}; every recipe's folder in it is looked at.
    """

    def __init__(self, folder: Path, fingerprint: str, recipe: Recipe, seed: int) -> None:
        self._wanted = (fingerprint, recipe.as_dict(), seed, NETWORK_VERSION, TRAINED)
        self._ranges = []
        for path in sorted(folder.glob(f"*/seed{seed}/*.h5")):
            if match := SHARD_NAME.fullmatch(path.stem):
                self._ranges.append((int(match[1]), int(match[2]), path))
        self._headers: dict[Path, Header | None] = {}

    def holding(self, cells: Iterable[int], besides: Path | None = None) -> dict[int, Path]:
        """Which shard holds which of `cells`, the first by name where there are several; `besides` is left out."""
        wanted, found = set(cells), {}
        for first, last, path in self._ranges:
            if not wanted:
                break
            if path != besides and any(first <= cell <= last for cell in wanted):
                header = self._header(path)
                here = wanted.intersection(header.cells) if header else ()
                found.update(dict.fromkeys(here, path))
                wanted.difference_update(here)
        return found

    def take(self, cells: Iterable[int], besides: Path | None = None) -> dict[int, Finished]:
        """Those of `cells` that a shard holds, read and checked; a damaged shard holds none."""
        found: dict[int, Finished] = {}
        sources: dict[Path, list[int]] = {}
        for cell, path in self.holding(cells, besides).items():
            sources.setdefault(path, []).append(cell)
        for path, own in sources.items():
            try:
                shard = read_shard(path)
            except InputError:
                continue
            origin, timings = "/".join(path.parts[-4:]), timings_of(path)
            for row in np.flatnonzero(np.isin(shard.cells, own)):
                cell = int(shard.cells[row])
                curves = (shard.loss[row], shard.top1[row], shard.top5[row])
                timing = {"taken-from": origin, **timings[cell]} if cell in timings else None
                found[cell] = Finished(*curves, timing)
        return found

    def regroup(self, cells: Sequence[int], path: Path) -> bool:
        """Write the shard `path` and its sidecar from what other shards hold; whether all of `cells` were there."""
        taken = self.take(cells, path)
        if len(taken) != len(cells):
            return False
        fingerprint, recipe, seed, *_ = self._wanted
        source = read_shard(self.holding(cells[:1], path)[cells[0]])
        values: dict[str, Any] = {
            name: np.stack([getattr(taken[cell], name) for cell in cells]) for name in ("loss", "top1", "top5")
        }
        shard = Shard(
            cells=np.array(cells, dtype=np.int32),
            **values,
            learning_rate=source.learning_rate,
            samples=source.samples,
            dataset=source.dataset,
            fingerprint=fingerprint,
            recipe=recipe,
            seed=seed,
            identity=identity(fingerprint, Recipe(**dict[str, Any](recipe)), cells, seed),
        )
        write_timing(path, seed, {cell: taken[cell].timing for cell in cells})
        write_shard(path, shard)
        return True

    def _header(self, path: Path) -> Header | None:
        """What a shard says of itself; None where it is damaged or of other images, recipe values or network."""
        if path not in self._headers:
            try:
                header = read_header(path)
            except InputError:
                self._headers[path] = None
                return None
            found = (header.fingerprint, header.recipe, header.seed, header.network_version, header.source)
            self._headers[path] = header if found == self._wanted else None
        return self._headers[path]
