"""Make the explorer of a study."""

import contextlib
from pathlib import Path

from skelnas import __version__
from skelnas.files import write_bytes
from skelnas.images.manifest import read_manifest
from skelnas.pages.explorer import Explored, explorer
from skelnas.results.query import Benchmark
from skelnas.results.summary import read_table
from skelnas.script import run
from skelnas.study import paths


def explore(study: str, runs: list[str], page_path: str) -> None:
    """Write the page of the study's `runs` ({dataset}/{recipe}), in this order."""
    with contextlib.ExitStack() as opened:
        explored = []
        for name in runs:
            benchmark = opened.enter_context(Benchmark(paths.benchmark(study, name)))
            summary = read_table(paths.benchmark(study, name, ".parquet"))
            manifest = Path(paths.manifest(benchmark.dataset))  # what was imported has no images
            names = read_manifest(manifest)["classes"] if manifest.is_file() else ()
            explored.append(Explored(benchmark, summary, names))
        write_bytes(page_path, explorer(study, explored, __version__))


if __name__ == "__main__":
    run(
        explore,
        snakemake.log[0],
        study=snakemake.wildcards.study,
        runs=snakemake.params.runs,
        page_path=snakemake.output.page,
    )
