"""Write the datasheet of a study."""

from pathlib import Path

import pandas as pd
import yaml

from skelnas.files import write_text
from skelnas.images.manifest import read_manifest
from skelnas.pages.datasheet import Described, Study, datasheet
from skelnas.results.query import Benchmark
from skelnas.results.trained_on import trained_on
from skelnas.script import run
from skelnas.study import paths


def describe(study: str, runs: list[str], citation_path: str, config: dict, page_path: str) -> None:
    """Write the datasheet of the study's `runs` ({dataset}/{recipe}), with what their files and `config` say."""
    described, manifests, blocks = [], {}, {}
    for name in runs:
        with Benchmark(paths.benchmark(study, name)) as benchmark:
            timing = pd.read_parquet(paths.benchmark(study, name, paths.TIMING))
            described.append(Described.of(benchmark, trained_on(timing)))
            dataset, whole = benchmark.dataset, paths.whole(benchmark.dataset)
        if whole in config["datasets"]:  # what was imported has no images
            blocks[dataset] = config["datasets"][whole]
            manifests[dataset] = read_manifest(paths.manifest(whole)) | read_manifest(paths.manifest(dataset))
    citation = yaml.safe_load(Path(citation_path).read_text(encoding="utf-8"))
    analyses = config["studies"][study]["analyses"]
    write_text(page_path, datasheet(Study(study, described, manifests, blocks, analyses, citation)))


if __name__ == "__main__":
    run(
        describe,
        snakemake.log[0],
        study=snakemake.wildcards.study,
        runs=snakemake.params.runs,
        citation_path=snakemake.input.citation,
        config=snakemake.params.config,
        page_path=snakemake.output.page,
    )
