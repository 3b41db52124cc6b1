"""One csv file: a row for each training, after its last epoch, with everything that is known of it."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from skelnas.exporters import Options
from skelnas.results import tables
from skelnas.results.query import Benchmark


def write(benchmarks: Sequence[Benchmark], target: Path, options: Options) -> list[str]:
    """Write the file; the columns are those of `results.tables.trainings`."""
    (benchmark,) = benchmarks
    table: pd.DataFrame = tables.trainings(benchmark)
    table.to_csv(target, index=False, lineterminator="\n")
    return [f"{len(table):,} trainings, {len(table.columns)} columns; empty is missing, accuracies are percent"]
