import numpy as np
import pytest

from skelnas.analysis.ranks import rank_correlation


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
