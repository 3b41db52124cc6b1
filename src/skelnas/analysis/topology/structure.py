"""What good and bad cells are made of: accuracy by operation and edge, and the structure of ranked groups of cells."""

import numpy as np
import pandas as pd

from skelnas.cells import edges, space
from skelnas.results.summary import EDGE_COLUMNS

STRUCTURE = {
    "connected": edges.is_connected,
    "skip_path": edges.has_skip_path,
    "convolution_path": edges.has_convolution_path,
    "pool_path": edges.has_pool_path,
    "convolution_depth": edges.convolution_depth,
    "input_convolutions": edges.input_convolutions,
}
SHARES = (0.01, 0.1)


def by_operation_and_edge(summary: pd.DataFrame, column: str = "test_top1") -> pd.DataFrame:
    """One row per (operation, edge): how many cells have it there, and the mean and standard deviation of `column`;
    cells without a value are not counted.

    Where no cell has the operation on the edge, mean and deviation are missing.
    """
    rows = []
    for (source, target), name in zip(space.EDGES, EDGE_COLUMNS, strict=True):
        groups = summary.groupby(name)[column]
        for operation in space.OPERATIONS:
            values = groups.get_group(operation) if operation in groups.groups else pd.Series(dtype=float)
            values = values.dropna()
            rows.append(
                {
                    "operation": operation,
                    "edge": f"{source}>{target}",
                    "cells": len(values),
                    "mean": values.mean(),
                    "std": values.std(ddof=1),
                }
            )
    return pd.DataFrame(rows)


def structure(indices: np.ndarray) -> pd.DataFrame:
    """Per cell (by architecture index) what `STRUCTURE` names, and the number of live edges with each operation."""
    cells = [space.cell(int(index)) for index in indices]
    table = pd.DataFrame({name: [predicate(cell) for cell in cells] for name, predicate in STRUCTURE.items()})
    counts = np.array([edges.live_operation_counts(cell) for cell in cells])
    for digit, operation in enumerate(space.OPERATIONS):
        if digit != space.NONE:
            table[f"live_{operation}"] = counts[:, digit]
    return table


def structure_by_rank(ranked: pd.DataFrame, column: str = "test_top1") -> pd.DataFrame:
    """Mean accuracy and mean structure of the best 1 % and 10 % of the cells, of all, and of the worst 10 % and 1 %.

    `ranked` comes from `selection.ranking`. Truth values average to shares (0..1). Groups hold at least one cell.
    """
    table = structure(ranked["index"].to_numpy()).astype(float)
    table.insert(0, column, ranked[column].to_numpy())
    if table.empty:
        return table.assign(group="", cells=0)[["group", "cells", *table.columns]]
    sizes = {share: max(1, round(share * len(table))) for share in SHARES}
    groups = {f"best {share:.0%}": table.head(size) for share, size in sizes.items()}
    groups["all"] = table
    groups |= {f"worst {share:.0%}": table.tail(size) for share, size in reversed(sizes.items())}
    rows = [{"group": name, "cells": len(part), **part.mean()} for name, part in groups.items()]
    return pd.DataFrame(rows)
