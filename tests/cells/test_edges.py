import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelnas.cells import edges
from skelnas.cells.space import CONV1, CONV3, CONVOLUTIONS, EDGES, NONE, POOL, SKIP, all_cells, cell, parse

CELL = st.tuples(*[st.integers(0, 4)] * 6)
UNIFORM_SKIP = (SKIP,) * 6


def output(cell, given=2.0, ignored=()):
    """A scalar network of the same wiring: a convolution scales positively and adds a bias, a pool shrinks."""
    nodes = [given, 0.0, 0.0, 0.0]
    for edge, ((source, target), digit) in enumerate(zip(EDGES, cell, strict=True)):
        value = 0.0 if edge in ignored else nodes[source]
        if digit in CONVOLUTIONS and edge not in ignored:
            value = (1.7 + 0.31 * edge) * value + 3.1 + 0.17 * edge
        nodes[target] += {NONE: 0.0, POOL: 0.9 * value}.get(digit, value)
    return nodes[3]


def test_live_edges_and_connection_over_the_whole_space():
    counts = [len(edges.live_edges(cell)) for cell in all_cells()]
    # performance.md, section 2: the histogram of live edges.
    assert np.bincount(counts).tolist() == [341, 1364, 928, 3776, 1024, 4096, 4096]
    assert [edges.is_connected(cell) for cell in all_cells()] == [count > 0 for count in counts]


@settings(deadline=None)
@given(CELL)
def test_live_edges_are_those_that_carry_the_input(cell):
    assert edges.is_connected(cell) == (output(cell, 2.0) != output(cell, 5.0))
    kept = edges.trained_edges(cell)
    assert kept.signal == edges.live_edges(cell)
    assert edges.live_edges(edges.pruned(cell)) == edges.live_edges(cell)


def test_exactly_the_trained_edges_change_the_output():
    for digits in all_cells():
        kept = edges.trained_edges(digits).all
        whole = output(digits)
        for edge in range(6):
            # Taking an edge away changes the output if and only if it is kept: everything here is positive.
            assert (output(digits, ignored={edge}) != whole) == (edge in kept), (digits, edge)
        assert output(digits, ignored=set(range(6)) - set(kept)) == whole


def test_a_convolution_of_an_all_zero_node_is_kept_apart():
    # Index 9: a skip from input to output, and a 3x3 convolution of node 2, which nothing reaches.
    assert edges.trained_edges(cell(9)) == ((3,), (5,), ())
    assert edges.live_edges(cell(9)) == (3,)
    # 0>1 none: node 1 is zero, node 2 a bias, and its skip to the output carries that constant.
    assert edges.trained_edges((NONE, NONE, CONV3, NONE, POOL, SKIP)) == ((), (2,), (5,))
    # The same bias into a node that also holds the input: the edge behind it carries the input.
    assert edges.trained_edges((NONE, SKIP, CONV1, NONE, NONE, POOL)) == ((1, 5), (2,), ())
    assert edges.trained_edges((NONE, NONE, SKIP, NONE, POOL, SKIP)).all == ()


def test_live_paths():
    assert edges.live_paths(UNIFORM_SKIP) == [(3,), (0, 4), (1, 5), (0, 2, 5)]
    assert edges.live_paths((SKIP, NONE, POOL, NONE, NONE, CONV1)) == [(0, 2, 5)]
    assert edges.live_paths((NONE,) * 6) == []


@pytest.mark.parametrize(
    ("operations", "skip", "convolution", "pool", "depth", "parallel"),
    [
        ((SKIP, SKIP, SKIP, SKIP, SKIP, SKIP), True, False, False, 0, 0),
        ((CONV3, CONV3, CONV3, CONV3, CONV3, CONV3), False, True, False, 3, 3),
        ((SKIP, NONE, SKIP, NONE, NONE, SKIP), True, False, False, 0, 0),
        ((CONV1, NONE, NONE, SKIP, SKIP, NONE), True, True, False, 1, 1),
        ((CONV1, POOL, NONE, SKIP, NONE, NONE), True, False, False, 0, 0),  # both leave the input for nowhere
        ((POOL, CONV1, CONV3, NONE, NONE, CONV1), False, True, True, 2, 1),
        ((NONE, NONE, CONV3, NONE, CONV3, CONV3), False, False, False, 0, 0),
    ],
)
def test_what_paths_hold(operations, skip, convolution, pool, depth, parallel):
    assert edges.has_skip_path(operations) is skip
    assert edges.has_convolution_path(operations) is convolution
    assert edges.has_pool_path(operations) is pool
    assert edges.convolution_depth(operations) == depth
    assert edges.input_convolutions(operations) == parallel


def test_operations_are_counted_on_live_edges_only():
    sample = parse("|avg_pool_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")
    assert edges.live_operation_counts(sample) == (0, 1, 0, 0, 0)
    totals = np.sum([edges.live_operation_counts(cell) for cell in all_cells()], axis=0)
    # performance.md, section 2: each operation is on 1.019 live edges of a mean cell.
    assert totals[0] == 0
    assert totals[1:] / len(all_cells()) == pytest.approx([1.019] * 4, abs=5e-4)
