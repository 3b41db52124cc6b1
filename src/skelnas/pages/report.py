"""The report of a study: one page that tells what came out, in the order of the catalogue's themes.

Above each figure stands the finding of its table, below it how to read it and the table itself, embedded. What there is
to tell comes from `parts`.
"""

import base64
import gzip
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from skelnas.analysis import products
from skelnas.analysis.catalogue import THEMES
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.cells import space
from skelnas.pages.html import asset, escaped, page
from skelnas.pages.parts import Part
from skelnas.recipe import SPLITS
from skelnas.results.query import Benchmark
from skelnas.text import counted

PACKED_FROM = 200_000  # bytes of a csv that is embedded as csv.gz
DRAWN_UP_TO = 150_000  # bytes of an svg; a larger figure is embedded as png
ROWS, COLUMNS = 10, 8  # of a table that has no figure
CAPTIONS = {  # of a theme: what it is about
    "data": "What the networks are trained on.",
    "learning": "How accuracy comes about, epoch by epoch.",
    "noise": "How much of a difference is chance.",
    "selection": "What is lost when the best cell is chosen by what can be seen.",
    "landscape": "How the search space looks to a search that goes from neighbour to neighbour.",
    "topology": "Which operations and edges make a cell good.",
    "cost": "What accuracy costs.",
    "across": "Data sets, recipes and other studies compared.",
    "search": "What search methods find, and at what price.",
    "people": "Who is recognised, and who is not.",
}


@dataclass(frozen=True)
class Reported:
    """One benchmark of the study: its outline, and what is said of how it was made (name -> value)."""

    facts: Facts
    made: Mapping[str, str]

    @classmethod
    def of(cls, benchmark: Benchmark) -> "Reported":
        """An opened benchmark, with its recipe, the size of its images, its source and its identity."""
        return cls(
            facts_of(benchmark),
            {
                "recipe": ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in benchmark.recipe.items()),
                "images": f"{benchmark.height} × {benchmark.width}, {benchmark.classes} classes, fingerprint "
                f"{benchmark.fingerprint or 'not known'}",
                "source": benchmark.source,
                "identity": benchmark.identity,
            },
        )


def report(
    study: str,
    runs: Sequence[Reported],
    parts: Iterable[Part],
    left_out: Sequence[str],
    versions: Mapping[str, str],
    command: str,
    datasheet: bool = True,
) -> bytes:
    """The page as the bytes of an HTML file; equal in, equal out.

    Args:
        runs: every benchmark of the study.
        parts: what there is to tell, in any order of themes.
        left_out: analyses that the study did not ask for.
        versions: of the software (name -> version).
        command: what makes the page again.
        datasheet: whether the study has one, to be pointed to.
    """
    told = list(parts)
    beside = (
        f', as its datasheet does: <a href="../datasheet/{escaped(study)}.md">what it is made of, and its limits</a>.'
        if datasheet
        else "."
    )
    body = (
        f"<header><h1>The study {escaped(study)}</h1>\n{''.join(_outline(run.facts) for run in runs)}"
        f'<p class="note screen">The cells themselves: <a href="../explorer/{escaped(study)}.html">the explorer</a> of '
        f"this study, where it lies beside this page{beside}</p>\n"
        f'<nav aria-label="Contents"><ul>{"".join(_link(theme) for theme in (*THEMES, "missing", "made"))}</ul></nav>'
        f"</header>\n<main>\n{''.join(_theme(theme, told) for theme in THEMES)}"
        f"{_missing(runs, told, left_out)}{_made(runs, versions, command)}</main>\n"
    )
    return page(f"{study}: report", body, asset("report.css"))


def _outline(facts: Facts) -> str:
    return f"<p>{escaped(facts.line(*facts.splits))}</p>\n"


def _link(name: str) -> str:
    return f'<li><a href="#{name}">{_heading(name)}</a></li>'


def _heading(name: str) -> str:
    return {"missing": "What is missing", "made": "How it was made"}.get(name, name.capitalize())


def _theme(theme: str, parts: Sequence[Part]) -> str:
    own = [part for part in parts if part.theme == theme]
    nothing = "" if own else '<p class="nothing">This study has nothing on it.</p>\n'
    return (
        f'<section id="{theme}" aria-labelledby="{theme}-title">\n<h2 id="{theme}-title">{_heading(theme)}</h2>\n'
        f'<p class="note">{escaped(CAPTIONS[theme])}</p>\n{nothing}{"".join(map(_part, own))}</section>\n'
    )


