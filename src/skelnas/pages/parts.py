"""What a report has to tell: one part for each figure or table of a study. Nothing is computed here but by analyses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skelnas.analysis import products
from skelnas.analysis.catalogue import ACROSS, ANALYSES, FIGURE, OF_FOLDS
from skelnas.analysis.provenance import Facts
from skelnas.errors import InputError
from skelnas.text import counted


@dataclass(frozen=True)
class Part:
    """One thing to tell: its theme, title, and finding; how to read it; its files, None where it has none."""

    theme: str
    title: str
    finding: str
    caption: str = ""
    table: Path | None = None
    figures: tuple[Path, ...] = ()  # the same one as png and svg
    preview: bool = False  # whether the first rows of the table are shown


def analysis_part(name: str, facts: Facts | Sequence[Facts], folder: Path, caption: str, several: bool) -> Part:
    """What an analysis of the catalogue has to tell, from its files in `folder`; one of `ACROSS` takes all facts.

    With `several` benchmarks in one report the title of an analysis of one of them names it.

    Raises:
        InputError: the table was made by another version.
    """
    analysis = (ANALYSES | ACROSS | OF_FOLDS)[name]
    table = folder / f"{name}.csv"
    numbers = products.read_csv(table)
    try:
        finding = products.finding(name, numbers, facts)
    except (KeyError, IndexError, AttributeError) as error:
        raise InputError(
            f"{table} has other columns or rows than this version of skelnas makes; "
            f"`snakemake --cores all --force {table}` makes it again"
        ) from error
    run = f" · {facts.dataset}, {facts.recipe}" if several and isinstance(facts, Facts) else ""
    if name in OF_FOLDS and not isinstance(facts, Facts):
        run = f" · {facts[0].dataset.partition('-fold')[0]}, {facts[0].recipe}"
    figures = _drawn(table) if analysis.draws and not numbers.empty else ()
    return Part(
        analysis.theme,
        products.title(name) + run,
        finding,
        "" if numbers.empty else caption,
        table,
        figures,
        not analysis.draws and not numbers.empty,
    )


def image_parts(
    dataset: str, manifest: Mapping[str, Any], figures: Mapping[str, Path], words: Mapping[str, str]
) -> list[Part]:
    """The figures of a data set's images.

    Args:
        manifest: of the image set.
        figures: the file of each figure without its ending, by its name; a csv beside it is its table.
        words: how to read each figure, by its name.
    """
    parts = []
    for name, path in figures.items():
        table = path.with_suffix(".csv")
        finding, caption = (_images(dataset, manifest), words[name]) if name == "data-card" else (words[name], "")
        title = f"{name.replace('-', ' ').capitalize()} · {dataset}"
        parts.append(Part("data", title, finding, caption, table if table.is_file() else None, _drawn(path)))
    return parts


def comparison_part(dataset: str, recipe: str, other: str, table: Path, caption: str) -> Part:
    """Two recipes that differ in precision only, from the table of their comparison."""
    return Part("across", f"{recipe} against {other} · {dataset}", caption, "", table, _drawn(table))


def _images(dataset: str, manifest: Mapping[str, Any]) -> str:
    shares = ", ".join(f"{number:,} {split}" for split, number in manifest["images"].items())
    if "folds" in manifest:
        shares = f"{manifest['folds']['count']} folds, each of which tests some of them"
    return (
        f"{dataset} has {sum(manifest['images'].values()):,} recordings of "
        f"{counted(len(manifest['classes']), 'action')} ({shares}), "
        f"as images of {manifest['height']} × {manifest['width']}."
    )


def _drawn(path: Path) -> tuple[Path, ...]:
    return tuple(path.with_suffix(end) for end in FIGURE)
