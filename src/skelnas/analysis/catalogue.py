"""Every analysis of a benchmark by name, which is the name of its files without their ending.

A new analysis is a module of this folder with the function of its figure, of its table or both, and one row here; a
figure also has its caption in workflow/report/. Nothing is imported before it is drawn: the workflow reads the names.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from skelnas.results.query import Benchmark

    Draw = Callable[[Benchmark, pd.DataFrame], Figure]  # of an opened benchmark and its summary
    Tabulate = Callable[[Benchmark, pd.DataFrame], pd.DataFrame]

FIGURE, TABLE = (".png", ".svg"), (".csv",)


@dataclass(frozen=True)
class Analysis:
    """The module of this folder that makes it, and there the functions of its figure and of its table; empty: none."""

    module: str
    figure: str = ""
    table: str = ""

    def files(self, name: str) -> list[str]:
        """The files that it makes under that name."""
        return [f"{name}{end}" for end in (FIGURE if self.figure else ()) + (TABLE if self.table else ())]


ANALYSES = {
    "learning-curves": Analysis("products", "learning_curves", "learning_curves_table"),
    "accuracy-distribution": Analysis("products", "accuracy_distribution"),
    "accuracy-and-cost": Analysis("products", "accuracy_and_cost"),
    "best-and-worst-cells": Analysis("products", "best_and_worst_cells"),
    "operations-and-edges": Analysis("products", "operations_and_edges", "operations_and_edges_table"),
    "rank-agreement": Analysis("products", "rank_agreement", "rank_agreement_table"),
    "noise": Analysis("products", table="noise_table"),
    "ranking": Analysis("products", table="ranking_table"),
    "structure-by-rank": Analysis("products", table="structure_table"),
}
FIGURES = tuple(name for name, analysis in ANALYSES.items() if analysis.figure)
TABLES = tuple(name for name, analysis in ANALYSES.items() if analysis.table)


def figure(name: str) -> "Draw":
    """What draws the figure of that name."""
    return getattr(_module(name), ANALYSES[name].figure)


def table(name: str) -> "Tabulate":
    """What makes the table of that name."""
    return getattr(_module(name), ANALYSES[name].table)


def _module(name: str) -> object:
    return importlib.import_module(f"skelnas.analysis.{ANALYSES[name].module}")
