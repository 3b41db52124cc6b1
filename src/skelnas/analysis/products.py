"""What the catalogue's modules make: the table of an analysis, its csv, the figure drawn from that, and the finding."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.catalogue import ACROSS, ANALYSES, OF_FOLDS
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import words_instead
from skelnas.files import write_text
from skelnas.results.query import Benchmark


def tabulate(name: str, benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """The numbers of an analysis, of an opened benchmark and its summary."""
    return _module(name).tabulate(benchmark, summary)


def draw(name: str, table: pd.DataFrame, facts: Facts) -> Figure:
    """The figure of an analysis from its table; of a table without rows, the sentence that says why it has none."""
    if table.empty:
        return words_instead(title(name), finding(name, table, facts), facts.line(*facts.splits))
    return _module(name).draw(table, facts)


def tabulate_across(name: str, benchmarks: Sequence[Benchmark], summaries: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The numbers of an analysis of `catalogue.ACROSS` or `OF_FOLDS`, of benchmarks and their summaries."""
    return _module(name).tabulate(benchmarks, summaries)


def draw_across(name: str, table: pd.DataFrame, facts: Sequence[Facts]) -> Figure:
    """As `draw`, for an analysis of `catalogue.ACROSS` or `OF_FOLDS`; one `Facts` for each benchmark."""
    if table.empty:
        return words_instead(title(name), _module(name).finding(table, facts))
    return _module(name).draw(table, facts)


def finding(name: str, table: pd.DataFrame, facts: Facts | Sequence[Facts]) -> str:
    """The one sentence that the numbers of an analysis allow; of one of `catalogue.ACROSS`, with all facts."""
    return _module(name).finding(table, facts)


def title(name: str) -> str:
    """The name of an analysis as words: "Rank agreement"."""
    return (ANALYSES | ACROSS | OF_FOLDS)[name].title or name.replace("-", " ").capitalize()


def write_csv(path: Path | str, table: pd.DataFrame) -> None:
    """Write a table so that `read_csv` gives the same numbers, to the last bit."""
    write_text(path, table.to_csv(index=False, lineterminator="\n"))


def read_csv(path: Path | str) -> pd.DataFrame:
    """Read a table of `write_csv`; empty fields are missing, and the operation "none" is a word."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"skelnas.analysis.{(ANALYSES | ACROSS | OF_FOLDS)[name].module}")
