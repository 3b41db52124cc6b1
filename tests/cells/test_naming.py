import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas.cells import naming, space
from skelnas.cells.equivalence import classes, members
from skelnas.errors import InputError


@given(st.integers(0, space.CELLS - 1))
def test_every_way_to_name_a_cell_leads_to_its_index(index):
    cell = space.cell(index)
    digits = "".join(map(str, cell))
    for name in (index, np.int16(index), space.text(cell), f" {digits} ", digits, cell, list(cell), np.array(cell)):
        assert naming.index_of(name) == index


@pytest.mark.parametrize(
    "wrong",
    [None, True, 3.0, b"3", "12", "1234567", "313125", (1, 2, 3), (0.0,) * 6, (True,) * 6, {}, object(), 15_625, -1],
)
def test_anything_else_is_a_sentence(wrong):
    with pytest.raises(InputError):
        naming.index_of(wrong)


def test_a_class_is_named_by_its_smallest_cell():
    assert naming.class_number("class 12") == 12
    assert [naming.class_number(name) for name in ("12", 12, "class", "class -1", None)] == [None] * 5


@pytest.mark.parametrize("notion", ["network"])
def test_members_of_one_class_are_those_of_all_classes(notion):
    all_of_them = np.asarray(classes(notion))
    for index in (0, 3, 1651, 1835, 9_999):
        np.testing.assert_array_equal(members(index, notion), np.flatnonzero(all_of_them == all_of_them[index]))
    with pytest.raises(InputError, match="no cell 15625"):
        members(space.CELLS)
