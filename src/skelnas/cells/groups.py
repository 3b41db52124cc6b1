"""Groups of cells in which every edge carries every operation equally often.

Cells are words of length 6 over the field of five elements. The cosets of a linear [6, k] code with the largest
possible minimum distance (MDS) cut all 15,625 words into groups of 5^k; any k edges of a group show every combination
of k operations exactly once, so every group asks for the same work. The code is the extended Reed-Solomon code: values
of a polynomial of degree below k at the five field elements, and its leading coefficient.
"""

import functools

import numpy as np

from skelnas.cells.space import CELLS, OPERATIONS, all_cells
from skelnas.errors import InputError

FIELD = len(OPERATIONS)
SIZES = {FIELD**dimension: dimension for dimension in (2, 3, 4)}


@functools.cache
def groups(size: int) -> tuple[tuple[int, ...], ...]:
    """Architecture indices of all cells in groups of `size` (25, 125 or 625), each ascending, ordered by their first.

    In each group every edge carries every operation size/5 times, every pair of edges every pair of operations
    size/25 times.

    Raises:
        InputError: there are no such groups of this size.
    """
    if size not in SIZES:
        raise InputError(f"there are no balanced groups of {size} cells: choose {', '.join(map(str, SIZES))}")
    syndromes = np.array(all_cells()) @ _checks(SIZES[size]).T % FIELD
    coset = syndromes @ FIELD ** np.arange(syndromes.shape[1])
    members = np.argsort(coset, kind="stable").reshape(CELLS // size, size)
    return tuple(sorted(tuple(group) for group in members.tolist()))


def _checks(dimension: int) -> np.ndarray:
    """Parity-check matrix, (6 - k) x 6, of the extended Reed-Solomon code of dimension k.

    Row by column products of two such codes are sums of powers of all five elements, 0 up to the third power and -1
    for the fourth, to which the product of the leading coefficients adds 1: the code of dimension 6 - k is the dual.
    """
    rows = len(all_cells()[0]) - dimension
    powers = np.array([[element**power for element in range(FIELD)] for power in range(rows)])
    leading = np.zeros((rows, 1), dtype=int)
    leading[-1] = 1
    return np.hstack([powers, leading])
