"""Cells as a grid: against the six digits that differ."""

import numpy as np

from skelnas.cells import grid, space

DIGITS = np.array(space.all_cells())


def test_neighbours_differ_on_one_edge():
    around = grid.neighbouring_cells()
    assert around.shape == (space.CELLS, grid.NEIGHBOURS)
    assert ((DIGITS[:, None] != DIGITS[around]).sum(axis=2) == 1).all()
    assert (np.diff(np.sort(around, axis=1), axis=1) > 0).all()


def test_a_cell_is_found_by_its_operations():
    assert grid.cells_of(DIGITS).tolist() == list(range(space.CELLS))
    assert grid.cells_of(DIGITS[[[5, 7]]]).tolist() == [[5, 7]]
