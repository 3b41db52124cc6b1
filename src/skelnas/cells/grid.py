"""All cells as a grid of 5 x 5 x 5 x 5 x 5 x 5, an axis for each edge; two cells are neighbours if one edge differs."""

import functools

import numpy as np

from skelnas.cells import space

EDGES, OPERATIONS = len(space.EDGES), len(space.OPERATIONS)
NEIGHBOURS = EDGES * (OPERATIONS - 1)
SHAPE = (OPERATIONS,) * EDGES


def digits_of(cells: np.ndarray) -> np.ndarray:
    """The operations of cells given by their architecture indices: int64 (cells, 6)."""
    return _all_digits()[np.asarray(cells, dtype=np.int64)]


def places_of(cells: np.ndarray) -> np.ndarray:
    """Where cells given by their architecture indices lie in the flattened grid: int64 (cells,)."""
    return digits_of(cells) @ _weights()


def grid_of(cells: np.ndarray, values: np.ndarray) -> np.ndarray | None:
    """The values of all cells as a grid, float64 (5, 5, 5, 5, 5, 5); None where a cell or its value is missing."""
    flat = np.full(space.CELLS, np.nan)
    flat[places_of(cells)] = values
    return None if np.isnan(flat).any() else flat.reshape(SHAPE)


@functools.cache
def cells_of_places() -> np.ndarray:
    """The architecture index of each place of the flattened grid: int64 (15,625,)."""
    found = np.empty(space.CELLS, dtype=np.int64)
    found[places_of(np.arange(space.CELLS))] = np.arange(space.CELLS)
    return found


def cells_of(digits: np.ndarray) -> np.ndarray:
    """The architecture indices of cells given by their operations, int64 (..., 6): int64 (...)."""
    return cells_of_places()[digits @ _weights()]


@functools.cache
def neighbours() -> np.ndarray:
    """The places of the 24 neighbours of each place of the flattened grid: int64 (15,625, 24)."""
    digits = np.stack(np.unravel_index(np.arange(space.CELLS), SHAPE), axis=1)
    changed = [
        np.arange(space.CELLS) + ((digits[:, edge] + step) % OPERATIONS - digits[:, edge]) * _weights()[edge]
        for edge in range(EDGES)
        for step in range(1, OPERATIONS)
    ]
    return np.stack(changed, axis=1)


@functools.cache
def neighbouring_cells() -> np.ndarray:
    """The same by architecture index, of each cell: int64 (15,625, 24)."""
    return cells_of_places()[neighbours()[places_of(np.arange(space.CELLS))]]


def distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """On how many edges cells differ: int64 (n, m) of digits (n, 6) and (m, 6)."""
    return (first[:, None, :] != second[None, :, :]).sum(axis=2)


@functools.cache
def _all_digits() -> np.ndarray:
    return np.array(space.all_cells(), dtype=np.int64)


def _weights() -> np.ndarray:
    return OPERATIONS ** np.arange(EDGES - 1, -1, -1)
