"""One Parquet file: a row for each training, split and epoch."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from skelnas.exporters import Options
from skelnas.results import tables
from skelnas.results.query import Benchmark


def write(benchmarks: Sequence[Benchmark], target: Path, options: Options) -> list[str]:
    """Write the file; the columns are those of `results.tables.curves`."""
    (benchmark,) = benchmarks
    arrow = pa.Table.from_pandas(tables.curves(benchmark), preserve_index=False)
    about = {
        "dataset": benchmark.dataset,
        "recipe": benchmark.recipe_name,
        "identity": benchmark.identity,
        "source": benchmark.source,
    }
    arrow = arrow.replace_schema_metadata(about)
    pyarrow.parquet.write_table(arrow, target, compression="zstd")
    return [f"{arrow.num_rows:,} rows; top1 and top5 are percent of samples, epoch 0 is the first"]
