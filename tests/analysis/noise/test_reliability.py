"""Reliability held against an analysis of variance of statsmodels, against NAS-Bench-201, and in corners."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.anova import anova_lm

from skelnas.analysis.noise.reliability import icc, icc_among_best, sampling_variance, seed_variance
from skelnas.analysis.ranks import best, rank_correlation
from skelnas.importers import Request, read
from skelnas.importers.nasbench201 import arrays, packaged
from skelnas.recipe import SPLITS, Recipe


def normal(cells, seeds, between, within, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(50, between, (cells, 1)) + random.normal(0, within, (cells, seeds))


def test_icc_is_that_of_an_analysis_of_variance():
    values = normal(40, 3, 2.0, 1.0)
    long = pd.DataFrame(values).reset_index().melt("index")
    table = anova_lm(smf.ols("value ~ C(index)", long).fit())
    between, within = table["mean_sq"]
    found = icc(values)
    assert found["icc"] == pytest.approx((between - within) / (between + 2 * within))
    assert found["low"] < 0.8 < found["high"]


def test_icc_with_missing_seeds_is_that_of_a_variance_component():
    values = normal(60, 3, 2.0, 1.0)
    values[::3, 2] = np.nan
    long = pd.DataFrame(values).reset_index().melt("index").dropna()
    table = anova_lm(smf.ols("value ~ C(index)", long).fit())
    between, within = table["mean_sq"]
    mean_seeds = (len(long) - (long.groupby("index").size() ** 2).sum() / len(long)) / 59
    component = (between - within) / mean_seeds
    assert icc(values)["icc"] == pytest.approx(component / (component + within))
    values[0, 1] = np.nan  # one seed is left, which says nothing of seeds
    assert icc(values)["cells"] == 59


def test_icc_in_corners():
    assert np.isnan(icc(np.full((5, 3), 50.0))["icc"])  # nothing differs
    assert np.isnan(icc(normal(5, 1, 1, 1))["icc"])
    assert np.isnan(icc(np.full((5, 3), np.nan))["icc"])
    assert icc(np.array([[1.0, 1.0], [2.0, 2.0]]))["icc"] == 1.0
    assert icc(np.array([[1.0, 2.0], [2.0, 1.0]]))["icc"] == -1.0  # the seeds differ, the cells do not


def test_the_interval_of_icc_holds_the_truth_as_often_as_it_says():
    inside = [found["low"] < 0.5 < found["high"] for found in (icc(normal(30, 3, 1, 1, seed)) for seed in range(400))]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_nas_bench_201_is_as_reliable_as_others_found(dataset, oracle):
    table = read("nasbench201", Request("", dataset, "e1", Recipe(epochs=1, batch_size=256))).table
    counts = table.top1[:, :, SPLITS.index("valid"), 0].astype(float)
    counts[counts == np.iinfo(table.top1.dtype).max] = np.nan
    values = 100 * counts / table.samples[1]
    three = values[~np.isnan(values).any(axis=1)]
    said = oracle("nb201_statistics")[dataset]
    assert len(three) == said["cells_with_3_seeds"]
    assert icc(three)["icc"] == pytest.approx(said["icc1_three_seeds"], abs=1e-6)

    # They ranked the accuracies as the package has them, in which equal counts differ by rounding and are no ties.
    raw, _ = arrays(packaged(dataset))
    raw = raw[~np.isnan(raw).any(axis=1)]
    by_third = np.argsort(-raw[:, 2], kind="stable")[: int(0.01 * len(raw))]
    for rows, key in ((slice(None), "seed01_tau_all"), (by_third, "seed01_tau_top1pct_by_third_seed")):
        assert rank_correlation(raw[rows, 0], raw[rows, 1])["kendall_tau_b"] == pytest.approx(said[key], abs=1e-9)
    ties = rank_correlation(three[:, 0], three[:, 1])["kendall_tau_b"]
    assert said["seed01_tau_all"] < ties < said["seed01_tau_all"] + 0.005
    # Among cells that are chosen by what is not measured, reliability is far below that of all cells.
    among = [icc_among_best(values, None, share)["icc"] for share in (0.1, 0.01)]
    assert max(among) < icc(values)["icc"] - 0.1


def test_the_best_are_chosen_by_something_else():
    values = np.array([[9.0, 1.0, 1.0], [8.0, 8.0, 8.0], [1.0, 7.0, 7.5], [0.0, 0.0, 0.0]])
    chosen = icc_among_best(values, np.array([0.0, 1.0, 2.0, np.nan]), 0.5)
    assert chosen == icc(values[[2, 1]])
    assert icc_among_best(values[:, :2], None, 0.5)["cells"] == 0  # two seeds: none is left to measure between


@given(st.lists(st.one_of(st.floats(0, 100), st.just(np.nan)), min_size=1, max_size=40), st.floats(0, 1))
def test_best_holds_nothing_that_another_cell_beats(values, share):
    values = np.array(values)
    chosen = best(values, share)
    there = (~np.isnan(values)).sum()
    assert len(chosen) == min(there, max(1, round(share * there)))
    rest = np.delete(values, chosen)
    assert not len(chosen) or not (rest > values[chosen].min()).any()


def test_seed_variance_follows_the_accuracy():
    random = np.random.default_rng(1)
    truth = np.linspace(20, 90, 4000)
    noise = np.where(truth < 55, 3.0, 0.5)
    values = truth[:, None] + random.normal(size=(4000, 3)) * noise[:, None]
    values[::2, 2] = np.nan
    found = np.sqrt(seed_variance(values))
    assert found[truth < 50].mean() == pytest.approx(3.0, rel=0.05)
    assert found[truth > 60].mean() == pytest.approx(0.5, rel=0.05)


def test_seed_variance_in_corners():
    assert np.isnan(seed_variance(np.array([[1.0], [2.0]]))).all()
    few = seed_variance(np.array([[1.0, 3.0], [5.0, 5.0], [7.0, np.nan], [np.nan, np.nan]]))
    np.testing.assert_allclose(few, [1.0, 1.0, 1.0, np.nan])  # variances 2 and 0, pooled
    assert (seed_variance(np.full((50, 2), 20.0)) == 0).all()


def test_sampling_variance_by_hand():
    assert sampling_variance(np.array([50.0, 0.0, 100.0]), 400).tolist() == [6.25, 0.0, 0.0]
