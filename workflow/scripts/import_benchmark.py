"""Read a benchmark of others into a benchmark file, its summary table and its timing table."""

from skelnas import importers
from skelnas.recipe import Recipe
from skelnas.results.benchmark import write_benchmark
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise, write_table
from skelnas.script import run


def import_benchmark(
    importer: str, source: str, dataset: str, recipe_name: str, recipe: dict, outputs: dict[str, str]
) -> None:
    """Write `outputs` (benchmark, maybe losses, summary, timing) as the importer of that name reads them."""
    imported = importers.read(importer, importers.Request(source, dataset, recipe_name, Recipe(**recipe)))
    write_benchmark(outputs["benchmark"], imported.table)
    with Benchmark(outputs["benchmark"]) as benchmark:
        write_table(outputs["summary"], summarise(benchmark))
    write_table(outputs["timing"], imported.timing)


if __name__ == "__main__":
    run(
        import_benchmark,
        snakemake.log[0],
        importer=snakemake.params.importer,
        source=snakemake.params.source,
        dataset=snakemake.params.dataset,
        recipe_name=snakemake.params.recipe_name,
        recipe=snakemake.params.recipe,
        outputs=dict(snakemake.output.items()),
    )
