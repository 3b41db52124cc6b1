"""The structure of ranked groups of cells."""

import pandas as pd

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.selection.ranking import ranking
from skelnas.analysis.topology.structure import structure_by_rank
from skelnas.results.query import Benchmark


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """`structure.structure_by_rank` by the final accuracy."""
    column = f"{facts_of(benchmark).split}_top1"
    return structure_by_rank(ranking(summary, column), column)


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """How deep the best tenth is beside all cells."""
    if table.empty:
        return "No cell has an accuracy after the last epoch."
    groups = table.set_index("group")
    best, everyone = groups.loc["best 10%"], groups.loc["all"]
    return (
        f"The best tenth has {best['convolution_depth']:.1f} convolutions in sequence on average, all cells "
        f"{everyone['convolution_depth']:.1f}; a skip path from input to output have {100 * best['skip_path']:.0f} % "
        f"of the best tenth and {100 * everyone['skip_path']:.0f} % of all."
    )
