"""Shard files: the learning curves of some cells with one data set, recipe and seed.

Layout (n cells, 3 splits in the order of `SPLITS`, E epochs): cell (n,) int32; loss (n, 3, E) float32, cross-entropy
averaged over the samples; top1, top5 (n, 3, E) int32, correct predictions; learning_rate (E,) float64; samples (3,)
int64, per split. Attributes: format, identity, dataset, fingerprint (of the image set), recipe (JSON), seed,
network_version. Every array carries Fletcher-32 checksums. The bytes depend on these values alone; what is measured
lies beside the shard in `{name}.timing.json`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from skelnas.errors import InputError
from skelnas.files import sha256_of_json, whole_file
from skelnas.recipe import NETWORK_VERSION, SPLITS, Recipe

FORMAT = "skelnas shard 1"
CHUNK_CELLS = 64
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
    """A shard in memory; arrays as in the file, `recipe` as `Recipe.as_dict` gives it."""

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

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays under their names in the file, in its types."""
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


def timing_path(shard: Path | str) -> Path:
    """The sidecar of a shard file."""
    return Path(shard).with_suffix(".timing.json")


def write_shard(path: Path | str, shard: Shard) -> None:
    """Write a shard, verified and whole, or not at all; equal shards give equal bytes.

    Raises:
        InputError: the disk is full or the folder cannot be written.
    """
    with (
        whole_file(path, verify=lambda written: _verify(written, shard)) as temporary,
        h5py.File(temporary, "w", libver=("v110", "v110")) as file,
    ):
        file.attrs.update(shard.attributes())
        for name, array in shard.arrays().items():
            chunks = (min(len(array), CHUNK_CELLS), *array.shape[1:])
            file.create_dataset(
                name,
                data=array,
                chunks=chunks,
                compression="gzip",
                shuffle=True,
                fletcher32=True,
                track_times=False,
            )


def _verify(path: Path, shard: Shard) -> None:
    found = read_shard(path)
    for name, array in shard.arrays().items():
        if found.arrays()[name].tobytes() != array.tobytes():
            raise OSError(f"{path}: {name} does not read back as written")


def read_shard(path: Path | str, expected_identity: str | None = None) -> Shard:
    """Read and check a shard.

    Raises:
        InputError: it is missing, truncated, damaged or no shard; its arrays do not fit together; its identity is not
            that of its content, or not `expected_identity`. The sentence names the file and what to do.
    """
    path = Path(path)
    again = f"delete it and run `snakemake --cores all {path}`"
    if not path.is_file():
        raise InputError(f"{path} is missing; run `snakemake --cores all {path}`")
    try:
        with h5py.File(path, "r", locking=False) as file:
            if file.attrs.get("format") != FORMAT:
                raise InputError(f"{path} is not a shard of this version ({FORMAT}); {again}")
            arrays = {name: file[name][()] for name in ARRAYS}
            attributes = {name: file.attrs[name] for name in ("identity", "dataset", "fingerprint", "recipe")}
            numbers = {name: int(file.attrs[name]) for name in ("seed", "network_version")}
            recipe = json.loads(attributes.pop("recipe"))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is truncated or damaged ({str(error).splitlines()[0]}); {again}") from error
    shard = Shard(cells=arrays.pop("cell"), recipe=recipe, **arrays, **attributes, **numbers)
    if fault := _fault(shard):
        raise InputError(f"{path} is damaged: {fault}; {again}")
    own = _identity(shard.fingerprint, shard.recipe, shard.cells.tolist(), shard.seed, shard.network_version)
    if shard.identity != own:
        raise InputError(f"{path} does not carry the identity of its own content; {again}")
    if expected_identity not in (None, own):
        raise InputError(f"{path} was trained with other images, recipe, cells, seed or network; {again}")
    return shard


def _fault(shard: Shard) -> str | None:
    """What does not fit together in a shard's arrays."""
    epochs = shard.recipe.get("epochs")
    curves = (len(shard.cells), len(SPLITS), epochs)
    wanted = {"loss": curves, "top1": curves, "top5": curves, "learning_rate": (epochs,), "samples": (len(SPLITS),)}
    for name, shape in wanted.items():
        if (found := getattr(shard, name).shape) != shape:
            return f"{name} has shape {found}, expected {shape}"
    for name in ("top1", "top5"):
        counts = getattr(shard, name)
        if (counts < 0).any() or (counts > shard.samples[None, :, None]).any():
            return f"{name} counts more samples than there are"
    return None
