import numpy as np
import pytest

from skelnas.analysis.noise.deviations import noise


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
