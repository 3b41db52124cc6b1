"""The datasheet of a study and its checklist of good practice, filled from what its files say, as Markdown.

The questions follow Gebru et al., "Datasheets for Datasets" (CACM 64(12), 2021), and Lindauer and Hutter, "Best
Practices for Scientific Research on Neural Architecture Search" (JMLR 21(243), 2020), in words of our own. A sentence
stands here only if a benchmark file, a manifest of images, the measured times or the configuration says it; what these
cannot know is marked as a person's to answer, with the file in which the answer belongs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.cells import space
from skelnas.pages.report import lacks
from skelnas.results.query import Benchmark
from skelnas.results.shard import TRAINED
from skelnas.text import counted

CITATION, DEPOSIT = "CITATION.cff", ".zenodo.json"
FOLD = ("rule", "by", "number", "count")  # what is said of a fold


@dataclass(frozen=True)
class Described:
    """One benchmark: its outline, its recipe, where it is from, and the processors that trained it (`trained_on`)."""

    facts: Facts
    recipe: Mapping[str, Any]
    source: str
    fingerprint: str
    shape: tuple[int, int]
    origins: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, benchmark: Benchmark, origins: Sequence[Mapping[str, Any]]) -> "Described":
        """An opened benchmark."""
        shape = (benchmark.height, benchmark.width)
        return cls(facts_of(benchmark), benchmark.recipe, benchmark.source, benchmark.fingerprint, shape, origins)

    @property
    def trained(self) -> bool:
        """Whether skelnas trained it, in place of importing it."""
        return self.source == TRAINED

    @property
    def name(self) -> str:
        """Data set and recipe."""
        return f"{self.facts.dataset}, {self.facts.recipe}"


@dataclass(frozen=True)
class Study:
    """What a datasheet is made of; manifests and blocks of the configuration by data set or fold."""

    name: str
    benchmarks: Sequence[Described]
    manifests: Mapping[str, Mapping[str, Any]]
    blocks: Mapping[str, Mapping[str, Any]]
    analyses: Sequence[str]
    citation: Mapping[str, Any]


def datasheet(study: Study) -> str:
    """The page; equal in, equal out."""
    parts = {
        "Motivation": _motivation(study),
        "Composition": _composition(study),
        "Collection": _collection(study),
        "Preprocessing": _preprocessing(study),
        "Uses": _uses(study),
        "Distribution": _distribution(study),
        "Limits": _limits(study),
        "Maintenance": _maintenance(study),
    }
    sheet = "".join(f"\n## {title}\n\n{_lines(lines)}" for title, lines in parts.items())
    checks = "".join(f"\n### {title}\n\n{_lines(lines)}" for title, lines in _checklist(study).items())
    return (
        f"# Datasheet of the study {study.name}\n\nMade from the study's own files; the questions are those of Gebru "
        "et al. (2021) in other words. **A person's answer is needed** where it says so.\n"
        f"{sheet}\n## Checklist of good practice\n\n"
        f"The points are those of Lindauer and Hutter (2020) in other words.\n{checks}"
    )


def _lines(lines: Iterator[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)


def _asked(question: str, file: str, field: str) -> str:
    return f"**A person's answer is needed**: {question} (`{field}` of `{file}`)"


def _motivation(study: Study) -> Iterator[str]:
    yield (
        "A table of trained cells of the NAS-Bench-201 search space, so that search methods can be compared without "
        "training, and cells looked at."
    )
    yield f"Made by: {', '.join(author['name'] for author in study.citation['authors'])}."
    if abstract := study.citation.get("abstract"):
        yield f"Purpose as its makers put it: {abstract}"
    else:
        yield _asked("for which question was this study made?", CITATION, "abstract")
    yield _asked("who paid for it?", DEPOSIT, "grants")


def _composition(study: Study) -> Iterator[str]:
    for one in study.benchmarks:
        facts = one.facts
        samples = ", ".join(f"{number:,} {split}" for split, number in facts.samples.items() if number)
        gaps = f"; {counted(facts.incomplete, 'cell')} without some of the seeds" if facts.incomplete else ""
        yield (
            f"**{one.name}**: {facts.cells:,} of {space.CELLS:,} cells, {_seeds(facts)}{gaps};"
            f" counts of correct predictions after each of {counted(facts.epochs, 'epoch')} on {samples} samples of "
            f"{facts.classes} classes."
        )
    for dataset, manifest in study.manifests.items():
        images = ", ".join(f"{number:,} {split}" for split, number in manifest["images"].items())
        yield f"**Images of {dataset}**: {images}; classes: {', '.join(manifest['classes'])}."
        if excluded := manifest.get("excluded"):
            yield f"Of {dataset}, {counted(len(excluded), 'recording')} left out, each with its reason in its manifest."
        if _generated(study, dataset):
            yield f"Of {dataset} nobody was recorded: it is generated."
        else:
            yield _asked(f"did the people recorded for {dataset} agree, and to what?", DEPOSIT, "notes")


def _collection(study: Study) -> Iterator[str]:
    for dataset, manifest in study.manifests.items():
        block = study.blocks[dataset]
        for source in block["sources"]:
            whence = source.get("url") or source.get("register") or "no address in the configuration"
            yield f"{dataset}: {source.get('file') or source.get('folder')} ({whence}), reader {block['reader']}."
        for file in manifest.get("sources", ()):
            yield f"{dataset}: {file['file']} has the SHA-256 {file['sha256']}."
    for one in study.benchmarks:
        if not one.trained:
            yield f"{one.name}: imported, {one.source}"
        for group in one.origins:
            number = sum(_number(cells) for cells in group["cells"].values())
            yield (
                f"{one.name}: {counted(number, 'training')} on {group['device'] or 'an unnamed processor'}, engine "
                f"{group['engine'] or 'unknown'}, torch {group['torch'] or 'unknown'}."
            )
    for dataset in study.manifests:
        if not _generated(study, dataset):
            yield _asked(f"who recorded {dataset}, when, and how were people chosen?", DEPOSIT, "description")


def _seeds(facts: Facts) -> str:
    return f"{'seed' if len(facts.seeds) == 1 else 'seeds'} {', '.join(map(str, facts.seeds))}"


def _generated(study: Study, dataset: str) -> bool:
    return study.blocks[dataset]["reader"] == "synthetic"


def _number(ranges: str) -> int:
    ends = [[int(end) for end in term.split("-")] for term in ranges.split(",")]
    return sum(end[-1] - end[0] + 1 for end in ends)


def _preprocessing(study: Study) -> Iterator[str]:
    for dataset, manifest in study.manifests.items():
        rule = {key: manifest["fold"][key] for key in FOLD} if "fold" in manifest else manifest.get("split", {})
        split = ", ".join(f"{key} {value}" for key, value in rule.items())
        yield (
            f"{dataset}: recordings became images of {manifest['height']} x {manifest['width']} by the encoding "
            f"{manifest['encoding']}; split by {split or 'what the manifest does not say'}; means "
            f"{_numbers(manifest['mean'])} and standard deviations {_numbers(manifest['std'])} of its channels."
        )
        if gaps := manifest.get("frames-without-body"):
            yield f"{dataset}: {counted(len(gaps), 'recording')} had frames without a body."
        yield f"{dataset}: the images have the fingerprint {manifest['fingerprint']}."
    for one in study.benchmarks:
        if one.facts.dataset not in study.manifests:
            yield f"{one.name}: images of {one.shape[0]} x {one.shape[1]}, of which this study has no manifest."


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


def _uses(study: Study) -> Iterator[str]:
    yield f"Analysed here: {', '.join(study.analyses) or 'nothing'}."
    yield "Choose by the split `valid` and report the split `test`; `max_*` columns were chosen by what they report."
    yield _asked("for what should it not be used?", DEPOSIT, "description")


def _distribution(study: Study) -> Iterator[str]:
    yield f"As one archive with checksums, licence of code and results {study.citation['license']}."
    for dataset in study.manifests:
        if not _generated(study, dataset):
            yield f"The archive holds images of {dataset}; the licence of its recordings is not in these files."
            yield _asked(f"may the images of {dataset} be passed on?", DEPOSIT, "license")
    if not study.citation.get("doi"):
        yield _asked("under which identifier can it be cited?", CITATION, "doi")
    else:
        yield f"Cited as {study.citation['doi']}."


def _limits(study: Study) -> Iterator[str]:
    nothing = True
    for one in study.benchmarks:
        for lack in lacks(one.facts):
            nothing = False
            yield f"{one.name}: {lack}."
    if nothing:
        yield "Every cell, seed, split, curve and loss that the study names is there."
    if any(one.trained for one in study.benchmarks):
        yield "Trained again, counts are the same bit for bit only on the same processor, engine and torch."


def _maintenance(study: Study) -> Iterator[str]:
    yield f"Version {study.citation['version']} of {study.citation['date-released']}."
    if address := study.citation.get("repository-code"):
        yield f"Code and errata: {address}."
    else:
        yield _asked("where is it kept, and where are faults reported?", CITATION, "repository-code")
    if not study.citation.get("contact"):
        yield _asked("who answers questions, and for how long?", CITATION, "contact")


def _checklist(study: Study) -> dict[str, Iterator[str]]:
    return {
        "What is released": _released(study),
        "How methods are compared": _compared(study),
        "What is reported": _reported(study),
    }


def _released(study: Study) -> Iterator[str]:
    yield "Code that trains and evaluates: the archive holds the workflow; its package is named in `environment.json`."
    yield "The search space: every cell by its index and its string in the benchmark file."
    for one in study.benchmarks:
        values = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in one.recipe.items())
        yield f"Hyper-parameters and seeds of {one.name}: {values}; {_seeds(one.facts)}."
    yield (
        "Search methods and their settings: those of the analysis `search`, in its table and in `docs/analysis.md`."
        if "search" in study.analyses
        else "Search methods: this study compares none (the analysis `search` is not among its analyses)."
    )


def _compared(study: Study) -> Iterator[str]:
    if "search" in study.analyses:
        yield "One benchmark for all methods: each asks the same file, so that data, space and training are the same."
        yield "Random search is among them, and each is repeated; what came of it, or why nothing did, is in its table."
    else:
        yield "Same data, space and training, random search as the baseline, repeated runs: nothing is compared here."
    for one in study.benchmarks:
        kinds = {(group["device"], group["torch"]) for group in one.origins}
        if len(kinds) > 1:
            yield f"Not one kind of machine: {one.name} was trained with {len(kinds)} pairs of processor and torch."
        elif kinds:
            yield f"One kind of machine: all of {one.name} was trained with the same processor and torch."
        else:
            yield f"What trained {one.name} is not known here."
    yield _asked("are there ablations of what is proposed?", DEPOSIT, "description")


def _reported(study: Study) -> Iterator[str]:
    yield "Set-up: the configuration of the study and the versions of software are members of the archive."
    for one in study.benchmarks:
        number = sum(_number(cells) for group in one.origins for cells in group["cells"].values())
        yield f"Times of {one.name}: of {counted(number, 'training')}, beside the archive (`.timing.parquet`)."
    yield _asked("were hyper-parameters tuned, how, and with how much time?", DEPOSIT, "description")
