"""Empirical Bayes where the truth is known, and intervals of ranks against the ranks."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from skelnas.analysis.noise.shrinkage import prior, rank_intervals, shrink


def test_the_prior_that_was_drawn_from_is_found():
    random = np.random.default_rng(3)
    variance = random.uniform(0.5, 6, 4000)
    accuracy = random.normal(60, 3, 4000) + random.normal(size=4000) * np.sqrt(variance)
    mean, spread = prior(accuracy, variance)
    assert mean == pytest.approx(60, abs=0.2)
    assert spread == pytest.approx(9, rel=0.08)


def test_equal_errors_give_the_textbook_weights():
    accuracy, variance = np.array([50.0, 54.0, 58.0, 62.0]), np.full(4, 5.0)
    spread = accuracy.var(ddof=1) - 5
    mean, deviation = shrink(accuracy, variance)
    np.testing.assert_allclose(mean, 56 + (accuracy - 56) * spread / (spread + 5))
    np.testing.assert_allclose(deviation, np.sqrt(5 * spread / (spread + 5)))


def test_shrunk_values_are_nearer_to_the_truth_and_their_intervals_honest():
    random = np.random.default_rng(4)
    truth = random.normal(60, 2, 3000)
    accuracy = truth + random.normal(0, 2, 3000)
    mean, deviation = shrink(accuracy, np.full(3000, 4.0))
    assert ((mean - truth) ** 2).mean() < 0.6 * ((accuracy - truth) ** 2).mean()
    assert (np.abs(mean - truth) < scipy.stats.norm.ppf(0.95) * deviation).mean() == pytest.approx(0.9, abs=0.02)


def test_corners():
    same = shrink(np.full(5, 40.0), np.full(5, 2.0))
    np.testing.assert_allclose(same[0], 40)
    np.testing.assert_allclose(same[1], 0, atol=1e-9)
    exact = shrink(np.array([1.0, 2.0, 4.0]), np.zeros(3))
    np.testing.assert_allclose(exact, [[1, 2, 4], [0, 0, 0]])
    two = shrink(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.testing.assert_allclose(two, [[1, 2], [1, 2]])


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20, unique=True))
def test_without_error_a_rank_is_the_rank(accuracy):
    low, high = rank_intervals(np.array(accuracy), np.zeros(len(accuracy)), draws=20)
    expected = scipy.stats.rankdata(-np.array(accuracy), method="ordinal")
    assert low.tolist() == high.tolist() == expected.tolist()


def test_two_equal_cells_have_either_rank_and_the_same_every_time():
    mean, deviation = np.array([50.0, 50.0, 10.0]), np.array([1.0, 1.0, 1.0])
    low, high = rank_intervals(mean, deviation)
    assert (low.tolist(), high.tolist()) == ([1, 1, 3], [2, 2, 3])
    again = rank_intervals(mean, deviation)
    assert (again[0] == low).all()
    assert (again[1] == high).all()


def test_intervals_hold_the_true_rank_as_often_as_they_say():
    random = np.random.default_rng(5)
    inside = []
    for _ in range(30):
        truth = random.normal(60, 2, 60)
        accuracy = truth + random.normal(0, 1, 60)
        low, high = rank_intervals(*shrink(accuracy, np.ones(60)), draws=200)
        rank = scipy.stats.rankdata(-truth)
        inside.append(((low <= rank) & (rank <= high)).mean())
    assert np.mean(inside) == pytest.approx(0.9, abs=0.05)
