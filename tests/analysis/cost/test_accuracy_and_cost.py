import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skelnas.analysis.cost.accuracy_and_cost import pareto_front


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
