"""What the structure of a cell is, as numbers and truth values: one row per cell."""

import functools

import numpy as np
import pandas as pd

from skelnas.cells import edges, space
from skelnas.cells.equivalence import classes
from skelnas.cells.names import NAMES, named


def traits(cells: np.ndarray) -> pd.DataFrame:
    """One row per architecture index, in their order. Only live edges count (`edges.live_edges`).

    Columns: connected; shortcut (a way of skips alone); convolutions_1x1, convolutions_3x3, convolutions, pools, skips
    (how many); depth, width; input_convolutions; convolution_depth; parallel (two or more convolutions on the input and
    none after another), sequence (convolutions after another, at most one on the input); mixed (both kinds of
    convolution and a shortcut); pool_only (something arrives, all of it through pools); resnet, skip_only,
    input_discarding; graph (its class, `equivalence.classes("graph")`).
    """
    return _all_traits().iloc[np.asarray(cells, dtype=np.int64)].reset_index(drop=True)


@functools.cache
def _all_traits() -> pd.DataFrame:
    cells = space.all_cells()
    counts = np.array([edges.live_operation_counts(cell) for cell in cells])
    table = pd.DataFrame(
        {
            "connected": [edges.is_connected(cell) for cell in cells],
            "shortcut": [edges.has_skip_path(cell) for cell in cells],
            "convolutions_1x1": counts[:, space.CONV1],
            "convolutions_3x3": counts[:, space.CONV3],
            "convolutions": counts[:, space.CONV1] + counts[:, space.CONV3],
            "pools": counts[:, space.POOL],
            "skips": counts[:, space.SKIP],
            "depth": [edges.depth(cell) for cell in cells],
            "width": [edges.width(cell) for cell in cells],
            "input_convolutions": [edges.input_convolutions(cell) for cell in cells],
            "convolution_depth": [edges.convolution_depth(cell) for cell in cells],
        }
    )
    table["parallel"] = (table["input_convolutions"] >= 2) & (table["convolution_depth"] == 1)
    table["sequence"] = (table["input_convolutions"] <= 1) & (table["convolution_depth"] >= 2)
    table["mixed"] = table["shortcut"] & (table["convolutions_1x1"] > 0) & (table["convolutions_3x3"] > 0)
    table["pool_only"] = table["connected"] & (table["convolutions"] == 0) & ~table["shortcut"]
    for name in NAMES:
        table[name.replace("-", "_")] = named(name)
    table["graph"] = classes("graph")
    return table
