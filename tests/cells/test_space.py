import functools
import hashlib
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelnas.cells import space
from skelnas.errors import InputError

CELL = st.tuples(*[st.integers(0, 4)] * 6)


def test_the_order_is_that_of_nas_bench_201(oracle):
    expected = oracle("archs_in_order")
    strings = [space.text(cell) for cell in space.all_cells()]
    assert len(strings) == expected["count"] == space.CELLS
    assert {index: strings[int(index)] for index in expected["lines"]} == expected["lines"]
    assert hashlib.sha256("\n".join(strings).encode()).hexdigest() == expected["sha256"]


@settings(deadline=None)
@given(CELL)
def test_text_and_index_lead_back_to_the_cell(cell):
    assert space.parse(space.text(cell)) == cell
    assert space.cell(space.index(cell)) == cell


@settings(deadline=None)
@given(CELL, st.integers(0, 200), st.sampled_from("|+~0123x "))
def test_a_string_with_one_character_changed_is_refused_or_another_cell(cell, position, character):
    good = space.text(cell)
    position %= len(good)
    changed = good[:position] + character + good[position + 1 :]
    if changed.strip() in published():
        assert space.text(space.parse(changed)) == changed.strip()
    else:
        with pytest.raises(InputError, match="cannot be read"):
            space.parse(changed)


@functools.cache
def published():
    return {space.text(cell) for cell in space.all_cells()}


def test_the_shuffle_leaves_the_global_stream_alone():
    random.seed(1)
    expected = random.Random(1).random()
    space.all_cells.cache_clear()
    space.all_cells()
    assert random.random() == expected


@pytest.mark.parametrize("index", [-1, 15_625, 10**9])
def test_an_index_outside_the_space_is_refused(index):
    with pytest.raises(InputError, match=rf"there is no cell {index}: .* 0 to 15624"):
        space.cell(index)


@pytest.mark.parametrize("cell", [(0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 5), "abcdef", None, ([], 0, 0, 0, 0, 0)])
def test_what_is_not_a_cell_has_no_index(cell):
    with pytest.raises(InputError, match="is not a cell: give six digits from 0 to 4"):
        space.index(cell)


@pytest.mark.parametrize(
    ("string", "reason"),
    [
        ("", "it has 1 part separated by '+', expected 3"),
        ("|none~0|+|none~0|none~1|", "it has 2 parts separated by '+', expected 3"),
        ("none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "the part of node 1, 'none~0|', does not begin and end"),
        ("|none~0|+|none~0|+|none~0|none~1|none~2|", "node 2 has 1 edge, expected 2"),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|none~3|", "node 3 has 4 edges, expected 3"),
        ("|none~0|+|none~0|none|+|none~0|none~1|none~2|", "'none', edge 2 of node 2, lacks '~'"),
        ("|none~0|+|none~0|skip~1|+|none~0|none~1|none~2|", "'skip' on edge 1>2 is none of none, skip_connect"),
        ("|none~0|+|none~0|none~1|+|none~0|none~2|none~1|", "edge 2 of node 3 comes from '2', expected '1'"),
    ],
)
def test_a_malformed_string_is_refused_with_its_place_and_an_example(string, reason):
    with pytest.raises(InputError, match=re.escape(reason)) as caught:
        space.parse(string)
    assert str(caught.value).endswith(f"a correct one is {space.EXAMPLE}")
    assert space.text(space.parse(space.EXAMPLE)) == space.EXAMPLE
