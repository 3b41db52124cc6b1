"""Make the report of a study."""

import re
from collections.abc import Iterator
from pathlib import Path

from skelnas.analysis.catalogue import ACROSS, ANALYSES
from skelnas.analysis.provenance import facts_of
from skelnas.archive import PACKAGES
from skelnas.environment import versions
from skelnas.files import write_bytes
from skelnas.images.manifest import read_manifest
from skelnas.pages.report import Part, Reported, analysis_part, report
from skelnas.results.query import Benchmark
from skelnas.script import run
from skelnas.study import paths
from skelnas.text import counted

WORDS = Path(__file__).resolve().parents[1] / "report"  # the captions of Snakemake's own report


def tell(study: str, runs: list[str], analyses: list[str], files: list[str], page_path: str) -> None:
    """Write the report of the study's `runs` ({dataset}/{recipe}) from `files`, all that the study made."""
    reported, parts = [], []
    for name in runs:
        with Benchmark(paths.benchmark(study, name)) as benchmark:
            facts, made = facts_of(benchmark), _made(benchmark)
        reported.append(Reported(facts, made))
        folder = Path(paths.analysis(study, name, "-")).parent
        values = {"dataset": facts.dataset, "recipe": facts.recipe}
        parts += [
            analysis_part(analysis, facts, folder, _caption(analysis, values), len(runs) > 1)
            for analysis in ANALYSES
            if analysis in analyses
        ]
    everyone = [one.facts for one in reported]
    parts += [
        analysis_part(name, everyone, Path(paths.across(study, "-")).parent, _caption(name, {}), True)
        for name in ACROSS
        if paths.across(study, f"{name}.csv") in files
    ]
    datasets = dict.fromkeys(run.facts.dataset for run in reported)
    left_out = [name for name in ANALYSES if name not in analyses]
    told = [*_data(datasets, files), *parts, *_compared(study, files)]
    write_bytes(page_path, report(study, reported, told, left_out, versions(PACKAGES)))


def _made(benchmark: Benchmark) -> dict[str, str]:
    recipe = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in benchmark.recipe.items())
    return {
        "recipe": recipe,
        "images": f"{benchmark.height} × {benchmark.width}, {benchmark.classes} classes, fingerprint "
        f"{benchmark.fingerprint or 'not known'}",
        "source": benchmark.source,
        "identity": benchmark.identity,
    }


def _data(datasets: dict[str, None], files: list[str]) -> Iterator[Part]:
    """The figures of each data set's images; what was imported has none."""
    for dataset in datasets:
        if paths.manifest(dataset) not in files:
            continue
        manifest = read_manifest(paths.manifest(dataset))
        shares = ", ".join(f"{number:,} {split}" for split, number in manifest["images"].items())
        finding = (
            f"{dataset} has {sum(manifest['images'].values()):,} recordings of "
            f"{counted(len(manifest['classes']), 'action')} ({shares}), "
            f"as images of {manifest['height']} × {manifest['width']}."
        )
        for name in ("data-card", "contact-sheet", "encodings"):
            caption = _caption(name, {"dataset": dataset})
            here = Path(paths.image_figure(dataset, name))
            table = here.with_suffix(".csv")
            figures = here.with_suffix(".png"), here.with_suffix(".svg")
            title = f"{name.replace('-', ' ').capitalize()} · {dataset}"
            said, more = (finding, caption) if name == "data-card" else (caption, "")
            yield Part("data", title, said, more, table if str(table) in files else None, figures)


def _compared(study: str, files: list[str]) -> Iterator[Part]:
    """Recipes that differ in precision only."""
    for file in files:
        if match := re.fullmatch(paths.comparison(study, "(.+)", "(.+)", "(.+)", r"precision\.csv"), file):
            dataset, recipe, other = match.groups()
            caption = _caption("precision", {"recipe": recipe, "other": other})
            table = Path(file)
            figures = table.with_suffix(".png"), table.with_suffix(".svg")
            yield Part("across", f"{recipe} against {other} · {dataset}", caption, "", table, figures)


def _caption(name: str, values: dict[str, str]) -> str:
    """How to read a figure, as Snakemake's report has it, without its markup; empty where there is none."""
    path = WORDS / f"{name}.rst"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    text = re.sub(r"\{\{ snakemake\.wildcards\.(\w+) \}\}", lambda match: values.get(match[1], ""), text)
    return " ".join(re.sub(r"\*\*|``", "", text).split())


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
