"""Main effects and interactions against statsmodels, by hand, and as planted."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api

from skelnas.analysis.landscape.variance import EXACT, SAMPLE
from skelnas.analysis.topology.effects import interactions, main_effects, sample_effects
from skelnas.analysis.topology.rank_operations import operations_by_rank
from skelnas.analysis.topology.shape import by_shape
from skelnas.cells.grid import digits_of

ALL = np.arange(15625)


def planted(cells, seed=0, noise=1.0):
    """3x3 on 0>3 is worth 4 more than the other four operations, and 5 more with a skip on 0>1."""
    digits = digits_of(cells)
    value = 4.0 * (digits[:, 3] == 3) + 5.0 * ((digits[:, 3] == 3) & (digits[:, 0] == 1))
    return 50 + value + np.random.default_rng(seed).normal(0, noise, len(cells))


def test_exact_effects_are_differences_of_means():
    values = planted(ALL)
    table = main_effects(ALL, values)
    assert len(table) == 30
    assert (table["method"] == EXACT).all()
    digits = digits_of(ALL)
    row = table.set_index(["edge", "operation"]).loc[("0>3", "nor_conv_3x3")]
    assert row["effect"] == pytest.approx(values[digits[:, 3] == 3].mean() - values.mean())
    assert row["cells"] == 3125
    assert table.groupby("edge")["effect"].sum().to_numpy() == pytest.approx(np.zeros(6), abs=1e-9)
    pairs = interactions(ALL, values).set_index(["edge", "operation", "other_edge", "other_operation"])["effect"]
    here = (digits[:, 0] == 1) & (digits[:, 3] == 3)
    alone = values[digits[:, 0] == 1].mean() + values[digits[:, 3] == 3].mean() - values.mean()
    assert pairs["0>1", "skip_connect", "0>3", "nor_conv_3x3"] == pytest.approx(values[here].mean() - alone)
    assert len(pairs) == 375


@pytest.mark.parametrize("order", [1, 2])
def test_a_sample_is_fitted_as_statsmodels_does(order):
    random = np.random.default_rng(1)
    cells = random.choice(15625, 600, replace=False)
    digits, values = digits_of(cells), planted(cells)
    table = pd.DataFrame(digits, columns=list("abcdef")).assign(y=values)
    terms = "(" + " + ".join(f"C({name}, Sum)" for name in "abcdef") + ")" + ("**2" if order == 2 else "")
    fitted = statsmodels.formula.api.ols(f"y ~ {terms}", table).fit(cov_type="HC3", use_t=True)
    effects = sample_effects(digits, values, order)
    for edge, letter in enumerate("abcdef"):
        for level in range(4):  # statsmodels leaves the last operation out
            key = f"C({letter}, Sum)[S.{level}]"
            limits = fitted.conf_int().loc[key]
            assert effects[(edge,)][:, level] == pytest.approx([fitted.params[key], *limits])
    if order == 2:
        key = "C(a, Sum)[S.1]:C(d, Sum)[S.3]"
        assert effects[(0, 3)][:, 1, 3] == pytest.approx([fitted.params[key], *fitted.conf_int().loc[key]])


def test_what_is_planted_lies_within_its_interval():
    cells = np.random.default_rng(2).choice(15625, 700, replace=False)
    pairs = interactions(cells, planted(cells))
    row = pairs.set_index(["edge", "operation", "other_edge", "other_operation"]).loc[
        ("0>1", "skip_connect", "0>3", "nor_conv_3x3")
    ]
    assert row["low"] < 5 * 0.8 * 0.8 < row["high"]
    assert row["low"] > 0
    assert row["method"] == SAMPLE[2]


def test_samples_that_do_not_suffice():
    cells = np.arange(200)
    assert interactions(cells, planted(cells)).empty
    assert len(main_effects(cells, planted(cells))) == 30
    assert main_effects(cells[:49], planted(cells[:49])).empty
    lacking = cells[digits_of(cells)[:, 2] != 4]
    assert main_effects(lacking, planted(lacking)).empty


def test_groups_by_rank():
    values = np.where(np.arange(105) == 7, np.nan, np.arange(105.0))
    table = operations_by_rank(np.arange(105), values)
    assert len(table) == 10
    assert table["cells"].sum() == 104
    parts = ["nor_conv_3x3", "nor_conv_1x1", "skip_connect", "avg_pool_3x3", "none"]
    assert table[parts].sum(axis=1).to_numpy() == pytest.approx(np.full(10, 6))
    assert (table["highest"].to_numpy()[:-1] < table["lowest"].to_numpy()[1:]).all()
    assert operations_by_rank(np.arange(19), np.arange(19.0)).empty
    assert operations_by_rank(np.arange(100), np.ones(100)).empty


def test_shapes():
    cells = np.array([11472, 3, 9, 1651, 1462])
    table = by_shape(cells, np.array([50.0, 40, 42, 4, 60])).set_index("group")
    assert table.loc["skips only", ["cells", "mean", "highest"]].tolist() == [2, 41, 42]
    half = 12.706204736 * np.sqrt(2) / np.sqrt(2)  # Student's t with one degree of freedom; deviation of 40 and 42
    assert table.loc["skips only", "high"] == pytest.approx(41 + half)
    assert table.loc["input discarded", "mean"] == 4
    assert np.isnan(table.loc["input discarded", "low"])
    assert table.loc["ResNet's", "mean"] == 50
    assert table.loc["depth 3, width 4", "mean"] == 60
    assert by_shape(cells, np.full(5, np.nan)).empty
