"""The statistics of the landscape on NAS-Bench-201 itself, against values computed independently."""

import numpy as np
import pytest

from skelnas.analysis.landscape import anova
from skelnas.analysis.landscape.distance import distance_to_best
from skelnas.analysis.landscape.locality import autocorrelation
from skelnas.analysis.landscape.optima import local_optima
from skelnas.cells import grid, space

NAMES = ("cifar10", "cifar100")
INDICES = np.arange(space.CELLS)


@pytest.fixture(scope="module", params=NAMES)
def measured(request, nb201, oracle):
    """Mean validation accuracy of every cell by architecture index, and what is known of it."""
    return nb201(request.param), oracle("nb201_statistics")[request.param]


def test_shares_of_variance(measured):
    values, known = measured
    shares = anova.exact_shares(grid.grid_of(INDICES, values))
    assert anova.shares_by_order(shares) == pytest.approx(known["variance_share_by_order"], abs=1e-9)
    for edges, share in (known["main_effect_share_by_edge"] | known["pair_share"]).items():
        assert shares[tuple(map(int, edges.strip("(),").split(",")))] == pytest.approx(share, abs=1e-9)


def test_neighbours_correlate_as_the_shares_say(measured):
    values, known = measured
    table = autocorrelation(INDICES, values).set_index(["kind", "steps"])["correlation"]
    assert table["walk", 1] == pytest.approx(known["autocorrelation_lag1"], abs=1e-9)
    assert table["neighbours", 1] == pytest.approx(table["walk", 1], abs=1e-12)
    assert table["distance", 1] == pytest.approx(table["walk", 1], abs=1e-12)


def test_fitness_distance_correlation(measured):
    values, known = measured
    table = distance_to_best(INDICES, values)
    assert (table["best"] == known["best"]).all()
    assert table["pearson"].iloc[0] == pytest.approx(known["fdc_pearson"], abs=1e-9)
    assert table["tau_b"].iloc[0] == pytest.approx(known["fdc_kendall_tau_b"], abs=1e-9)
    assert table["cells"].tolist() == [1, 24, 240, 1280, 3840, 6144, 4096]


def test_local_optima(measured):
    values, known = measured
    table = local_optima(INDICES, values, values[:, None])
    assert len(table) == table["strict_maxima"].iloc[0] == known["strict_local_maxima"]
    assert table["weak_maxima"].iloc[0] == known["weak_local_maxima"]
    assert table["cell"].iloc[0] == known["best"]
    assert table["accuracy"].iloc[0] == pytest.approx(known["best_value"])
