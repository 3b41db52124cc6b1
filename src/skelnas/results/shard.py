"""Shard files: the learning curves of some cells with one data set, recipe and seed.

Layout of format 2 (n cells, 3 splits in the order of `SPLITS`, E epochs): cell (n,) uint16; loss (n, 3, E) float32,
cross-entropy averaged over the samples; top1, top5 (n, 3, E), correct predictions in the smallest unsigned type
(`results.counts` says what stands for a missing one); learning_rate (E,) float64; samples (3,) int64, per split.
Attributes: format, identity (of the training: image set, recipe, cells, seed, network), dataset, fingerprint (of the
image set), recipe (JSON), seed, network_version, source (trained here, or imported and from where), and `arrays` and
`seal` of `skelnas.hdf5`. The bytes depend on these values alone; what is measured lies beside the shard in
`{name}.timing.json`. Format 1, which has wider types and no source, is read as well.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from skelnas import hdf5, kinds
from skelnas.cells.selection import SHARD_NAME
from skelnas.errors import InputError
from skelnas.files import sha256_of_json
from skelnas.recipe import NETWORK_VERSION, SPLITS, Recipe
from skelnas.results.counts import MISSING, counts_of, missing_count, stored_counts

FORMAT, FORMAT_1 = "skelnas shard 2", "skelnas shard 1"
TRAINED = "trained with skelnas"  # the source of whatever was not imported
CHUNK_CELLS = 64
COUNTS = ("top1", "top5")
ARRAYS = {
    "cell": np.int32,
    "loss": np.float32,
    "top1": np.int32,
    "top5": np.int32,
    "learning_rate": np.float64,
    "samples": np.int64,
}


@dataclass(frozen=True, eq=False)
class Shard:
    """A shard in memory: arrays in the types of `ARRAYS`, -1 is a missing count; `recipe` as `Recipe.as_dict`."""

    cells: np.ndarray
    loss: np.ndarray
    top1: np.ndarray
    top5: np.ndarray
    learning_rate: np.ndarray
    samples: np.ndarray
    dataset: str
    fingerprint: str
    recipe: dict[str, int | float | bool | str]
    seed: int
    identity: str
    network_version: int = NETWORK_VERSION
    source: str = TRAINED

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays under their names in the file, in the types of `ARRAYS`."""
        named = {"cell": self.cells, **{name: getattr(self, name) for name in ARRAYS if name != "cell"}}
        return {name: np.ascontiguousarray(named[name], dtype=kind) for name, kind in ARRAYS.items()}

    def attributes(self) -> dict[str, str | int]:
        """The file's attributes."""
        return {
            "format": FORMAT,
            "identity": self.identity,
            "dataset": self.dataset,
            "fingerprint": self.fingerprint,
            "recipe": json.dumps(self.recipe, sort_keys=True),
            "seed": self.seed,
            "network_version": self.network_version,
            "source": self.source,
        }


def identity(fingerprint: str, recipe: Recipe, cells: Sequence[int], seed: int) -> str:
    """The hash (64 hexadecimal digits) of everything a shard's content is a function of."""
    return _identity(fingerprint, recipe.as_dict(), cells, seed, NETWORK_VERSION)


def _identity(fingerprint: str, recipe: dict, cells: Sequence[int], seed: int, network_version: int) -> str:
    content = {
        "fingerprint": fingerprint,
        "recipe": recipe,
        "cells": [int(cell) for cell in cells],
        "seed": int(seed),
        "network_version": int(network_version),
    }
    return sha256_of_json(content)


def write_shard(path: Path | str, shard: Shard) -> None:
    """Write a shard, verified and whole, or not at all; equal shards give equal bytes.

    Raises:
        InputError: the disk is full or the folder cannot be written; the shard's values do not fit together.
    """
    arrays = shard.arrays()
    own = _identity(shard.fingerprint, shard.recipe, shard.cells.tolist(), shard.seed, shard.network_version)
    fault = "it does not carry the identity of its own content" if shard.identity != own else _fault(shard)
    if fault:
        raise InputError(f"{path} cannot be written: {fault}")
    stored = {name: hdf5.Stored(array, _chunks(array)) for name, array in arrays.items()}
    stored["cell"] = hdf5.Stored(arrays["cell"].astype(np.uint16))
    for name in COUNTS:
        counts = stored_counts(arrays[name], shard.samples)
        stored[name] = hdf5.Stored(counts, _chunks(counts), missing_count(counts.dtype))
    hdf5.write(path, stored, shard.attributes())


