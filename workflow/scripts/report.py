"""Make the report of a study."""

import re
from pathlib import Path

from skelnas.analysis.catalogue import ACROSS, ANALYSES, OF_FOLDS
from skelnas.environment import versions
from skelnas.files import write_bytes
from skelnas.images.manifest import read_manifest
from skelnas.pages.captions import caption
from skelnas.pages.parts import Part, analysis_part, comparison_part, image_parts
from skelnas.pages.report import Reported, report
from skelnas.results.query import Benchmark
from skelnas.script import run
from skelnas.study import paths

IMAGES = ("data-card", "contact-sheet", "encodings")


def tell(study: str, runs: list[str], analyses: list[str], files: list[str], page_path: str) -> None:
    """Write the report of the study's `runs` ({dataset}/{recipe}) from `files`, all that the study made."""
    reported, parts = [], []
    for name in runs:
        with Benchmark(paths.benchmark(study, name)) as benchmark:
            reported.append(Reported.of(benchmark))
        facts = reported[-1].facts
        folder = Path(paths.analysis(study, name, "-")).parent
        values = {"dataset": facts.dataset, "recipe": facts.recipe}
        parts += [
            analysis_part(analysis, facts, folder, caption(analysis, values), len(runs) > 1)
            for analysis in ANALYSES
            if analysis in analyses
        ]
    everyone = [one.facts for one in reported]
    parts += [
        analysis_part(name, everyone, Path(paths.across(study, "-")).parent, caption(name, {}), True)
        for name in ACROSS
        if paths.across(study, f"{name}.csv") in files
    ]
    of_folds = dict.fromkeys((paths.whole(facts.dataset), facts.recipe) for facts in everyone)
    for dataset, recipe in of_folds:
        folder = Path(paths.analysis(study, f"{dataset}/{recipe}", "-")).parent
        folds = [one for one in everyone if (paths.whole(one.dataset), one.recipe) == (dataset, recipe)]
        parts += [
            analysis_part(name, folds, folder, caption(name, {"dataset": dataset}), True)
            for name in OF_FOLDS
            if str(folder / f"{name}.csv") in files
        ]
    for dataset in dict.fromkeys(paths.whole(facts.dataset) for facts in everyone):
        if paths.manifest(dataset) in files:  # what was imported has no images
            words = {name: caption(name, {"dataset": dataset}) for name in IMAGES}
            figures = {name: Path(paths.image_figure(dataset, name)) for name in IMAGES}
            parts += image_parts(dataset, read_manifest(paths.manifest(dataset)), figures, words)
    parts += [_comparison(*match.groups(), match[0]) for match in _comparisons(study, files)]
    left_out = [name for name in ANALYSES if name not in analyses]
    again = f"snakemake --cores all -- {study}"
    write_bytes(page_path, report(study, reported, parts, left_out, versions(), again))


def _comparisons(study: str, files: list[str]) -> list[re.Match[str]]:
    pattern = paths.comparison(study, "(.+)", "(.+)", "(.+)", r"precision\.csv")
    return [match for file in files if (match := re.fullmatch(pattern, file))]


def _comparison(dataset: str, recipe: str, other: str, table: str) -> Part:
    words = caption("precision", {"recipe": recipe, "other": other})
    return comparison_part(dataset, recipe, other, Path(table), words)


if __name__ == "__main__":
    run(
        tell,
        snakemake.log[0],
        study=snakemake.wildcards.study,
        runs=snakemake.params.runs,
        analyses=snakemake.params.analyses,
        files=list(snakemake.input),
        page_path=snakemake.output.page,
    )
