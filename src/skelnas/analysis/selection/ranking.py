"""Every cell in the order of its accuracy, with all that the summary says of it."""

import pandas as pd

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.results.query import Benchmark


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """The summary with a rank, best first."""
    return ranking(summary, f"{facts_of(benchmark).split}_top1")


def ranking(summary: pd.DataFrame, column: str = "test_top1") -> pd.DataFrame:
    """The summary in descending order of `column` with a `rank` from 1; equals share it and go by index.

    Cells without a value there are left out.
    """
    ordered = summary[summary[column].notna()]
    ordered = ordered.sort_values([column, "index"], ascending=[False, True], ignore_index=True)
    ordered.insert(0, "rank", ordered[column].rank(method="min", ascending=False).astype(int))
    return ordered


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """How many cells share the first rank."""
    if table.empty:
        return "No cell has an accuracy after the last epoch."
    equal = int((table["rank"] == 1).sum()) - 1
    shared = f", which {equal:,} more share{'s' if equal == 1 else ''}" if equal else ""
    accuracy = table[f"{facts.split}_top1"].iloc[0]
    return f"Of {len(table):,} cells, {table['index'].iloc[0]} is first with {accuracy:.2f} % ({facts.split}){shared}."
