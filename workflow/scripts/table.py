"""Write one table of a benchmark."""

from skelnas.analysis import catalogue
from skelnas.files import write_text
from skelnas.results.query import Benchmark
from skelnas.results.summary import read_table
from skelnas.script import run


def tabulate(name: str, benchmark_path: str, summary_path: str, table_path: str) -> None:
    """Write the table `name` as csv."""
    with Benchmark(benchmark_path) as benchmark:
        write_text(table_path, catalogue.table(name)(benchmark, read_table(summary_path)).to_csv(index=False))


if __name__ == "__main__":
    run(
        tabulate,
        snakemake.log[0],
        name=snakemake.wildcards.table,
        benchmark_path=snakemake.input.benchmark,
        summary_path=snakemake.input.summary,
        table_path=snakemake.output.table,
    )
