import numpy as np
import pytest

from skelnas.analysis.agreement import FEWEST, noise, rank_agreement, rank_correlation


def test_rank_correlation_by_hand():
    # Pairs of (1,2,3,3) with (1,3,2,4): 4 concordant, 1 discordant, 1 tied in the first; tau-b = 3 / sqrt(5 * 6).
    found = rank_correlation(np.array([1, 2, 3, 3]), np.array([1, 3, 2, 4]))
    assert found["cells"] == 4
    assert found["kendall_tau_b"] == pytest.approx(3 / np.sqrt(30))
    ranks = np.corrcoef([1, 2, 3.5, 3.5], [1, 3, 2, 4])[0, 1]
    assert found["spearman_rho"] == pytest.approx(ranks)


def test_rank_correlation_of_constants_is_missing():
    assert np.isnan(rank_correlation(np.ones(4), np.arange(4))["kendall_tau_b"])
    assert np.isnan(rank_correlation(np.ones(1), np.ones(1))["spearman_rho"])


def test_rank_agreement_names_its_pairs():
    random = np.random.default_rng(3)
    test = random.normal(50, 10, size=(10 * FEWEST, 3))
    table = rank_agreement(test, test, (777, 888, 999)).set_index(["first", "second", "among"])
    assert len(table) == 2 * (1 + 3 + 3)
    assert table.loc[("valid, seed mean", "test, seed mean", "all cells"), "kendall_tau_b"] == 1
    assert table.loc[("valid, seed mean", "test, seed mean", "best tenth by first"), "cells"] == FEWEST
    expected = rank_correlation(test[:, 0], test[:, 2])["spearman_rho"]
    assert table.loc[("test, seed 777", "test, seed 999", "all cells"), "spearman_rho"] == expected


def test_few_cells_have_no_best_tenth():
    test = np.array([[1.0], [2.0], [3.0]])
    assert rank_agreement(test, test, (777,))["among"].tolist() == ["all cells"]


def test_noise_finds_the_deviations_it_was_given():
    random = np.random.default_rng(7)
    truth = random.normal(60, 8, size=(1000, 1)).repeat(2, axis=0)  # pairs of equivalent cells
    test = truth + random.normal(0, 1.5, size=(2000, 3))
    pairs = np.arange(2000) // 2 * 2
    table = noise(test, pairs, samples=400, graphs=pairs // 4).set_index("noise")["std"]
    assert table["between seeds of a cell"] == pytest.approx(1.5, rel=0.05)
    assert table["within graph classes (seed means)"] > 3 * table["within network classes: noise floor (seed means)"]
    assert table["within network classes: noise floor (seed means)"] == pytest.approx(1.5 / np.sqrt(3), rel=0.08)
    assert table["between cells (seed means)"] == pytest.approx(8, rel=0.08)
    assert table["sampling of the test set (binomial)"] == pytest.approx(100 * np.sqrt(0.24 / 400), rel=0.01)


def test_noise_of_one_seed_and_different_cells_is_missing():
    table = noise(np.array([[50.0], [60.0]]), np.array([0, 1]), samples=100, graphs=np.array([0, 1])).set_index(
        "noise"
    )["std"]
    assert np.isnan(table["between seeds of a cell"])
    assert np.isnan(table["within network classes: noise floor (seed means)"])
    assert table["between cells (seed means)"] == pytest.approx(np.sqrt(50))
