"""Tests of differences against statsmodels and scipy."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from skelnas.analysis.noise.comparison import least_difference, mcnemar, rejected, two_proportions, worse_than


@pytest.mark.parametrize(("first", "second"), [(300, 280), (10, 12), (430, 400), (200, 200)])
def test_two_proportions(first, second):
    _, p = proportions_ztest([first, second], [430, 430])
    assert two_proportions(first, second, 430) == pytest.approx(p)
    assert two_proportions(430, 430, 430) == two_proportions(0, 0, 430) == 1.0


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar(one, other):
    expected = reference_mcnemar([[5, one], [other, 7]], exact=True).pvalue if one + other else 1.0
    assert mcnemar(one, other) == pytest.approx(min(1.0, expected))


def test_a_paired_test_sees_what_the_unpaired_one_does_not():
    # 430 samples, 300 and 285 right; where 285 are the same ones, all that differs speaks for the first.
    assert two_proportions(300, 285, 430) > 0.25
    assert mcnemar(15, 0) < 0.001


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_benjamini_and_hochberg(p):
    np.testing.assert_array_equal(rejected(np.array(p)), multipletests(p, 0.05, method="fdr_bh")[0])


def test_nothing_to_reject():
    assert rejected(np.array([])).tolist() == []


def test_worse_than_is_a_one_sided_z_test():
    p = worse_than(np.array([90.0, 89.0, 91.0, np.nan, 90.0]), np.array([0.5, 0.5, 0.5, 0.5, 0.0]), 0)
    assert p[[0, 3]].tolist() == [1.0, 1.0]
    assert p[1] == pytest.approx(scipy.stats.norm.sf(1.0))
    assert p[2] == pytest.approx(scipy.stats.norm.cdf(1.0))
    same = worse_than(np.array([50.0, 50.0, 49.0]), np.zeros(3), 0)  # no error at all: ties are equal, the rest worse
    assert same.tolist() == [1.0, 1.0, 0.0]


def test_the_least_difference_is_where_the_test_turns():
    variance = 4.0
    difference = float(least_difference(variance))
    assert 2 * scipy.stats.norm.sf(difference / np.sqrt(2 * variance)) == pytest.approx(0.05)
