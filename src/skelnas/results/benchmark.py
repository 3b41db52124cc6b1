"""The benchmark file: every shard of one data set and recipe merged into one HDF5 file.

Layout (C cells ascending by architecture index, S seeds ascending, 3 splits in the order of `SPLITS`, E epochs): top1,
top5 (C, S, 3, E) int32, correct predictions; loss (C, S, 3, E) float32; cell (C,) int32; architecture (C,) strings;
parameters, macs (C,) int64; seed (S,) int64; samples (3,) int64, per split; learning_rate (E,) float64. Attributes:
format, dataset, recipe_name, recipe (JSON), fingerprint (of the image set), network_version, classes, height, width,
splits, identity. The bytes depend on these alone and not on how the cells were divided into shards.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from skelnas.cells import cost, space
from skelnas.errors import InputError
from skelnas.files import sha256_of_json, whole_file
from skelnas.recipe import NETWORK_VERSION, SPLITS, Recipe
from skelnas.results.shard import Shard, read_shard

FORMAT = "skelnas benchmark 1"
CHUNK_BYTES = 256 * 1024
NAMED = 4  # how many files or cells one sentence names before it counts the others


@dataclass(frozen=True)
class Expected:
    """What every shard of a benchmark must have been trained with; `classes`, `height`, `width` are the images'."""

    dataset: str
    fingerprint: str
    recipe_name: str
    recipe: Recipe
    classes: int
    height: int
    width: int


def aggregate(
    shards: Mapping[int, Sequence[Path | str]], cells: Iterable[int], expected: Expected, path: Path | str
) -> None:
    """Merge `shards` (the files of each seed), which must hold `cells` exactly, into the benchmark file `path`.

    Raises:
        InputError: a shard is missing, damaged, or of another image set, recipe, network or seed; a cell is in no
            shard, in two, or was not asked for. The sentence names the file and the command that mends it.
    """
    cells = np.array(sorted(set(cells)), dtype=np.int32)
    files = {seed: [Path(file) for file in shards[seed]] for seed in sorted(shards)}
    if not len(cells) or not any(files.values()):
        raise InputError(f"{path} would be empty: give at least one cell and one shard")
    _refuse_missing([file for seed in files for file in files[seed]])
    shape = (len(cells), len(files), len(SPLITS), expected.recipe.epochs)
    counts = {name: np.zeros(shape, dtype=np.int32) for name in ("top1", "top5")}
    loss = np.zeros(shape, dtype=np.float32)
    first: Shard | None = None
    for column, seed in enumerate(files):
        origin: dict[int, Path] = {}
        for file in files[seed]:
            shard = read_shard(file)
            first = first or shard
            _refuse_foreign(file, shard, seed, expected, first)
            rows = _rows(file, shard.cells, cells, origin)
            loss[rows, column], counts["top1"][rows, column], counts["top5"][rows, column] = (
                shard.loss,
                shard.top1,
                shard.top5,
            )
        _refuse_gap(cells, origin, files[seed])
    arrays = {**counts, "loss": loss}
    arrays |= _tables(cells, list(files), first, expected)
    attributes = _attributes(cells, list(files), expected)
    with whole_file(path, verify=lambda written: _verify(written, arrays)) as temporary:
        _write(temporary, arrays, attributes)


def retrain(files: Sequence[Path | str]) -> str:
    """The command that trains these shards (again), for the end of a message."""
    return f"`snakemake --cores all {named(files, ' ')}`" if len(files) <= NAMED else "`snakemake --cores all`"


def named(things: Sequence[object], separator: str = ", ") -> str:
    """The first few of `things`, and how many more there are."""
    text = separator.join(str(thing) for thing in things[:NAMED])
    return f"{text} and {len(things) - NAMED} more" if len(things) > NAMED else text


def _refuse_missing(files: list[Path]) -> None:
    missing = [file for file in files if not file.is_file()]
    if missing:
        what = "a shard is missing" if len(missing) == 1 else f"{len(missing)} of {len(files)} shards are missing"
        raise InputError(f"{what}: {named(missing)}; {retrain(missing)} trains what is missing")


