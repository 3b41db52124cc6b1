"""Compare two precisions of one recipe: a figure and a table."""

from skelnas.analysis.precision import differing, precision_table
from skelnas.analysis.precision_figure import precision_figure
from skelnas.analysis.provenance import facts_of
from skelnas.analysis.style import save_figure
from skelnas.files import write_text
from skelnas.results.query import Benchmark
from skelnas.script import run


def compare_precision(first_path: str, second_path: str, figure_paths: list[str], table_path: str) -> None:
    """Write the figure to every path of `figure_paths`, and the table behind it."""
    with Benchmark(first_path) as first, Benchmark(second_path) as second:
        table = precision_table(first, second)
        used = differing(first, second)
        values = first.values()[used], second.values()[used]
        figure = precision_figure(*values, facts_of(first), second.recipe_name)
    save_figure(figure, *figure_paths)
    write_text(table_path, table.to_csv(index=False))


if __name__ == "__main__":
    run(
        compare_precision,
        snakemake.log[0],
        first_path=snakemake.input.first,
        second_path=snakemake.input.second,
        figure_paths=list(snakemake.output.figures),
        table_path=snakemake.output.table,
    )
