"""What the catalogue's modules make: the table of an analysis, its csv, the figure drawn from that, and the finding."""

import importlib
from pathlib import Path
from types import ModuleType

import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.catalogue import ANALYSES
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


def finding(name: str, table: pd.DataFrame, facts: Facts) -> str:
    """The one sentence that the numbers of an analysis allow."""
    return _module(name).finding(table, facts)


def title(name: str) -> str:
    """The name of an analysis as words: "Rank agreement"."""
    return name.replace("-", " ").capitalize()


def write_csv(path: Path | str, table: pd.DataFrame) -> None:
    """Write a table so that `read_csv` gives the same numbers, to the last bit."""
    write_text(path, table.to_csv(index=False, lineterminator="\n"))


def read_csv(path: Path | str) -> pd.DataFrame:
    """Read a table of `write_csv`; empty fields are missing, and the operation "none" is a word."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"skelnas.analysis.{ANALYSES[name].module}")
