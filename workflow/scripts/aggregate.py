"""Merge the shards of one run into its benchmark file, its summary table and its timing table."""

from collections import defaultdict
from pathlib import Path

from skelnas.cells.selection import select
from skelnas.images.manifest import read_manifest
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Expected, aggregate
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise, write_table
from skelnas.results.timing import merge_timings
from skelnas.script import run
from skelnas.training.journal import remove_journals


def merge(
    shards: list[str],
    manifest_path: str,
    dataset: str,
    recipe_name: str,
    recipe: dict,
    cells: str,
    outputs: dict[str, str],
) -> None:
    """Check `shards` against what the run asks for, write `outputs` (benchmark, summary, timing), remove journals."""
    manifest = read_manifest(manifest_path)
    expected = Expected(
        dataset=dataset,
        fingerprint=manifest["fingerprint"],
        recipe_name=recipe_name,
        recipe=Recipe(**recipe),
        classes=len(manifest["classes"]),
        height=manifest["height"],
        width=manifest["width"],
    )
    by_seed = defaultdict(list)
    for shard in shards:
        by_seed[int(Path(shard).parent.name.removeprefix("seed"))].append(shard)
    aggregate(by_seed, select(cells), expected, outputs["benchmark"])
    with Benchmark(outputs["benchmark"]) as benchmark:
        write_table(outputs["summary"], summarise(benchmark))
    write_table(outputs["timing"], merge_timings(shards))
    remove_journals(shards)


if __name__ == "__main__":
    run(
        merge,
        snakemake.log[0],
        shards=list(snakemake.input.shards),
        manifest_path=snakemake.input.manifest,
        dataset=snakemake.wildcards.dataset,
        recipe_name=snakemake.wildcards.recipe,
        recipe=snakemake.params.recipe,
        cells=snakemake.params.cells,
        outputs=dict(snakemake.output.items()),
    )
