"""Zero-cost proxies of a run's cells: the table beside its benchmark, and the shards that it is gathered from.

A shard is a record (`files`) of one proxy: cell, int64 (n,); value, float64 (n,), where higher is better and minus
infinity means that nothing of the input arrives at the output; proxy; fingerprint (of the image set). Cells that are
the same trained network (`equivalence.classes("network")`) are scored once, as the one with the smallest index. The
gathered table, Parquet of `summary.write_table`, has a row for each cell of the run: index, class_representative, and
a column for each proxy; its `attrs` name the fingerprint.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from skelnas.cells.equivalence import classes
from skelnas.errors import InputError
from skelnas.files import read_record
from skelnas.results.query import Benchmark
from skelnas.results.summary import read_table


def proxies_path(benchmark: Path | str) -> Path:
    """Where the gathered table of a benchmark lies."""
    return Path(benchmark).with_suffix(".proxies.parquet")


def gather(shards: Mapping[str, Sequence[Path | str]], cells: Sequence[int], fingerprint: str) -> pd.DataFrame:
    """The table of `cells` from the shards of each proxy, all of the images with that fingerprint.

    Raises:
        InputError: a shard is missing, damaged, of other images or of another proxy; a cell is in none.
    """
    scored = classes("network")[list(cells)]
    columns: dict[str, np.ndarray] = {"index": np.array(cells), "class_representative": scored}
    for proxy, paths in shards.items():
        values: dict[int, float] = {}
        for path in paths:
            values |= _shard(Path(path), proxy, fingerprint)
        if missing := sorted(set(scored.tolist()) - values.keys()):
            raise InputError(f"{proxy}: no shard has cell {missing[0]}; ask snakemake for the study, which makes it")
        columns[proxy] = np.array([values[cell] for cell in scored.tolist()])
    table = pd.DataFrame(columns)
    table.attrs = {"fingerprint": fingerprint}
    return table


def _shard(path: Path, proxy: str, fingerprint: str) -> dict[int, float]:
    """The value of each cell of a shard."""
    again = f"`snakemake --cores all --force {path}` makes it again"
    record = read_record(path)
    if record is None:
        raise InputError(f"{path}: the shard is missing or damaged; {again}")
    if (str(record["proxy"]), str(record["fingerprint"])) != (proxy, fingerprint):
        raise InputError(f"{path}: the shard is of other images or of another proxy; {again}")
    return dict(zip(record["cell"].tolist(), record["value"].tolist(), strict=True))


def proxies_of(benchmark: Benchmark) -> pd.DataFrame | None:
    """The gathered table beside a benchmark; None where there is none.

    Raises:
        InputError: it is damaged, or of other images or cells than the benchmark.
    """
    path = proxies_path(benchmark.path)
    if not path.is_file():
        return None
    table = read_table(path)
    if table.attrs.get("fingerprint") != benchmark.fingerprint or table["index"].tolist() != benchmark.cells.tolist():
        raise InputError(f"{path} is of other images or cells; `snakemake --cores all --force {path}` makes it again")
    return table
