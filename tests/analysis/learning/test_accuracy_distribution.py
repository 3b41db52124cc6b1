import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skelnas.analysis.learning.accuracy_distribution import ecdf


@given(st.lists(st.integers(0, 20), min_size=1))
def test_ecdf_counts_the_cells_at_most_that_good(values):
    table = ecdf(np.array(values))
    for value, share in zip(table["accuracy"], table["share"], strict=True):
        assert np.isclose(share, 100 * sum(other <= value for other in values) / len(values))
    assert table["share"].iloc[-1] == 100
