import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from skelnas.analysis.distribution import ecdf, mean_curves, pareto_front, ranking


def test_mean_curves_average_cells_and_seeds():
    curves = np.array([[[10.0, 20.0], [30.0, 40.0]], [[50.0, 60.0], [70.0, 100.0]]])  # 2 cells, 2 seeds, 2 epochs
    table = mean_curves(curves, (777, 888))
    assert table["epoch"].tolist() == [1, 2]
    assert table["mean"].tolist() == [40.0, 55.0]
    assert table["mean_seed777"].tolist() == [30.0, 40.0]
    assert table["mean_seed888"].tolist() == [50.0, 70.0]
    assert table["median"].tolist() == [40.0, 55.0]  # between the cells' seed means 20 and 60, 30 and 80
    assert table["q25"].tolist() == [30.0, 42.5]


def test_a_diverged_loss_does_not_spoil_the_mean_of_the_others():
    curves = np.array([[[1.0, 2.0]], [[3.0, np.inf]]])
    assert mean_curves(curves, (777,))["mean"].tolist() == [2.0, 2.0]


@given(st.lists(st.integers(0, 20), min_size=1))
def test_ecdf_counts_the_cells_at_most_that_good(values):
    table = ecdf(np.array(values))
    for value, share in zip(table["accuracy"], table["share"], strict=True):
        assert np.isclose(share, 100 * sum(other <= value for other in values) / len(values))
    assert table["share"].iloc[-1] == 100


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
def test_pareto_front_holds_exactly_what_nothing_beats(points):
    cost, accuracy = np.array(points).T
    front = pareto_front(cost, accuracy)
    beaten = [
        any((c <= cost[i] and a >= accuracy[i]) and (c, a) != (cost[i], accuracy[i]) for c, a in points)
        for i in range(len(points))
    ]
    unbeaten = {points[i] for i in range(len(points)) if not beaten[i]}
    assert [tuple(map(int, (cost[i], accuracy[i]))) for i in front] == sorted(unbeaten)


def test_equal_cells_share_a_rank():
    table = ranking(pd.DataFrame({"index": [5, 2, 9, 1], "test_top1": [50.0, 70.0, 70.0, 10.0]}))
    assert table["index"].tolist() == [2, 9, 5, 1]
    assert table["rank"].tolist() == [1, 1, 3, 4]