def _chunks(array: np.ndarray) -> tuple[int, ...]:
    return (min(len(array), CHUNK_CELLS), *array.shape[1:])


@dataclass(frozen=True)
class Header:
    """What a shard file says of itself: which cells, and trained how; `curves` are not read."""

    format: str
    cells: tuple[int, ...]
    dataset: str
    fingerprint: str
    recipe: dict[str, int | float | bool | str]
    seed: int
    identity: str
    network_version: int
    source: str


def read_header(path: Path | str) -> Header:
    """Read and check what a shard says of itself, in about a millisecond.

    Raises:
        InputError: as `read_shard`; the curves are not looked at.
    """
    return _read(Path(path))[0]


def read_shard(path: Path | str, expected_identity: str | None = None) -> Shard:
    """Read and check a shard.

    Raises:
        InputError: it is missing, truncated, damaged or no shard; its arrays do not fit together; its identity is not
            that of its content, or not `expected_identity`. The sentence names the file and what to do.
    """
    header, arrays = _read(Path(path), with_arrays=True)
    fields = {name: value for name, value in vars(header).items() if name not in ("format", "cells")}
    fields |= {**arrays, **{name: counts_of(arrays[name]) for name in COUNTS}}
    shard = Shard(cells=fields.pop("cell").astype(np.int32), **fields)
    if fault := _fault(shard):
        raise InputError(f"{path} is damaged: {fault}; {kinds.again(path)}")
    if expected_identity not in (None, header.identity):
        raise InputError(f"{path} was trained with other images, recipe, cells, seed or network; {kinds.aside(path)}")
    return shard


def _own_identity(header: Header) -> str:
    return _identity(header.fingerprint, header.recipe, header.cells, header.seed, header.network_version)


def _cells_of_name(path: Path) -> tuple[int, ...]:
    """The cells that a file of consecutive ones names; none for another name."""
    match = SHARD_NAME.fullmatch(path.stem)
    return tuple(range(int(match[1]), int(match[2]) + 1)) if match and not match[3] else ()


def _read(path: Path, with_arrays: bool = False) -> tuple[Header, dict[str, np.ndarray]]:
    if not path.is_file():
        raise kinds.missing(path, "shard of trainings")
    try:
        with hdf5.opened(path) as (file, attributes):
            kinds.check_format(path, file, attributes, (FORMAT, FORMAT_1), "a shard of trainings")
            if attributes["format"] == FORMAT:
                hdf5.check_seal(attributes)
            arrays = {name: hdf5.dataset(file, name)[()] for name in ARRAYS} if with_arrays else {}
            header = Header(
                format=str(attributes["format"]),
                cells=() if with_arrays else _cells_of_name(path),
                recipe=json.loads(str(attributes["recipe"])),
                source=str(attributes.get("source", TRAINED)),
                seed=int(attributes["seed"]),
                network_version=int(attributes["network_version"]),
                **{name: str(attributes[name]) for name in ("dataset", "fingerprint", "identity")},
            )
            if not header.cells or header.identity != _own_identity(header):
                header = replace(header, cells=tuple(map(int, hdf5.dataset(file, "cell")[()])))
    except hdf5.READ_ERRORS as error:
        raise hdf5.unreadable(path, error, "is truncated or damaged", kinds.again(path)) from error
    if header.identity != _own_identity(header):
        raise InputError(f"{path} does not carry the identity of its own content; {kinds.again(path)}")
    return header, arrays


def _fault(shard: Shard) -> str | None:
    """What does not fit together in a shard's arrays."""
    epochs = shard.recipe.get("epochs")
    curves = (len(shard.cells), len(SPLITS), epochs)
    wanted = {"loss": curves, "top1": curves, "top5": curves, "learning_rate": (epochs,), "samples": (len(SPLITS),)}
    for name, shape in wanted.items():
        if (found := getattr(shard, name).shape) != shape:
            return f"{name} has shape {found}, expected {shape}"
    for name in COUNTS:
        counts = getattr(shard, name)
        if (counts > shard.samples[None, :, None]).any():
            return f"{name} counts more samples than there are"
        if (counts < MISSING).any():
            return f"{name} counts fewer than none"
    return None
