"""The summary of a benchmark: one row per cell, as a Parquet table.

Columns: index, architecture, the operation on each edge (`edge_0_1` ...), parameters, macs (multiply-accumulates for
one image), class_representative (smallest index among the cells that are the same trained network,
`equivalence.classes("network")`), resnet, skip_only and input_discarding (whether it is of that kind, `cells.names`);
then per split, after the last epoch, `{split}_top1` (percent, mean over seeds), `{split}_top1_std` (sample standard
deviation over seeds, missing with one seed), `{split}_top5`, `{split}_loss`; `max_{split}_top1`, the largest accuracy
of any epoch (per seed, then the mean: chosen by looking at the split itself, so optimistic); `test_top1_at_best_valid`,
the test accuracy after the epoch with the best validation accuracy (the earliest of equals), which is the honest
choice; seeds and diverged_seeds (trainings whose training loss was ever not finite). The table's `attrs` name data set,
recipe, image fingerprint and identity.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from skelnas import kinds
from skelnas.cells import space
from skelnas.cells.equivalence import classes
from skelnas.cells.names import NAMES, named
from skelnas.errors import InputError
from skelnas.files import whole_file
from skelnas.hdf5 import READ_ERRORS
from skelnas.recipe import SPLITS
from skelnas.results.query import Benchmark, seed_mean, spread_over_seeds
from skelnas.text import first_line

CHECKSUM = b"skelnas-sha256"  # the key in the file's metadata
EDGE_COLUMNS = tuple(f"edge_{source}_{target}" for source, target in space.EDGES)


def summarise(benchmark: Benchmark) -> pd.DataFrame:
    """One row per cell, ascending by architecture index; the columns are described above."""
    digits = np.array([space.cell(int(cell)) for cell in benchmark.cells])
    columns: dict[str, object] = {
        "index": benchmark.cells,
        "architecture": [space.text(tuple(cell)) for cell in digits.tolist()],
        **{name: np.array(space.OPERATIONS)[digits[:, edge]] for edge, name in enumerate(EDGE_COLUMNS)},
        "parameters": benchmark.parameters,
        "macs": benchmark.macs,
        "class_representative": np.asarray(classes("network"))[benchmark.cells],
        **{name.replace("-", "_"): named(name)[benchmark.cells] for name in NAMES},
    }
    accuracy, trained = {}, np.zeros((len(benchmark), len(benchmark.seeds)), dtype=bool)
    for split in SPLITS:
        accuracy[split] = benchmark.curves(split)
        trained |= ~np.isnan(accuracy[split]).all(axis=2)
        columns[f"{split}_top1"] = benchmark.seed_means(split)
        columns[f"{split}_top1_std"] = spread_over_seeds(benchmark.values(split))
        columns[f"{split}_top5"] = benchmark.seed_means(split, "top5")
        columns[f"{split}_loss"] = benchmark.seed_means(split, "loss")
        highest = np.where(np.isnan(accuracy[split]), -np.inf, accuracy[split]).max(axis=2)
        columns[f"max_{split}_top1"] = seed_mean(np.where(np.isneginf(highest), np.nan, highest))
    columns["test_top1_at_best_valid"] = seed_mean(_at_best(accuracy["valid"], accuracy["test"]))
    columns["seeds"] = trained.sum(axis=1)
    diverged = ~np.isfinite(benchmark.curves("train", "loss")) & benchmark.present("train", "loss", epoch=None)
    columns["diverged_seeds"] = diverged.any(axis=2).sum(axis=1)
    table = pd.DataFrame(columns)
    table.attrs = {name: getattr(benchmark, name) for name in ("dataset", "recipe_name", "fingerprint", "identity")}
    return table


def _at_best(valid: np.ndarray, test: np.ndarray) -> np.ndarray:
    """The test accuracy (cells, seeds) where the validation accuracy is highest; both are (cells, seeds, epochs)."""
    best = np.where(np.isnan(valid), -np.inf, valid).argmax(axis=2)
    chosen = np.take_along_axis(test, best[..., None], axis=2)[..., 0]
    return np.where(np.isnan(valid).all(axis=2), np.nan, chosen)


def write_table(path: Path | str, table: pd.DataFrame) -> None:
    """Write a table, `attrs` included, as Parquet, whole or not at all; equal tables give equal bytes.

    Parquet has no checksum over all of a file, so the table carries one of its own.
    """
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({**arrow.schema.metadata, CHECKSUM: _digest(arrow)})
    with whole_file(path) as temporary:
        pyarrow.parquet.write_table(arrow, temporary, compression="zstd")


def read_table(path: Path | str) -> pd.DataFrame:
    """Read a Parquet table.

    Raises:
        InputError: there is no such file, it may not be read, or it is damaged.
    """
    if not Path(path).is_file():
        raise kinds.missing(path, "table")
    try:
        arrow = pyarrow.parquet.read_table(path)
        whole = (arrow.schema.metadata or {}).get(CHECKSUM) == _digest(arrow)
        table = arrow.to_pandas()
    except PermissionError as error:
        raise InputError(f"{path} may not be read ({error.strerror}); correct its permissions") from error
    except (*READ_ERRORS, pa.ArrowException) as error:
        raise InputError(f"{path}: the table cannot be read ({first_line(error)}); {kinds.again(path)}") from error
    if not whole:
        raise InputError(f"{path}: the table is not what was written, or of an older version; {kinds.again(path)}")
    return table


def _digest(table: pa.Table) -> bytes:
    """SHA-256 (hexadecimal digits) over names, types and values of all columns, and what pandas keeps beside them."""
    outline = [[field.name, str(field.type)] for field in table.schema]
    digest = hashlib.sha256(json.dumps(outline).encode() + (table.schema.metadata or {}).get(b"pandas", b""))
    for column in table.columns:
        if pa.types.is_floating(column.type):
            values = column.to_numpy().astype("<f8")
            values[np.isnan(values)] = np.nan  # one of its many forms
            digest.update(values.tobytes())
        elif pa.types.is_integer(column.type):
            digest.update(column.to_numpy().astype("<i8").tobytes())
        else:
            digest.update(json.dumps(column.to_pylist()).encode())
    return digest.hexdigest().encode()
