"""Benchmarks of others, read as tables of ours: one module and one row for each kind of source.

A module has `read(request: Request) -> Imported`. It refuses with an `InputError` what it cannot read, names in the
table's `source` where the numbers come from, and leaves out what the source does not have: never a mean, never a zero.
"""

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from skelnas.recipe import Recipe
    from skelnas.results.benchmark import Table


@dataclass(frozen=True)
class Request:
    """What is to be read: a file or folder (empty: what an installed package holds), and the names it gets here."""

    source: str
    dataset: str
    recipe_name: str
    recipe: "Recipe"


@dataclass(frozen=True)
class Imported:
    """The benchmark, and what training took: a table with the columns `results.timing.COLUMNS`, maybe without rows."""

    table: "Table"
    timing: "pd.DataFrame"


@dataclass(frozen=True)
class Importer:
    """The module of this folder that reads it, and whether it finds losses, which are a file of their own."""

    module: str
    losses: bool = False


IMPORTERS = {
    "nasbench201": Importer("nasbench201"),
    "thesis": Importer("published", losses=True),
}


def read(importer: str, request: Request) -> Imported:
    """What the importer of that name reads.

    Raises:
        InputError: the source is not there, or is not what it should be.
    """
    return importlib.import_module(f"skelnas.importers.{IMPORTERS[importer].module}").read(request)
