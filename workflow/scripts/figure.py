"""Draw one figure of a benchmark."""

from skelnas.analysis import catalogue
from skelnas.analysis.style import save_figure
from skelnas.results.query import Benchmark
from skelnas.results.summary import read_table
from skelnas.script import run


def draw(name: str, benchmark_path: str, summary_path: str, figures: list[str]) -> None:
    """Draw the figure `name` into every file of `figures` (png, svg)."""
    with Benchmark(benchmark_path) as benchmark:
        figure = catalogue.figure(name)(benchmark, read_table(summary_path))
    for path in figures:
        save_figure(figure, path)


if __name__ == "__main__":
    run(
        draw,
        snakemake.log[0],
        name=snakemake.params.name,
        benchmark_path=snakemake.input.benchmark,
        summary_path=snakemake.input.summary,
        figures=list(snakemake.output.figures),
    )
