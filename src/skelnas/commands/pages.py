"""Make report and explorer of a benchmark file, each one HTML file, without the workflow.

skelnas pages results.h5 --to pages
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from skelnas import __version__
from skelnas.analysis import products
from skelnas.analysis.catalogue import ANALYSES, FIGURE
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import save_figure
from skelnas.commands import reading
from skelnas.environment import versions
from skelnas.files import write_bytes
from skelnas.pages.captions import caption
from skelnas.pages.explorer import Explored, explorer
from skelnas.pages.parts import analysis_part
from skelnas.pages.report import Reported, report
from skelnas.progress import Progress
from skelnas.results.summary import summarise


def add_arguments(parser: argparse.ArgumentParser) -> None:
    reading.add_file(parser)
    parser.add_argument(
        "--to", metavar="FOLDER", type=Path, default=Path("pages"), help="the folder of the two (pages)"
    )


def run(given: argparse.Namespace) -> int:
    with reading.opened(given.file) as benchmark, tempfile.TemporaryDirectory() as folder:
        name, reported = benchmark.path.stem, Reported.of(benchmark)
        summary = summarise(benchmark)
        pages = {kind: given.to / kind / f"{name}.html" for kind in ("explorer", "report")}
        write_bytes(pages["explorer"], explorer(name, [Explored(benchmark, summary)], __version__))
        values = {"dataset": benchmark.dataset, "recipe": benchmark.recipe_name}
        progress = Progress("analyses", len(ANALYSES))
        for analysis in ANALYSES:
            table = products.tabulate(analysis, benchmark, summary)
            _write(analysis, Path(folder), reported.facts, table)
            progress.advance()
        parts = [
            analysis_part(analysis, reported.facts, Path(folder), caption(analysis, values), False)
            for analysis in ANALYSES
        ]
        again = "skelnas pages" + (f" {given.file}" if given.file else "")
        write_bytes(pages["report"], report(name, [reported], parts, [], versions(), again, datasheet=False))
    for kind, path in pages.items():
        print(f"{kind.capitalize()}: {path}")
    return 0


def _write(analysis: str, folder: Path, facts: Facts, table: pd.DataFrame) -> None:
    """The table of an analysis, and its figure where it has one to draw."""
    products.write_csv(folder / f"{analysis}.csv", table)
    if ANALYSES[analysis].draws and not table.empty:
        figure = products.draw(analysis, products.read_csv(folder / f"{analysis}.csv"), facts)
        save_figure(figure, *(folder / f"{analysis}{end}" for end in FIGURE))
