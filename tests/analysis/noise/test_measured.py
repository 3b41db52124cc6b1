"""What errors are known with one seed."""

import numpy as np
import pytest

from skelnas.analysis.noise.measured import BOTH, SAMPLES, SEEDS, Measured, measured, network_floor
from skelnas.cells import edges, space
from skelnas.cells.equivalence import classes
from skelnas.results.query import Benchmark


def test_cells_of_one_network_tell_the_noise_that_was_planted():
    cells = np.arange(3000)
    of = np.asarray(classes("network"))[cells]
    truth = np.random.default_rng(1).normal(50, 10, space.CELLS)[of]
    accuracy = truth + np.random.default_rng(2).normal(0, 2, len(cells))
    assert network_floor(accuracy, cells) == pytest.approx(4, rel=0.1)
    dead = np.array([cell for cell in range(space.CELLS) if not edges.is_connected(space.cell(cell))])
    assert np.isnan(network_floor(np.full(len(dead), 50.0), dead))  # they all guess, which is no noise of training
    assert np.isnan(network_floor(accuracy[:5], cells[:5]))


def test_errors_that_can_be_known():
    values = np.array([[50.0], [60.0]])
    one = Measured(values, values[:, 0], 400, None, "test", "test")
    assert list(one.errors()) == [SAMPLES]
    known = Measured(values, values[:, 0], 400, None, "test", "test", floor=9.0).errors()
    np.testing.assert_allclose(known[SEEDS], 9)
    np.testing.assert_allclose(known[BOTH], [15.25, 15])
    three = np.array([[49.0, 51.0, np.nan], [60.0, 60.0, 60.0]])
    errors = Measured(three, np.array([50.0, 60.0]), 400, None, "test", "test").errors()
    np.testing.assert_allclose(errors[SEEDS], [(2 / 3) / 2, (2 / 3) / 3])  # a sum of squares of 2 with 3 degrees


def test_one_split_is_chosen_by_one_seed_and_measured_by_the_others(make_benchmark):
    with Benchmark(make_benchmark([0, 3, 9])) as benchmark:
        found = measured(benchmark)
        assert (found.by, found.on) == ("valid", "test")
        np.testing.assert_array_equal(found.chosen_by, benchmark.seed_means("valid"))
