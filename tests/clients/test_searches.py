"""Our evolution and halving beside syne-tune's, on one table that it reads as we export it (`make test-clients`)."""

import numpy as np
import pytest

from bench.searches import PYTHON, compared

pytestmark = pytest.mark.clients
RUNS, OWN_RUNS, BUDGETS = 12, 1000, (25, 50)


def test_evolution_and_halving_do_as_well_as_syne_tunes(tmp_path):
    if not PYTHON.exists():
        pytest.fail("`make test-clients` makes the environment that this test needs", pytrace=False)
    found = compared(tmp_path, RUNS, OWN_RUNS, BUDGETS).set_index(["method", "trainings"])
    print(found)
    for method in ("evolution", "halving"):
        for budget in BUDGETS:
            one = found.loc[method, budget]
            error = np.hypot(one["own_error"], one["theirs_error"])
            assert abs(one["own"] - one["theirs"]) < 2.58 * error, (method, budget)
            assert 0 < one["theirs_error"] < 0.25, (method, budget)  # points: runs differ, and are enough to tell
    last = found.loc["halving", BUDGETS[-1]], found.loc["random", BUDGETS[-1]]
    assert last[0]["theirs"] < last[1]["own"]  # what is compared is better than drawing at random
