"""Shares of variance against statsmodels, brute force over pairs, and what was planted."""

import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import statsmodels.formula.api
from statsmodels.stats.anova import anova_lm

from skelnas.analysis.landscape import anova
from skelnas.analysis.landscape.locality import neighbour_correlation
from skelnas.cells import grid


@pytest.fixture(scope="module")
def rough():
    """A grid with effects of every order."""
    random = np.random.default_rng(0)
    value = np.zeros(grid.SHAPE)
    for edges in anova.subsets(range(1, 4)):
        shape = [grid.OPERATIONS if edge in edges else 1 for edge in range(grid.EDGES)]
        value += random.normal(size=shape)
    return value + random.normal(size=grid.SHAPE)


def test_shares_of_a_full_factorial_are_those_of_an_ordinary_analysis_of_variance(rough):
    shares = anova.exact_shares(rough)
    digits = grid.digits_of(grid.cells_of_places())
    table = pd.DataFrame(digits, columns=list("abcdef")).assign(y=rough.ravel())
    fitted = statsmodels.formula.api.ols("y ~ C(a) * C(b) * C(d) + C(f)", table).fit()
    squares = anova_lm(fitted)["sum_sq"] / ((table["y"] - table["y"].mean()) ** 2).sum()
    for edges in [(0,), (1,), (3,), (5,), (0, 1), (0, 3), (1, 3), (0, 1, 3)]:
        assert shares[edges] == pytest.approx(squares[":".join(f"C({'abcdef'[edge]})" for edge in edges)], abs=1e-12)


def test_shares_sum_to_one_and_neighbours_correlate_as_they_say(rough):
    shares = anova.exact_shares(rough)
    assert len(shares) == 63
    assert sum(shares.values()) == pytest.approx(1, abs=1e-12)
    by_order = anova.shares_by_order(shares)
    first = anova.walk_correlation(by_order, np.array([1]))[0]
    assert first == pytest.approx(neighbour_correlation(rough), abs=1e-12)
    assert anova.distance_correlation(by_order)[1] == pytest.approx(first, abs=1e-12)


def test_the_walk_is_a_walk(rough):
    """Two steps, enumerated: all neighbours of all neighbours."""
    off = rough.ravel() - rough.mean()
    around = off[grid.neighbours()].mean(axis=1)[grid.neighbours()].mean(axis=1)
    by_order = anova.shares_by_order(anova.exact_shares(rough))
    expected = (off * around).sum() / (off**2).sum()
    assert anova.walk_correlation(by_order, np.array([0, 2])) == pytest.approx([1, expected], abs=1e-12)


def test_correlation_at_each_distance_is_that_of_the_pairs(rough):
    off = rough - rough.mean()
    by_order = anova.shares_by_order(anova.exact_shares(rough))
    found = anova.distance_correlation(by_order)
    for distance in range(3):
        products = [  # moved along `distance` of the axes, by every combination of 1 to 4 places
            (off * np.roll(off, steps, axis=axes)).mean()
            for axes in itertools.combinations(range(grid.EDGES), distance)
            for steps in itertools.product(range(1, 5), repeat=distance)
        ]
        assert np.mean(products) / (off**2).mean() == pytest.approx(found[distance], abs=1e-12)


def test_a_planted_share_is_found_where_it_was_planted():
    main = np.array([0, 1, 2, 3, 4.0])[:, None, None, None, None, None]
    pair = np.zeros((5, 5))
    pair[0, 0] = pair[1, 1] = 3
    pair -= pair.mean(axis=0) + pair.mean(axis=1)[:, None] - pair.mean()
    value = np.broadcast_to(main, grid.SHAPE) + pair[None, None, :, None, :, None]
    shares = anova.exact_shares(value)
    total = main.var() + pair.var()
    assert shares[(0,)] == pytest.approx(main.var() / total)
    assert shares[(2, 4)] == pytest.approx(pair.var() / total)
    assert sum(share for edges, share in shares.items() if edges not in [(0,), (2, 4)]) == pytest.approx(0, abs=1e-12)


def test_noise_falls_to_sets_by_their_degrees_of_freedom():
    assert sum(anova.noise_share(len(edges)) for edges in anova.subsets()) == pytest.approx(1)


def test_a_constant_grid_has_no_shares():
    assert np.isnan(list(anova.exact_shares(np.ones(grid.SHAPE)).values())).all()


@pytest.mark.parametrize("order", [1, 2])
def test_tests_of_a_sample_are_those_of_statsmodels(rough, order):
    """F statistics of each set against the model without it (type III, contrasts that sum to zero)."""
    random = np.random.default_rng(1)
    chosen = random.choice(rough.size, 700, replace=False)
    digits, values = np.stack(np.unravel_index(chosen, grid.SHAPE), axis=1), rough.ravel()[chosen]
    table = pd.DataFrame(digits, columns=list("abcdef")).assign(y=values)
    terms = " + ".join(f"C({name}, Sum)" for name in "abcdef")
    fitted = statsmodels.formula.api.ols(f"y ~ ({terms})" + ("**2" if order == 2 else ""), table).fit()
    expected = anova_lm(fitted, typ=3)
    shares = anova.sample_shares(digits, values, order)
    error = expected.loc["Residual", "sum_sq"] / expected.loc["Residual", "df"]
    for edges, (_, low, high) in shares.items():
        own = expected.loc[":".join(f"C({'abcdef'[edge]}, Sum)" for edge in edges)]
        for limit, probability in ((low, 0.975), (high, 0.025)):
            centre = limit * values.var(ddof=1) * len(values) / error
            if centre > 1e-9:
                found = scipy.stats.ncf.cdf(own["F"], own["df"], expected.loc["Residual", "df"], centre)
                assert found == pytest.approx(probability, abs=1e-6)


def test_how_large_a_model_cells_carry():
    assert [anova.largest_order(cells) for cells in (11, 49, 50, 529, 530)] == [0, 0, 1, 1, 2]


def test_an_operation_that_no_cell_has_leaves_the_shares_missing():
    random = np.random.default_rng(2)
    digits = random.integers(0, 4, (100, 6))
    assert np.isnan(np.array(list(anova.sample_shares(digits, random.random(100), 1).values()))).all()
