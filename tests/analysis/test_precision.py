from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from skelnas.analysis import precision
from skelnas.analysis.precision_figure import precision_figure
from skelnas.analysis.provenance import Facts
from skelnas.errors import InputError
from skelnas.results.query import Benchmark


def values_of(table: pd.DataFrame) -> pd.Series:
    return table.set_index("quantity")["value"]


def test_comparison_by_hand():
    first = np.array([[50.0, 52.0], [60.0, 64.0], [71.0, 71.0]])
    second = np.array([[52.0, 52.0], [61.0, 63.0], [70.0, 70.0]])
    table = precision.compare(first, second)
    found = values_of(table)
    # Seed means 51, 62, 71 and 52, 62, 70.
    assert found["mean difference"] == 0
    assert found["std of the cells' differences"] == 1
    assert found["std between seeds, first"] == pytest.approx(np.sqrt((2 + 8 + 0) / 3))
    assert found["std between seeds, second"] == pytest.approx(np.sqrt(2 / 3))
    noise = np.sqrt((10 / 3 + 2 / 3) / 2)
    assert found["std of the cells' differences by seed noise alone"] == pytest.approx(noise)
    assert found["standard error of the mean difference by seed noise alone"] == pytest.approx(noise / np.sqrt(3))
    assert found["Kendall tau-b of seed means, first with second"] == 1
    row = table.set_index("quantity").loc["mean difference"]
    half = scipy.stats.t.ppf(0.975, 2) / np.sqrt(3)
    assert (row["low"], row["high"]) == (pytest.approx(-half), pytest.approx(half))


def test_correlation_between_seeds_takes_every_pair_of_unequal_seeds():
    first = np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]])  # the seeds rank the cells in opposite order
    assert precision.correlation_between(first, first, "kendall_tau_b") == -1
    assert precision.correlation_between(first, first[:, ::-1], "kendall_tau_b") == 1
    assert np.isnan(precision.correlation_between(first[:, :1], first[:, :1], "spearman_rho"))


def test_a_shift_is_found_and_noise_alone_is_not():
    random = np.random.default_rng(11)
    truth = random.normal(60, 8, size=(400, 1))
    first, same = (truth + random.normal(0, 1.5, size=(400, 3)) for _ in range(2))
    table = precision.compare(first, same).set_index("quantity")
    assert table.loc["mean difference", "low"] < 0 < table.loc["mean difference", "high"]
    noise = table.loc["std of the cells' differences by seed noise alone", "value"]
    assert noise == pytest.approx(1.5 * np.sqrt(2 / 3), rel=0.05)
    assert table.loc["std of the cells' differences", "value"] == pytest.approx(noise, rel=0.1)
    across, within = (
        table.loc[f"Kendall tau-b of two seeds, first with {other}", "value"] for other in ("second", "first")
    )
    assert across == pytest.approx(within, abs=0.02)
    shifted = precision.compare(first, same - 1).set_index("quantity").loc["mean difference"]
    assert shifted["low"] < -1 < shifted["high"] < -0.5


def test_one_seed_has_no_noise_to_compare_with():
    found = values_of(precision.compare(np.array([[1.0], [2.0]]), np.array([[1.0], [3.0]])))
    assert found["mean difference"] == 0.5
    assert np.isnan(found["std of the cells' differences by seed noise alone"])
    assert np.isnan(found["Spearman rho of two seeds, first with second"])


def test_table_of_two_benchmarks(make_benchmark):
    with Benchmark(make_benchmark([3, 5, 9])) as first:
        table = precision.precision_table(first, first)
    assert set(table["split"]) == {"test", "valid", "train"}
    assert values_of(table[table["split"] == "test"])["mean difference"] == 0
    assert values_of(table[table["split"] == "train"])["diverged trainings, first"] == 0


def test_cells_that_train_alike_are_left_out(make_benchmark, monkeypatch):
    with Benchmark(make_benchmark([3, 5, 9])) as first, Benchmark(make_benchmark([3, 5, 9])) as second:
        assert precision.differing(first, second).tolist() == [True, True, True]  # then all are compared
        curves, values = second.curves, second.values
        changed = np.array([0.0, 0.5, 0.5])[:, None, None]
        monkeypatch.setattr(second, "curves", lambda *what: curves(*what) + changed)
        monkeypatch.setattr(second, "values", lambda *what: values(*what) + 2 * changed[..., 0])
        assert precision.differing(first, second).tolist() == [False, True, True]
        table = precision.precision_table(first, second)
    assert values_of(table[table["split"] == "train"])["cells left out, as they train alike bit for bit"] == 1
    found = values_of(table[table["split"] == "test"])
    assert found["cells"] == 2
    assert found["mean difference"] == pytest.approx(1)


def test_other_seeds_cells_or_hyper_parameters_are_refused(make_benchmark):
    first = Benchmark(make_benchmark([3, 5]))
    for path, what in ((make_benchmark([3, 9]), "cells"), (make_benchmark([3, 5], seeds=(777, 999)), "seeds")):
        with Benchmark(path) as second, pytest.raises(InputError, match=f"different {what}, so"):
            precision.check_comparable(first, second)
    first.recipe["momentum"] = 0.5
    with Benchmark(make_benchmark([3, 5])) as second, pytest.raises(InputError, match=r"recipes \(momentum\)"):
        precision.check_comparable(first, second)
    first.recipe |= {"momentum": 0.9, "precision": "bf16", "exact_epochs": 1}
    with Benchmark(make_benchmark([3, 5])) as second:
        precision.check_comparable(first, second)
    first.close()


@pytest.mark.parametrize("seeds", [(777,), (777, 888, 999)])
def test_figure_shows_every_cell_twice(seeds, tmp_path: Path):
    random = np.random.default_rng(2)
    first = random.uniform(30, 90, (12, len(seeds)))
    second = first + random.normal(0, 2, first.shape)
    facts = Facts("tiny", "fp32", 14, seeds, 3, {"train": 8, "valid": 4, "test": 4}, 5)
    figure = precision_figure(first, second, facts, "bf16")
    left, right = figure.axes
    assert len(left.containers[0].lines[0].get_xdata()) == 12
    points = right.collections[-1].get_offsets()
    np.testing.assert_allclose(points[:, 1], (second - first).mean(axis=1), atol=1e-8)
    assert len(right.patches) == (len(seeds) > 1)
    assert any("2 more train alike" in text.get_text() for text in figure.texts)
