"""Every cell in the order of its accuracy, with all that the summary says of it."""

import pandas as pd

from skelnas.analysis import distribution
from skelnas.analysis.provenance import Facts, facts_of
from skelnas.results.query import Benchmark


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """The summary with a rank, best first."""
    return distribution.ranking(summary, f"{facts_of(benchmark).split}_top1")


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """How many cells share the first rank."""
    if table.empty:
        return "No cell has an accuracy after the last epoch."
    equal = int((table["rank"] == 1).sum()) - 1
    shared = f", which {equal:,} more share" if equal else ""
    accuracy = table[f"{facts.split}_top1"].iloc[0]
    return f"Of {len(table):,} cells, {table['index'].iloc[0]} is first with {accuracy:.2f} % ({facts.split}){shared}."