def _part(part: Part) -> str:
    preview = _preview(part.table, part.title) if part.preview and part.table else ""
    figure = _figure(part.figures, part.finding) if part.figures else ""
    caption = f'<p class="note">{escaped(part.caption)}</p>\n' if part.caption else ""
    return (
        f"<article>\n<h3>{escaped(part.title)}</h3>\n<p class='finding'>{escaped(part.finding)}</p>\n"
        f"{figure}{preview}{caption}{_embedded(part.table) if part.table else ''}</article>\n"
    )


def _figure(figures: Sequence[Path], words: str) -> str:
    """The figure as vectors, or as pixels where these are smaller."""
    files = {path.suffix: path.read_bytes() for path in figures}
    vectors, pixels = files.get(".svg", b""), files.get(".png", b"")
    drawn = bool(vectors) and (len(vectors) <= max(DRAWN_UP_TO, len(pixels)) or not pixels)
    kind, content = ("svg+xml", vectors) if drawn else ("png", pixels)
    return f'<img alt="{escaped(words)}" src="data:image/{kind};base64,{base64.b64encode(content).decode()}">\n'


def _preview(path: Path, title: str) -> str:
    """The first rows of a table."""
    table = products.read_csv(path)
    shown = table.iloc[:ROWS, :COLUMNS]
    head = "".join(f'<th scope="col">{escaped(str(name))}</th>' for name in shown)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escaped(_said(value))}</td>' for value in row)}</tr>\n"
        for row in shown.itertuples(index=False)
    )
    words = f"the first {len(shown)} of {counted(len(table), 'row')}" if len(table) > len(shown) else "all rows"
    return (
        f'<div class="tables" tabindex="0" role="group" aria-label="{escaped(title)}: table"><table>'
        f"<caption>{words}</caption><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>\n"
    )


def _said(value: object) -> str:
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return "–" if pd.isna(value) else str(value)


def _embedded(path: Path) -> str:
    """A link to a table that is in the page itself."""
    content, name, kind = path.read_bytes(), path.name, "text/csv"
    if len(content) > PACKED_FROM:
        content, name, kind = gzip.compress(content, compresslevel=9, mtime=0), f"{path.name}.gz", "application/gzip"
    data = base64.b64encode(content).decode()
    return f'<p class="table"><a download="{escaped(name)}" href="data:{kind};base64,{data}">{escaped(name)}</a></p>\n'


def _missing(runs: Sequence[Reported], parts: Sequence[Part], left_out: Sequence[str]) -> str:
    lines = [f"{run.facts.dataset}, {run.facts.recipe}: {lack}." for run in runs for lack in lacks(run.facts)]
    if left_out:
        lines.append(f"Analyses that the study did not ask for: {', '.join(left_out)}.")
    empty = [part.title for part in parts if part.table and not part.figures and not part.preview]
    if empty:
        lines.append(f"Analyses for which the numbers do not suffice, as is said there: {'; '.join(empty)}.")
    said = "".join(f"<li>{escaped(line)}</li>\n" for line in lines) or "<li>Nothing.</li>\n"
    return _closing("missing", f"<ul>\n{said}</ul>\n")


def lacks(facts: Facts) -> Iterator[str]:
    """What a benchmark lacks, each as a clause."""
    if facts.cells < space.CELLS:
        yield f"{facts.cells:,} of the {space.CELLS:,} cells, so that what is said is said of a sample"
    if facts.incomplete:
        yield f"{counted(facts.incomplete, 'cell')} without some of the seeds"
    if len(facts.seeds) == 1:
        yield "one seed, so that noise between seeds is not known"
    if missing := [split for split in SPLITS if split not in facts.splits]:
        yield f"no accuracy of {' and '.join(missing)} after the last epoch"
    if missing := [split for split in facts.splits if split not in facts.curves]:
        yield f"no learning curves of {' and '.join(missing)}"
    if not facts.losses:
        yield "no losses"


def _made(runs: Sequence[Reported], versions: Mapping[str, str], command: str) -> str:
    tables = "".join(_pairs(f"{run.facts.dataset}, {run.facts.recipe}", run.made) for run in runs) + _pairs(
        "Software", {name: version for name, version in versions.items() if version}
    )
    again = f"<p>Made again by <code>{escaped(command)}</code>.</p>\n"
    return _closing("made", again + tables)


def _pairs(title: str, pairs: Mapping[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escaped(name)}</th><td>{escaped(value)}</td></tr>\n' for name, value in pairs.items()
    )
    return f'<h3>{escaped(title)}</h3>\n<table class="pairs"><tbody>\n{rows}</tbody></table>\n'


def _closing(name: str, content: str) -> str:
    return (
        f'<section id="{name}" aria-labelledby="{name}-title">\n<h2 id="{name}-title">{_heading(name)}</h2>\n'
        f"{content}</section>\n"
    )
