import numpy as np

from skelnas.analysis.noise.rank_agreement import rank_agreement
from skelnas.analysis.ranks import FEWEST, rank_correlation


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
