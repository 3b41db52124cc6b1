import numpy as np
import pytest

from skelnas.cells import space
from skelnas.cells.names import NAMES, named
from skelnas.cells.selection import select
from skelnas.errors import InputError


@pytest.mark.parametrize(("name", "cells", "one"), [*zip(NAMES, (65, 400, 341), (11472, 3, 1651), strict=True)])
def test_sizes_and_a_member(name, cells, one):
    assert named(name).sum() == cells
    assert named(name)[one]
    assert select(name) == tuple(np.flatnonzero(named(name)))


def test_no_cell_has_two_names():
    assert np.sum([named(name) for name in NAMES], axis=0).max() == 1


def test_a_skip_only_cell_puts_out_its_input():
    for index in select("skip-only"):
        a, b, c, d, e, f = space.cell(index)
        # With no convolution and no pool on a way to the output, and at least one way of skips.
        ways = [[d], [a, e], [b, f], [a, c, f]]
        alive = [way for way in ways if space.NONE not in way]
        assert alive
        assert all(set(way) == {space.SKIP} for way in alive)


def test_unknown_name():
    with pytest.raises(InputError, match="no cells are called 'vgg'; there are resnet, skip-only, input-discarding"):
        named("vgg")
