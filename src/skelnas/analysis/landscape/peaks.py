"""Local optima of a landscape whose cells are all known: their basins, and the passes between them.

A *peak* is a plateau, cells of equal accuracy connected by single changes, none of which has a better neighbour. A
*strict local maximum* is better than its 24 neighbours, a *weak* one at least as good; each cell of a peak is a weak
one, and so are cells of a plateau that leads upwards only elsewhere. Who climbs from a cell to the best neighbour, and
so on, ends on one peak; the cells that lead there are its *basin*. The *pass* from a peak is the accuracy below which
nobody need go on the way to a better one: the tree of passes is the disconnectivity graph of Becker and Karplus (1997,
Journal of Chemical Physics 106), drawn upside down.
"""

import numpy as np
import pandas as pd
import scipy.sparse

from skelnas.cells.grid import NEIGHBOURS, cells_of_places, neighbours


def maxima(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which places of the flattened grid are strict, and which are weak local maxima: two bool (15,625,)."""
    around = flat[neighbours()].max(axis=1)
    return flat > around, flat >= around


def peaks(flat: np.ndarray) -> pd.DataFrame:
    """One row per peak, the highest first: cell (smallest index of its plateau), cells (of the plateau), accuracy,
    basin (cells), parent (the better peak that the easiest way leads to; -1 for the highest), pass (accuracy; NaN for
    it), steps (edges on which the two peaks' cells differ; 0 for it)."""
    plateau = _plateaus(flat)
    number = plateau.max() + 1
    smallest = np.full(number, np.iinfo(np.int64).max)
    np.minimum.at(smallest, plateau, cells_of_places())
    height = np.empty(number)
    height[plateau] = flat
    ends = _climb(flat, plateau, height, smallest)
    top = np.flatnonzero(ends == np.arange(number))
    parent, passes = _passes(plateau, height, smallest)
    place = np.empty(number, dtype=np.int64)  # of the cell that stands for a plateau
    stands = cells_of_places() == smallest[plateau]
    place[plateau[stands]] = np.flatnonzero(stands)
    digits = np.stack(np.unravel_index(place, (5,) * 6), axis=1)
    table = pd.DataFrame(
        {
            "cell": smallest[top],
            "cells": np.bincount(plateau, minlength=number)[top],
            "accuracy": height[top],
            "basin": np.bincount(ends[plateau], minlength=number)[top],
            "parent": [smallest[parent[one]] if parent[one] >= 0 else -1 for one in top],
            "pass": passes[top],
            "steps": [int((digits[one] != digits[parent[one]]).sum()) if parent[one] >= 0 else 0 for one in top],
        }
    )
    return table.sort_values(["accuracy", "cell"], ascending=[False, True], ignore_index=True)


def _plateaus(flat: np.ndarray) -> np.ndarray:
    """The number of each place's plateau."""
    source, column = np.nonzero(flat[neighbours()] == flat[:, None])
    target = neighbours()[source, column]
    links = scipy.sparse.coo_array((np.ones(len(source)), (source, target)), shape=(len(flat), len(flat)))
    return scipy.sparse.csgraph.connected_components(links, directed=False)[1]


def _climb(flat: np.ndarray, plateau: np.ndarray, height: np.ndarray, smallest: np.ndarray) -> np.ndarray:
    """The peak (number of its plateau) that the steepest way from each plateau ends on; of equals the smaller index."""
    target = plateau[neighbours()].ravel()
    source = np.repeat(plateau, NEIGHBOURS)
    order = np.lexsort((smallest[target], -height[target], source))
    first = np.unique(source[order], return_index=True)[1]
    best = target[order][first]
    following = np.where(height[best] > height, best, np.arange(len(height)))
    while (further := following[following]).tolist() != following.tolist():
        following = further
    return following


def _passes(plateau: np.ndarray, height: np.ndarray, smallest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each peak the better peak that it joins when the land below is flooded from above, and at which accuracy."""
    links = np.stack([np.repeat(plateau, NEIGHBOURS), plateau[neighbours()].ravel()], axis=1)
    links = links[height[links[:, 0]] < height[links[:, 1]]]  # from each plateau to higher ones
    links = np.unique(links, axis=0)
    starts = np.searchsorted(links[:, 0], np.arange(len(height) + 1))
    higher = links[:, 1].tolist()
    root, parent, passes = list(range(len(height))), np.full(len(height), -1), np.full(len(height), np.nan)

    def peak_of(one: int) -> int:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for one in np.lexsort((smallest, -height)).tolist():
        met = {peak_of(other) for other in higher[starts[one] : starts[one + 1]]}
        if not met:
            continue  # a peak
        highest = min(met, key=lambda peak: (-height[peak], smallest[peak]))
        for peak in met - {highest}:
            root[peak], parent[peak], passes[peak] = highest, highest, height[one]
        root[one] = highest
    return parent, passes
