"""The benchmark file: every shard of one data set and recipe merged into one HDF5 file, its losses into another.

Layout of format 2 (C cells ascending by architecture index, S seeds ascending, 3 splits in the order of `SPLITS`, E
epochs): top1, top5 (C, S, 3, E), correct predictions in the smallest unsigned type; last_top1, last_top5 (C, S, 3),
those after the last epoch; cell (C,) uint16; architecture (C,) strings; parameters, macs (C,) int64; seed (S,) int64;
samples (3,) int64, per split; learning_rate (E,) float64. Attributes: format, dataset, recipe_name, recipe (JSON),
fingerprint (of the image set), network_version, classes, height, width, splits, source (trained here, or imported and
from where), losses (1 where there is a file of them), `arrays` of `skelnas.hdf5`, and its seal, here called identity.

Beside `{recipe}.h5` lies `{recipe}.loss.h5`: loss (C, S, 3, E) and last_loss (C, S, 3), float32; cell, seed;
attributes format, benchmark (the other file's identity), `arrays` and `seal`. A seed, split, epoch or loss that nobody
has is missing (`results.counts` says how). The bytes depend on these values alone and not on how the cells were divided
into shards. Format 1, one file with everything, is read as well (`results.query`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelnas import hdf5, kinds
from skelnas.cells import cost, space
from skelnas.errors import InputError
from skelnas.recipe import NETWORK_VERSION, SPLITS, Recipe
from skelnas.results.counts import MISSING_LOSS, count_type, missing_count, stored_counts
from skelnas.results.shard import TRAINED, Shard, read_shard
from skelnas.text import NAMED, named

FORMAT, FORMAT_1, LOSS_FORMAT = "skelnas benchmark 2", "skelnas benchmark 1", "skelnas losses 2"
CHUNK_CELLS = 4  # all seeds and one split to a chunk: a curve unpacks few kilobytes, and the file grows by 4 % over 16


@dataclass(frozen=True, eq=False)
class Table:
    """A benchmark in memory: C cells x S seeds x 3 splits x E epochs.

    cells: ascending architecture indices (C,); seeds: ascending; top1, top5: (C, S, 3, E) as `counts.stored_counts`
    makes them of counts and -1 for a missing one; loss: float32 of the same shape with `counts.MISSING_LOSS` for a
    missing one, or None where nobody has losses; samples: per split, 0 for a split that is missing; learning_rate:
    float64 (E,); recipe: as `Recipe.as_dict`; fingerprint: 64 hexadecimal digits of the images, or empty; classes,
    height, width: the images'; source: where it comes from.
    """

    cells: np.ndarray
    seeds: Sequence[int]
    top1: np.ndarray
    top5: np.ndarray
    loss: np.ndarray | None
    samples: Sequence[int] | np.ndarray
    learning_rate: np.ndarray
    dataset: str
    recipe_name: str
    recipe: dict[str, int | float | bool | str]
    fingerprint: str
    classes: int
    height: int
    width: int
    source: str = TRAINED


def loss_path(path: Path | str) -> Path:
    """The file of losses beside a benchmark file."""
    return Path(path).with_suffix(".loss.h5")


def write_benchmark(path: Path | str, table: Table) -> None:
    """Write a benchmark and its losses, each verified and whole or not at all; equal tables give equal bytes.

    Raises:
        InputError: the disk is full or the folder cannot be written; the table does not fit together.
    """
    if fault := _fault(table):
        raise InputError(f"{path} cannot be written: {fault}")
    arrays, attributes = _arrays(table), _attributes(table)
    if table.loss is not None:
        benchmark = hdf5.sealed(arrays, attributes, "identity")["identity"]
        loss = np.ascontiguousarray(table.loss, dtype=np.float32)
        losses = {
            "loss": hdf5.Stored(loss, _chunks(loss), MISSING_LOSS),
            "last_loss": hdf5.Stored(loss[..., -1], missing=MISSING_LOSS),
            "cell": arrays["cell"],
            "seed": arrays["seed"],
        }
        hdf5.write(loss_path(path), losses, {"format": LOSS_FORMAT, "benchmark": benchmark})
    hdf5.write(path, arrays, attributes, seal="identity")


def _chunks(array: np.ndarray) -> tuple[int, ...]:
    cells, seeds, _, epochs = array.shape
    return (min(cells, CHUNK_CELLS), seeds, 1, epochs)


def _fault(table: Table) -> str | None:
    """What does not fit together in a table."""
    shape = (len(table.cells), len(table.seeds), len(SPLITS), len(table.learning_rate))
    kind = count_type(table.samples)
    if 0 in shape:
        return "it would be empty"
    for what, values in (("cells", table.cells), ("seeds", table.seeds)):
        if (np.diff(np.asarray(values, dtype=np.int64)) < 1).any():
            return f"its {what} are not ascending, each once"
    for name in ("top1", "top5", "loss"):
        array = getattr(table, name)
        if array is not None and array.shape != shape:
            return f"{name} has shape {array.shape}, expected {shape}"
    for name in ("top1", "top5"):
        counts = getattr(table, name)
        if counts.dtype != kind:
            return f"{name} is {counts.dtype}, expected {kind} (`counts.stored_counts` makes it)"
        for split, samples in enumerate(map(int, table.samples)):
            part = counts[:, :, split]
            if ((part > samples) & (part != missing_count(kind))).any():
                return f"{name} counts more samples of {SPLITS[split]} than there are"
    return None


def _arrays(table: Table) -> dict[str, hdf5.Stored]:
    cells = np.asarray(table.cells, dtype=np.uint16)
    parameters, macs = cost.costs(table.classes, table.height, table.width)
    plain = {
        "cell": cells,
        "architecture": np.array([space.text(space.cell(int(cell))).encode() for cell in cells]),
        "parameters": parameters[cells],
        "macs": macs[cells],
        "seed": np.array(table.seeds, dtype=np.int64),
        "samples": np.array(table.samples, dtype=np.int64),
        "learning_rate": np.array(table.learning_rate, dtype=np.float64),
    }
    arrays = {name: hdf5.Stored(array) for name, array in plain.items()}
    for name, counts in (("top1", table.top1), ("top5", table.top5)):
        missing = missing_count(counts.dtype)
        arrays[name] = hdf5.Stored(counts, _chunks(counts), missing)
        arrays[f"last_{name}"] = hdf5.Stored(np.ascontiguousarray(counts[..., -1]), missing=missing)
    return arrays


def _attributes(table: Table) -> dict[str, str | int]:
    return {
        "format": FORMAT,
        "dataset": table.dataset,
        "recipe_name": table.recipe_name,
        "recipe": json.dumps(table.recipe, sort_keys=True),
        "fingerprint": table.fingerprint,
        "network_version": NETWORK_VERSION,
        "classes": table.classes,
        "height": table.height,
        "width": table.width,
        "splits": " ".join(SPLITS),
        "source": table.source,
        "losses": int(table.loss is not None),
    }


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
    counts: dict[str, np.ndarray] = {}
    loss = np.full(shape, MISSING_LOSS, dtype=np.float32)
    first: Shard | None = None
    sources: set[str] = set()
    for column, seed in enumerate(files):
        origin: dict[int, Path] = {}
        for file in files[seed]:
            shard = read_shard(file)
            first = first or shard
            _refuse_foreign(file, shard, seed, expected, first)
            counts = counts or {name: np.zeros(shape, dtype=count_type(shard.samples)) for name in ("top1", "top5")}
            rows = _rows(file, shard.cells, cells, origin)
            loss[rows, column] = shard.loss
            for name in counts:
                counts[name][rows, column] = stored_counts(getattr(shard, name), shard.samples)
            sources.add(shard.source)
        _refuse_gap(cells, origin, files[seed])
    assert first is not None  # there is at least one shard
    table = Table(
        cells=cells,
        seeds=list(files),
        **counts,
        loss=loss,
        samples=first.samples,
        learning_rate=first.learning_rate,
        dataset=expected.dataset,
        recipe_name=expected.recipe_name,
        recipe=expected.recipe.as_dict(),
        fingerprint=expected.fingerprint,
        classes=expected.classes,
        height=expected.height,
        width=expected.width,
        source="; ".join(sorted(sources)),
    )
    write_benchmark(path, table)


def retrain(files: Sequence[Path | str]) -> str:
    """The command that trains these shards (again), for the end of a message."""
    return f"`snakemake --cores all {named(files, ' ')}`" if len(files) <= NAMED else "`snakemake --cores all`"


def _refuse_missing(files: list[Path]) -> None:
    missing = [file for file in files if not file.is_file()]
    if missing:
        what = "a shard is missing" if len(missing) == 1 else f"{len(missing)} of {len(files)} shards are missing"
        raise InputError(f"{what}: {named(missing)}; {retrain(missing)} trains what is missing")


def _refuse_foreign(file: Path, shard: Shard, seed: int, expected: Expected, first: Shard) -> None:
    """Refuse a shard that was not trained on and with what is expected, or does not match the first one read."""
    again = kinds.aside(file)
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
