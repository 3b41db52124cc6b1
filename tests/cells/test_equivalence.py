import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skelnas.cells import equivalence
from skelnas.cells.edges import is_connected, pruned, trained_edges
from skelnas.cells.space import CONVOLUTIONS, EDGES, NODES, NONE, OPERATIONS, POOL, SKIP, all_cells, index, parse
from skelnas.errors import InputError

CELL = st.tuples(*[st.integers(0, 4)] * 6)
PRIME = 2**61 - 1


def nasbench201_key(cell, consider_zero=True):
    """The string by which NAS-Bench-201 tells cells apart.

    It is not an equivalence of what is trained: it keeps zeros inside sums, which splits equal cells, and compares
    trees, which merges one convolution used twice with two convolutions. With `consider_zero` a `none` and whatever
    follows it is written '#'.
    """
    nodes = ["0"]
    for target in range(1, NODES):
        terms = []
        for (source, end), digit in zip(EDGES, cell, strict=True):
            if end != target:
                continue
            if consider_zero and (digit == NONE or nodes[source] == "#"):
                terms.append("#")
            elif digit == SKIP:
                terms.append(nodes[source])
            else:
                terms.append(f"({nodes[source]})@{OPERATIONS[digit]}")
        nodes.append("+".join(sorted(terms)))
    return nodes[-1]


def scalar(cell, weights):
    """The cell over the integers modulo a prime: a convolution of v is (w v + 1)^3 w, a pool (v + 3)^5 - 3^5."""
    nodes = [12345, 0, 0, 0]
    for edge, ((source, target), digit) in enumerate(zip(EDGES, cell, strict=True)):
        value = nodes[source]
        if digit == NONE:
            value = 0
        elif digit in CONVOLUTIONS:
            value = weights[edge] * pow(weights[edge] * value + digit, 3, PRIME)
        elif digit == POOL:
            value = pow(value + 3, 5, PRIME) - 3**5
        nodes[target] = (nodes[target] + value) % PRIME
    return nodes[3]


def smallest_value(cell):
    """The least output over all ways to hand out the fixed weights to the convolutions of one kind."""
    kinds = [[edge for edge in range(6) if cell[edge] == kind] for kind in CONVOLUTIONS]
    least = PRIME
    for orders in itertools.product(*(itertools.permutations(range(len(kind))) for kind in kinds)):
        weights = {}
        for which, (kind, order) in enumerate(zip(kinds, orders, strict=True)):
            weights |= {edge: 10007 + 7919 * which + 104729 * number for edge, number in zip(kind, order, strict=True)}
        least = min(least, scalar(cell, weights))
    return least


def partition(keys):
    first = {}
    return np.array([first.setdefault(key, position) for position, key in enumerate(keys)])


@pytest.mark.parametrize(("notion", "count"), [("graph", 5260), ("graph-linear", 5044), ("network", 5875)])
def test_classes_are_as_many_as_counted_by_others(notion, count):
    # recipe.md, section 2, and performance.md, section 5.
    found = equivalence.classes(notion)
    assert found.shape == (15_625,)
    assert found.dtype == np.int64
    assert len(np.unique(found)) == count
    assert (found <= np.arange(15_625)).all()
    assert (found[found] == found).all()


def test_graph_classes_agree_with_random_scalar_functions():
    values = {cell: smallest_value(cell) for cell in {pruned(cell) for cell in all_cells()}}
    assert (partition([values[pruned(cell)] for cell in all_cells()]) == equivalence.classes("graph")).all()


def test_network_classes_agree_with_random_scalar_functions():
    # A convolution of zero stays, as a constant of its own: exactly as in the trained network.
    relevant = []
    for cell in all_cells():
        kept = trained_edges(cell).all
        relevant.append(tuple(digit if edge in kept else NONE for edge, digit in enumerate(cell)))
    values = {cell: smallest_value(cell) for cell in set(relevant)}
    assert (partition([values[cell] for cell in relevant]) == equivalence.classes("network")).all()


def test_cells_without_a_path_are_one_class():
    cut_off = np.flatnonzero([not is_connected(cell) for cell in all_cells()])
    assert len(cut_off) == 341
    assert set(equivalence.classes("graph")[cut_off].tolist()) == {cut_off[0]}
    assert (equivalence.classes("graph") == cut_off[0]).sum() == 341


def test_the_notions_refine_each_other():
    def refines(fine, coarse):
        return all(len(set(coarse[fine == name])) == 1 for name in np.unique(fine))

    assert refines(equivalence.classes("network"), equivalence.classes("graph"))
    assert refines(equivalence.classes("graph"), equivalence.classes("graph-linear"))


def test_graph_classes_mix_trained_functions_and_the_default_does_not():
    network, graph = equivalence.classes("network"), equivalence.classes("graph")
    assert (equivalence.classes() == network).all()
    assert (network != network[graph]).sum() == 3310


def test_a_learned_bias_of_a_dead_convolution_makes_another_network():
    # Node 1 is zero, and the convolution from it still adds the bias that its BatchNorm learns.
    with_bias = parse("|none~0|+|none~0|none~1|+|skip_connect~0|nor_conv_3x3~1|none~2|")
    without = parse("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|")
    idle = parse("|none~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|none~2|")  # it never reaches the output
    network, graph = equivalence.classes("network"), equivalence.classes("graph")
    assert graph[index(with_bias)] == graph[index(without)] == graph[index(idle)]
    assert network[index(with_bias)] != network[index(without)]
    assert network[index(idle)] == network[index(without)]


def test_one_convolution_used_twice_is_not_two():
    twice = parse("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|none~0|skip_connect~1|skip_connect~2|")
    two = parse("|none~0|+|nor_conv_1x1~0|none~1|+|nor_conv_1x1~0|none~1|skip_connect~2|")
    graph = equivalence.classes("graph")
    assert graph[index(twice)] != graph[index(two)]
    assert nasbench201_key(twice) == nasbench201_key(two)


@settings(max_examples=50, deadline=None)
@given(CELL)
def test_swapping_two_parallel_nodes_changes_nothing(cell):
    apart = (*cell[:2], NONE, *cell[3:])
    swapped = (apart[1], apart[0], NONE, apart[3], apart[5], apart[4])
    for notion in equivalence.NOTIONS:
        found = equivalence.classes(notion)
        assert found[index(apart)] == found[index(swapped)]


@pytest.mark.parametrize(("consider_zero", "count"), [(True, 6466), (False, 12_751)])
def test_nas_bench_201_keys_are_as_many_as_published(consider_zero, count):
    assert len({nasbench201_key(cell, consider_zero) for cell in all_cells()}) == count


def test_classes_cannot_be_changed_and_unknown_notions_are_refused():
    with pytest.raises(ValueError, match="read-only"):
        equivalence.classes("graph")[0] = 1
    with pytest.raises(InputError, match="no notion of equivalence 'exact': choose one of network, "):
        equivalence.classes("exact")
