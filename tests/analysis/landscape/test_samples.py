"""What samples of cells give: intervals, gaps, ties, and tables without rows."""

import numpy as np
import pytest
import scipy.stats

from skelnas.analysis.landscape.distance import distance_to_best, finding, fitness_distance
from skelnas.analysis.landscape.locality import autocorrelation, pair_correlations
from skelnas.analysis.landscape.variance import EXACT, SAMPLE, variance_shares
from skelnas.analysis.provenance import Facts
from skelnas.cells import grid


@pytest.fixture
def sample():
    random = np.random.default_rng(3)
    cells = np.sort(random.choice(15625, 150, replace=False))
    effect = np.array([-4, 0, 2, 3, -1.0])[grid.digits_of(cells)[:, 3]]
    return cells, effect + random.normal(0, 2, 150)


def test_a_sample_is_labelled_and_has_intervals(sample):
    table = variance_shares(*sample)
    assert (table["method"] == SAMPLE[1]).all()
    assert table["order"].tolist() == [1] * 6
    row = table.set_index("edges").loc["0>3"]
    truth = np.var([-4, 0, 2, 3, -1.0]) / (np.var([-4, 0, 2, 3, -1.0]) + 4)
    assert row["low"] < truth < row["high"]
    assert (table["low"] <= table["share"]).all()
    assert (table["share"] <= table["high"]).all()


def test_one_missing_cell_makes_all_cells_a_sample():
    cells, values = np.arange(15625), np.random.default_rng(0).random(15625)
    assert (variance_shares(cells, values)["method"] == EXACT).all()
    values[11] = np.nan
    table = variance_shares(cells, values)
    assert (table["method"] == SAMPLE[2]).all()
    assert (table["cells"] == 15624).all()
    assert len(table) == 21


def test_noise_of_seeds_is_a_share():
    values = np.random.default_rng(0).normal(0, 1, 15625)
    table = variance_shares(np.arange(15625), values, noise=float(values.var()))
    assert table["noise"].sum() == pytest.approx(1)


@pytest.mark.parametrize("cells", [[], [5], list(range(40))])
def test_too_few_cells_give_no_rows(cells):
    assert variance_shares(np.array(cells, dtype=int), np.arange(len(cells), dtype=float)).empty
    assert autocorrelation(np.array(cells[:20], dtype=int), np.arange(len(cells[:20]), dtype=float)).empty


def test_constant_accuracy_gives_no_rows():
    cells = np.arange(300)
    for table in (variance_shares, autocorrelation, distance_to_best):
        assert table(cells, np.full(300, 3.7)).empty
    assert variance_shares(np.arange(15625), np.ones(15625)).empty
    assert autocorrelation(np.arange(15625), np.ones(15625)).empty


def test_pairs_of_a_sample_by_hand(sample):
    cells, values = sample
    apart = grid.distances(grid.digits_of(cells), grid.digits_of(cells))
    found = pair_correlations(apart, values, np.ones((1, len(cells))))[0]
    off = values - values.mean()
    for distance in (1, 4):
        products = [off[i] * off[j] for i in range(150) for j in range(150) if apart[i, j] == distance]
        assert found[distance - 1] == pytest.approx(np.mean(products) / off.var())


def test_a_cell_drawn_twice_is_no_pair_with_itself(sample):
    cells, values = sample
    chosen = np.random.default_rng(1).integers(0, 150, 150)
    weights = np.bincount(chosen, minlength=150)[None].astype(float)
    apart = grid.distances(grid.digits_of(cells), grid.digits_of(cells))
    found = pair_correlations(apart, values, weights)[0]
    drawn = values[chosen]
    off, between = drawn - drawn.mean(), apart[np.ix_(chosen, chosen)]
    assert found[3] == pytest.approx(np.outer(off, off)[between == 4].mean() / off.var())


def test_distance_to_the_nearest_of_several_best_cells():
    cells = np.arange(12)
    values = np.array([1, 9, 3, 4, 5, 9, 2, 2, 2, np.nan, 0, 1])
    table = distance_to_best(cells, values)
    digits = grid.digits_of(cells)
    apart = [min((digits[i] != digits[j]).sum() for j in (1, 5)) for i in range(12) if i != 9]
    assert (table["best"] == 1).all()
    assert table["cells"].sum() == 11
    assert table["pearson"].iloc[0] == pytest.approx(np.corrcoef(apart, np.delete(values, 9))[0, 1])
    assert table["tau_b"].iloc[0] == pytest.approx(scipy.stats.kendalltau(apart, np.delete(values, 9)).statistic)
    assert table["among"].iloc[0] == "a sample of the cells"


def test_no_relation_is_within_the_interval_of_the_fitness_distance_correlation():
    random = np.random.default_rng(4)
    found = fitness_distance(random.integers(0, 7, 200), random.random(200), interval=True)
    assert found["pearson_low"] < 0 < found["pearson_high"]
    assert found["tau_b_low"] < 0 < found["tau_b_high"]


def test_a_correlation_that_may_be_nothing_is_not_called_one():
    facts = Facts("tiny", "short", 40, (7,), 3, {"train": 9, "valid": 9, "test": 9}, 3)
    random = np.random.default_rng(4)
    cells = np.sort(random.choice(15625, 40, replace=False))
    assert "cannot be told from 40 cells" in finding(distance_to_best(cells, random.random(40)), facts)
    best = grid.digits_of(cells)[0]
    falling = 50.0 - 5 * (grid.digits_of(cells) != best).sum(axis=1)
    assert finding(distance_to_best(cells, falling), facts).startswith("Accuracy falls clearly")
