import itertools

import numpy as np
import pytest

from skelnas.cells.groups import groups
from skelnas.cells.space import all_cells
from skelnas.errors import InputError


@pytest.mark.parametrize("size", [25, 125, 625])
def test_every_group_asks_for_the_same_work(size):
    found = groups(size)
    digits = np.array(all_cells())
    assert sorted(itertools.chain.from_iterable(found)) == list(range(15_625))
    assert all(list(group) == sorted(group) for group in found)
    assert [group[0] for group in found] == sorted(group[0] for group in found)
    for group in found:
        members = digits[list(group)]
        assert len(group) == size
        for edge in range(6):
            assert np.bincount(members[:, edge], minlength=5).tolist() == [size // 5] * 5
        for one, other in itertools.combinations(range(6), 2):
            pairs = np.bincount(5 * members[:, one] + members[:, other], minlength=25)
            assert pairs.tolist() == [size // 25] * 25


@pytest.mark.parametrize("size", [0, 5, 100, 3125])
def test_other_sizes_are_refused(size):
    with pytest.raises(InputError, match=f"no balanced groups of {size} cells: choose 25, 125, 625"):
        groups(size)
