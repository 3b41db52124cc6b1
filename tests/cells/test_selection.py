import hashlib
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelnas.cells.cost import costs
from skelnas.cells.edges import is_connected
from skelnas.cells.equivalence import classes
from skelnas.cells.selection import select, shard_cells, shard_name, shards
from skelnas.cells.space import cell
from skelnas.errors import InputError

INDICES = st.sets(st.integers(0, 15_624), min_size=1, max_size=60).map(sorted)


def test_ranges_and_indices_are_joined_in_order():
    assert select("11472, 0-3,2,2-4") == (0, 1, 2, 3, 4, 11472)
    assert select("15624") == (15624,)
    assert select(1459) == (1459,)
    assert select("all") == tuple(range(15_625))


@settings(deadline=None)
@given(INDICES)
def test_a_list_selects_itself(indices):
    assert select(",".join(map(str, reversed(indices)))) == tuple(indices)


def test_one_per_class_is_the_smallest_of_each():
    chosen = select("one-per-class")
    assert len(chosen) == 5875
    found = classes("network")
    assert (found[list(chosen)] == chosen).all()
    assert set(found.tolist()) == set(chosen)


def test_stratified_cells_are_spread_over_the_cost():
    _, macs = costs(27, 20, 68)
    chosen = select("stratified-25")
    assert len(chosen) == 25
    assert list(chosen) == sorted(set(chosen))
    assert all(is_connected(cell(index)) for index in chosen)
    connected = [index for index in range(15_625) if is_connected(cell(index))]
    for cost in np.unique(macs[connected]):
        share = (macs[connected] <= cost).mean()
        # As many of the chosen are this cheap as an even spread asks for, to the nearest whole number.
        assert abs((macs[list(chosen)] <= cost).sum() - 25 * share) <= 0.5 + 1e-9
    # Which of equally dear cells is taken must never change either: they stand in the order of their indices.
    in_order = sorted(connected, key=lambda index: (macs[index], index))
    assert set(chosen) == {in_order[int((k + 0.5) * len(in_order) / 25)] for k in range(25)}
    assert select("stratified-15284") == tuple(connected)
    assert len(select("stratified-1")) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "",
            "cells '': a term is empty; give all, one-per-class, resnet, skip-only, input-discarding",
        ),
        ("1,,2", "cells '1,,2': a term is empty"),
        ("0-15625", "cells '0-15625': there is no cell 15625; indices run from 0 to 15624"),
        ("99999", "there is no cell 99999"),
        ("9-3", "the range 9-3 is reversed; write the smaller index first"),
        ("-3", "'-3' is not understood"),
        ("1.5", "'1.5' is not understood"),
        ("1-2-3", "'1-2-3' is not understood"),
        ("every", "'every' is not understood; give all"),
        ("stratified-0", "0 cells cannot be spread over 15284 connected cells; give a number from 1 to 15284"),
        ("stratified-15285", "15285 cells cannot be spread"),
        ("9" * 5000, "is not understood"),
        ("stratified-", "'stratified-' is not understood"),
    ],
)
def test_other_selections_are_refused(text, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        select(text)


@settings(deadline=None)
@given(INDICES, st.integers(1, 70))
def test_shards_cut_and_join(indices, size):
    cut = shards(indices, size)
    assert [index for shard in cut for index in shard] == indices
    assert [len(shard) for shard in cut[:-1]] == [size] * (len(cut) - 1)
    assert 1 <= len(cut[-1]) <= size
    names = [shard_name(shard) for shard in cut]
    assert len(set(names)) == len(cut)
    assert [shard_cells(name, cut) for name in names] == cut


def test_shard_names():
    assert shard_name(range(125)) == "00000-00124"
    assert shard_name([1459]) == "01459-01459"
    digest = hashlib.sha256(json.dumps([3, 5, 9], separators=(",", ":")).encode()).hexdigest()
    assert shard_name((3, 5, 9)) == f"00003-00009-{digest[:8]}"
    assert shard_cells("00782-00785") == (782, 783, 784, 785)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("00003-00009-00000000", "shard 00003-00009-00000000 belongs to no configured run"),
        ("0-124", "'0-124' is not the name of a shard"),
        ("00000-00124\n", "is not the name of a shard"),
        ("00009-00003", "the range 9-3 is reversed"),
        ("00000-15625", "there is no cell 15625"),
    ],
)
def test_names_of_no_shard_are_refused(name, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        shard_cells(name, [(3, 5, 9)])


def test_an_empty_shard_size_is_refused():
    with pytest.raises(InputError, match="a shard cannot hold 0 cells: give 1 or more"):
        shards([1, 2], 0)
