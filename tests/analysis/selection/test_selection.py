"""Choice by validation, and the winner's curse, by hand and where it was planted."""

import numpy as np
import pytest

from skelnas.analysis.selection.choice import choose
from skelnas.analysis.selection.winners_curse import tail_corrected, winners


def test_choose_by_hand():
    cells = np.array([3, 5, 9, 12])
    assert choose(np.array([50.0, 70, 70, 90]), np.array([60.0, 65, 80, np.nan]), cells) == (5, 70, 65, 2, 80, 15)
    assert choose(np.full(4, np.nan), np.ones(4), cells)[0] == -1
    assert choose(np.ones(4), np.ones(4), cells) == (3, 1, 1, 1, 1, 0)


def test_the_winner_of_pure_noise_loses_all_of_its_lead():
    random = np.random.default_rng(6)
    values = 50 + random.normal(size=(2000, 3))
    table = winners(values, (7, 8, 9)).set_index(["seed", "group"])
    best = table.loc[(7, "best cell")]
    assert best["at_selection"] == values[:, 0].max()
    assert best["on_other_seeds"] == pytest.approx(values[values[:, 0].argmax(), 1:].mean())
    assert best["loss"] == pytest.approx(best["at_selection"] - best["on_other_seeds"])
    hundredth = table.xs("best 1 %", level="group")
    assert (hundredth["cells"] == 20).all()
    assert hundredth["on_other_seeds"].mean() == pytest.approx(50, abs=0.4)
    assert hundredth["shrunk"].mean() == pytest.approx(50, abs=0.2)  # the normal prior is right here


def test_without_noise_nothing_is_lost():
    values = np.repeat(np.arange(300.0)[:, None] / 3, 3, axis=1)
    table = winners(values, (7, 8, 9))
    np.testing.assert_allclose(table["loss"], 0, atol=1e-8)
    assert (table["tail_corrected"] == table["at_selection"]).all()


def test_the_tail_is_corrected_where_true_accuracies_are_exponential():
    random = np.random.default_rng(8)
    left = []
    for _ in range(40):
        truth = 60 + random.exponential(2.0, 4000)
        seen = truth + random.normal(0, 0.7, 4000)
        top = np.argsort(-seen)[:40]
        left.append([(found[top] - truth[top]).mean() for found in (seen, tail_corrected(seen, np.full(4000, 0.49)))])
    raw, corrected = np.mean(left, axis=0)
    assert raw == pytest.approx(0.49 / 2, abs=0.06)  # Tweedie: variance over the mean of the exponential
    assert abs(corrected) < 0.06


def test_few_cells_and_equal_ones_stay_as_they_are():
    few = np.arange(10.0)
    assert tail_corrected(few, np.ones(10)).tolist() == few.tolist()
    assert tail_corrected(np.full(50, 3.0), np.ones(50)).tolist() == [3.0] * 50


def test_one_seed_or_cells_with_one_seed_have_no_others():
    assert winners(np.ones((5, 1)), (7,)).empty
    assert winners(np.array([[1.0, np.nan], [np.nan, 2.0]]), (7, 8)).empty
