"""Make one analysis of all benchmarks of a study: its table, and the figure from the table."""

from contextlib import ExitStack
from pathlib import Path

from skelnas.analysis import products
from skelnas.analysis.provenance import facts_of
from skelnas.analysis.style import save_figure
from skelnas.results.query import Benchmark
from skelnas.results.summary import read_table
from skelnas.script import run


def analyse(name: str, benchmark_paths: list[str], table_path: str, figure_paths: list[str]) -> None:
    """Write the table as csv, read it, and draw it into every path of `figure_paths` (png, svg)."""
    with ExitStack() as opened:
        benchmarks = [opened.enter_context(Benchmark(path)) for path in benchmark_paths]
        summaries = [read_table(Path(path).with_suffix(".parquet")) for path in benchmark_paths]
        facts = [facts_of(benchmark) for benchmark in benchmarks]
        products.write_csv(table_path, products.tabulate_across(name, benchmarks, summaries))
    figure = products.draw_across(name, products.read_csv(table_path), facts)
    save_figure(figure, *figure_paths)


if __name__ == "__main__":
    run(
        analyse,
        snakemake.log[0],
        name=snakemake.params.name,
        benchmark_paths=list(snakemake.input.benchmarks),
        table_path=snakemake.output.table,
        figure_paths=list(snakemake.output.figures),
    )
