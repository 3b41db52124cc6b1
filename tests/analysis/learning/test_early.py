"""What early validation knows, by hand and with ties."""

import numpy as np
import scipy.stats

from skelnas.analysis.learning.early import by_epoch


def test_by_epoch_by_hand():
    random = np.random.default_rng(2)
    final = random.permutation(200).astype(float) / 2
    valid = np.stack([random.permutation(200) / 2, -final, np.full(200, 7.0), final], axis=1)
    table = by_epoch(valid, final).set_index("epoch")
    assert table.loc[1, "kendall_tau_b"] == scipy.stats.kendalltau(valid[:, 0], final).statistic
    assert table.loc[1, "spearman_rho"] == scipy.stats.spearmanr(valid[:, 0], final).statistic
    assert table.loc[2, ["kendall_tau_b", "found_0.25", "regret"]].tolist() == [-1, 0, 99.5]
    assert np.isnan(table.loc[3, "kendall_tau_b"])  # every cell alike
    assert table.loc[4, ["kendall_tau_b", "kendall_best_tenth", "regret", "found_0.01"]].tolist() == [1, 1, 0, 1]


def test_missing_cells_and_epochs_are_left_out():
    final = np.array([1.0, 2.0, 3.0, np.nan])
    valid = np.array([[1.0, np.nan, 1], [2, np.nan, 2], [np.nan, np.nan, np.nan], [9, np.nan, 9]])
    table = by_epoch(valid, final)
    assert table["epoch"].tolist() == [1, 3]
    assert table["kendall_tau_b"].tolist() == [1, 1]
    assert table["kendall_best_tenth"].isna().all()
    assert by_epoch(np.full((3, 2), np.nan), np.arange(3.0)).empty
