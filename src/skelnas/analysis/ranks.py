"""Whether two columns of accuracies rank the cells alike, and which cells are the best of one."""

import numpy as np
import scipy.stats

FEWEST = 10  # cells below which the best tenth is too small a group to correlate


def rank_correlation(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Number of cells with both values, Kendall's tau-b (corrects for ties), Spearman's rho; both missing where one
    side is constant."""
    both = ~(np.isnan(first) | np.isnan(second))
    first, second = first[both], second[both]
    constant = len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0
    return {
        "cells": len(first),
        "kendall_tau_b": np.nan if constant else float(scipy.stats.kendalltau(first, second, variant="b").statistic),
        "spearman_rho": np.nan if constant else float(scipy.stats.spearmanr(first, second).statistic),
    }


def best(values: np.ndarray, share: float) -> np.ndarray:
    """Positions of the best share of (cells,), at least one; of equal ones those that come first. NaN is never best."""
    there = int((~np.isnan(values)).sum())
    return np.argsort(-values, kind="stable")[: min(there, max(1, round(share * there)))]