def _refuse_foreign(file: Path, shard: Shard, seed: int, expected: Expected, first: Shard) -> None:
    """Refuse a shard that was not trained on and with what is expected, or does not match the first one read."""
    again = f"delete it and run {retrain([file])}"
    wanted = {
        "data set": (shard.dataset, expected.dataset),
        "image set": (shard.fingerprint, expected.fingerprint),
        "recipe": (shard.recipe, expected.recipe.as_dict()),
        "seed": (shard.seed, seed),
        "network version": (shard.network_version, NETWORK_VERSION),
        "number of samples": (shard.samples.tolist(), first.samples.tolist()),
    }
    for what, (found, asked) in wanted.items():
        if found != asked:
            difference = (
                _recipe_difference(found, asked) if what == "recipe" else f"{_short(found)}, not {_short(asked)}"
            )
            raise InputError(f"{file} is of another {what} ({difference}), and a benchmark never mixes them; {again}")


def _recipe_difference(found: dict, asked: dict) -> str:
    keys = [key for key in {**asked, **found} if found.get(key) != asked.get(key)]
    return ", ".join(f"{key} {found.get(key)}, not {asked.get(key)}" for key in keys)


def _short(value: object) -> str:
    return f"{value[:12]}..." if isinstance(value, str) and len(value) == 64 else str(value)


def _rows(file: Path, found: np.ndarray, cells: np.ndarray, origin: dict[int, Path]) -> np.ndarray:
    """Where a shard's cells go among `cells`; notes in `origin` which file each cell came from."""
    if alien := sorted(set(map(int, found)) - set(map(int, cells))):
        raise InputError(f"{file} holds cells that are not part of this benchmark ({named(alien)}); leave it out")
    for cell in map(int, found):
        if cell in origin:
            raise InputError(
                f"cell {cell} is in two shards of one seed, {origin[cell]} and {file}; leave one of them out"
            )
        origin[cell] = file
    return np.searchsorted(cells, found)


def _refuse_gap(cells: np.ndarray, origin: dict[int, Path], files: list[Path]) -> None:
    if missing := [int(cell) for cell in cells if int(cell) not in origin]:
        folder = files[0].parent if files else "this seed"
        many = f"{len(missing)} cells are" if len(missing) > 1 else "a cell is"
        target = f"{folder}/{missing[0]:05d}-{missing[0]:05d}.h5"
        raise InputError(
            f"{many} in no shard of {folder}: {named(missing)}; add the shards that hold them, for a single cell with "
            f"{retrain([target])}"
        )


def _tables(cells: np.ndarray, seeds: list[int], first: Shard, expected: Expected) -> dict[str, np.ndarray]:
    parameters, macs = cost.costs(expected.classes, expected.height, expected.width)
    return {
        "cell": cells,
        "architecture": np.array([space.text(space.cell(int(cell))).encode() for cell in cells]),
        "parameters": parameters[cells],
        "macs": macs[cells],
        "seed": np.array(seeds, dtype=np.int64),
        "samples": np.array(first.samples, dtype=np.int64),
        "learning_rate": np.array(first.learning_rate, dtype=np.float64),
    }


def _attributes(cells: np.ndarray, seeds: list[int], expected: Expected) -> dict[str, str | int]:
    content = [expected.fingerprint, expected.recipe.as_dict(), NETWORK_VERSION, cells.tolist(), seeds]
    return {
        "format": FORMAT,
        "dataset": expected.dataset,
        "recipe_name": expected.recipe_name,
        "recipe": json.dumps(expected.recipe.as_dict(), sort_keys=True),
        "fingerprint": expected.fingerprint,
        "network_version": NETWORK_VERSION,
        "classes": expected.classes,
        "height": expected.height,
        "width": expected.width,
        "splits": " ".join(SPLITS),
        "identity": sha256_of_json(content),
    }


def _write(path: Path, arrays: dict[str, np.ndarray], attributes: dict[str, str | int]) -> None:
    with h5py.File(path, "w", libver="v110") as file:
        file.attrs.update(attributes)
        for name, array in arrays.items():
            chunk = array.shape
            if array.ndim == 4:  # one seed and split per chunk: reading one split does not unpack the others
                cells = max(1, CHUNK_BYTES // (array.shape[3] * array.itemsize))
                chunk = (min(len(array), cells), 1, 1, array.shape[3])
            stored = file.create_dataset(
                name, data=array, chunks=chunk, compression="gzip", shuffle=True, fletcher32=True, track_times=False
            )
            if array.ndim == 4:
                for axis, label in enumerate(("cell", "seed", "split", "epoch")):
                    stored.dims[axis].label = label


def _verify(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Read everything back, checksums included, before the file gets its name."""
    with h5py.File(path, "r", locking=False) as file:
        for name, array in arrays.items():
            if file[name][()].tobytes() != array.tobytes():
                raise OSError(f"{path}: {name} does not read back as written")
