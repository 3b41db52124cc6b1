"""Search methods on made-up tables whose best cell is known, and on NAS-Bench-201 against its closed form."""

import numpy as np
import pytest

from skelnas.analysis.search import methods, regret
from skelnas.analysis.search.predictor import predictor
from skelnas.analysis.search.table import Table, asked
from skelnas.cells import space

ALL = {
    "random": methods.random_search,
    "evolution": methods.evolution,
    "local": methods.local_search,
    "halving": methods.halving,
    "predictor": predictor,
}
NOTHING = np.full((space.CELLS, 1), np.nan)


@pytest.fixture(scope="module")
def images(nb201):
    """Mean validation accuracy of each cell on CIFAR-10, after the last of 200 epochs."""
    return asked(nb201("cifar10")[:, None, None], NOTHING)


@pytest.fixture(scope="module")
def smooth() -> Table:
    """Each edge adds what its operation is worth; one seed, nine epochs, no noise; two seconds each."""
    digits = np.array(space.all_cells())
    final = 10 + digits.sum(axis=1) * 3.0  # the best cell is six average pools, 82 %
    valid = final[:, None, None] * np.linspace(0.5, 1, 9)
    return asked(valid, final[:, None], np.full((space.CELLS, 1), 2.0))


def test_the_closed_form_of_random_search_on_nasbench_201(images):
    assert methods.expected_best(images, 100) == pytest.approx(91.024, abs=0.001)
    trace = methods.random_search(images, np.random.default_rng(1), 2000, 100)
    found = images.best - regret.regrets(images, trace, np.array([100.0]))[:, 0]
    error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - methods.expected_best(images, 100)) < 4 * error


def test_expected_best_of_one_draw_is_the_mean_and_of_many_the_best(images):
    assert methods.expected_best(images, 1) == pytest.approx(images.judged.mean())
    assert methods.expected_best(images, 10**7) == pytest.approx(images.best, abs=1e-3)


def test_seeds_that_are_missing_are_never_drawn():
    valid = np.random.default_rng(0).random((space.CELLS, 3, 1))
    valid[::2, 1] = np.nan
    table = asked(valid, np.repeat(NOTHING, 3, axis=1))
    cells = np.arange(space.CELLS)
    seeds = np.stack([table.draw_seeds(cells, np.random.default_rng(number)) for number in range(40)])
    assert set(np.unique(seeds[:, ::2])) == {0, 2}
    assert set(np.unique(seeds[:, 1::2])) == {0, 1, 2}


def test_without_a_test_split_a_choice_is_worth_its_other_seeds():
    valid = np.zeros((space.CELLS, 3, 1))
    valid[7] = [[10.0], [40.0], [np.nan]]
    table = asked(valid, np.repeat(NOTHING, 3, axis=1))
    assert table.judged[7].tolist()[:2] == [40.0, 10.0]
    assert table.best == 25.0


def test_a_cell_that_is_missing_is_refused():
    valid = np.zeros((space.CELLS, 1, 1))
    valid[11] = np.nan
    with pytest.raises(ValueError, match="every cell"):
        asked(valid, NOTHING)
    with pytest.raises(ValueError, match="every cell"):
        asked(valid[:200], NOTHING[:200])


@pytest.mark.parametrize("name", ["evolution", "local", "predictor"])
def test_methods_climb_a_smooth_landscape(smooth, name):
    costs = np.array([2.0 * 20, 2.0 * 150])
    climbed = regret.regrets(smooth, ALL[name](smooth, np.random.default_rng(0), 30, 150), costs).mean(axis=0)
    chance = regret.regrets(smooth, methods.random_search(smooth, np.random.default_rng(0), 300, 150), costs).mean(
        axis=0
    )
    assert climbed[1] < 0.5 * chance[1]
    assert climbed[1] < 3  # one operation on one edge


def test_local_search_finds_the_peak_of_a_landscape_with_one(smooth):
    trace = methods.local_search(smooth, np.random.default_rng(2), 5, 200)
    assert (smooth.seen[trace.cell, 0, -1].max(axis=1) == smooth.seen.max()).all()
    for run in trace.cell:
        assert len(set(run.tolist())) == 200  # nothing is trained twice


@pytest.mark.parametrize(("epochs", "rungs"), [(1, [1]), (2, [2]), (12, [1, 4, 12]), (200, [7, 22, 67, 200])])
def test_rungs_end_with_all_epochs(epochs, rungs):
    assert methods.rung_epochs(epochs) == rungs


def test_halving_keeps_the_best_third_and_pays_for_new_epochs_only(smooth):
    trace = methods.halving(smooth, np.random.default_rng(0), 3, 30)
    number = (trace.epoch[0] == 1).sum() // 9
    assert number >= 1
    first = trace.cell[0, :9]
    told = smooth.seen[first, 0, 0]
    assert set(trace.cell[0, 9:12].tolist()) <= set(first[told >= np.sort(told)[-3]].tolist())
    assert (trace.since[0, :13] == [0] * 9 + [1] * 3 + [3]).all()
    paid = (trace.epoch - trace.since)[0].sum() / smooth.epochs
    assert paid >= 30


def test_regret_counts_a_training_once_it_has_ended(smooth):
    cells = np.argsort(smooth.seen[:, 0, -1], kind="stable")[[100, 5000, 15000]][None]
    trace = methods.whole(cells, np.zeros_like(cells), smooth.epochs)
    worth = smooth.judged[cells[0], 0]
    found = smooth.best - regret.regrets(smooth, trace, np.array([2.0, 3.9, 4.0, 6.0, 99.0]))[0]
    assert found.tolist() == [worth[0], worth[0], worth[1], worth[2], worth[2]]


def test_an_early_look_never_replaces_a_training_that_went_further():
    valid = np.zeros((space.CELLS, 1, 2))
    valid[3, 0], valid[4, 0] = [1, 50], [90, 60]
    table = asked(valid, valid[..., -1])
    trace = methods.Trace(*(np.array([row]) for row in ([3, 4], [0, 0], [2, 1], [0, 0])))
    assert table.best - regret.regrets(table, trace, np.array([9.0]))[0, 0] == 50


@pytest.mark.parametrize("name", ALL)
def test_methods_are_the_same_every_time(smooth, name):
    first, second = (ALL[name](smooth, np.random.default_rng(5), 4, 45) for _ in range(2))
    assert (first.cell == second.cell).all()
    assert (first.seed == second.seed).all()
    assert first.cell.shape[1] >= 45 or name == "halving"
