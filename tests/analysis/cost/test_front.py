"""The Pareto front and its uncertainty, against the definition and without noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas.analysis.cost.accuracy_and_cost import pareto_front
from skelnas.analysis.cost.front import DRAWS, front_in_draws, tabulate
from skelnas.results.summary import summarise


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9)), min_size=1, max_size=12))
def test_without_noise_every_draw_is_the_front(pairs):
    cost, accuracy = (np.array(values, dtype=float) for values in zip(*pairs, strict=True))
    share, best = front_in_draws(cost, accuracy, np.zeros(len(cost)), draws=3)
    assert set(np.flatnonzero(share)) >= set(pareto_front(cost, accuracy))
    for place, (price, value) in enumerate(pairs):  # of equals each is on the front
        beaten = any((c <= price and a > value) or (c < price and a >= value) for c, a in pairs)
        assert share[place] == (not beaten)
    for column, price in enumerate(np.unique(cost)):
        assert (best[:, column] == accuracy[cost <= price].max()).all()


def test_two_equal_cells_share_the_front():
    share, best = front_in_draws(np.array([1, 1, 2]), np.array([50.0, 50.0, 90.0]), np.array([2.0, 2.0, 0.5]), 4000)
    assert share[0] + share[1] == pytest.approx(1)
    assert share[0] == pytest.approx(0.5, abs=0.04)
    assert share[2] == 1
    assert best[:, 0].mean() == pytest.approx(50 + 2 / np.sqrt(np.pi), abs=0.15)  # of the larger of two normal numbers


def test_a_table_has_the_measured_front_and_what_may_be_on_it(make_benchmark):
    from skelnas.results.query import Benchmark

    with Benchmark(make_benchmark(list(range(40)), (777, 888))) as benchmark:
        table = tabulate(benchmark, summarise(benchmark))
        accuracy = benchmark.seed_means("test")
        for name in ("parameters", "macs"):
            rows = table[table["cost"] == name]
            front = pareto_front(getattr(benchmark, name), accuracy)
            assert set(rows.loc[rows["measured_front"], "index"]) == set(benchmark.cells[front])
            assert (rows["low"] <= rows["middle"]).all()
            assert (rows["middle"] <= rows["high"]).all()
            assert rows["at"].is_monotonic_increasing
            assert rows["share"].sum() * DRAWS >= DRAWS  # some cell is the best in every draw
