"""Make one analysis of a benchmark: its table, and the figure from the table."""

from skelnas.analysis import products
from skelnas.analysis.provenance import facts_of
from skelnas.analysis.style import save_figure
from skelnas.results.query import Benchmark
from skelnas.results.summary import read_table
from skelnas.script import run


def analyse(name: str, benchmark_path: str, summary_path: str, table_path: str, figure_paths: list[str]) -> None:
    """Write the table as csv, read it, and draw it into every path of `figure_paths` (png, svg)."""
    with Benchmark(benchmark_path) as benchmark:
        facts = facts_of(benchmark)
        products.write_csv(table_path, products.tabulate(name, benchmark, read_table(summary_path)))
    if figure_paths:
        figure = products.draw(name, products.read_csv(table_path), facts)
        save_figure(figure, *figure_paths)


if __name__ == "__main__":
    run(
        analyse,
        snakemake.log[0],
        name=snakemake.params.name,
        benchmark_path=snakemake.input.benchmark,
        summary_path=snakemake.input.summary,
        table_path=snakemake.output.table,
        figure_paths=list(snakemake.output.get("figures", [])),
    )
