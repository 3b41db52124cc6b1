"""What one more convolution brings: as planted, and against pairs found one by one."""

import numpy as np
import pytest
import scipy.stats

from skelnas.analysis.cost.convolutions import ALL, BEFORE, EDGE, gains
from skelnas.cells import cost, space
from skelnas.cells.grid import digits_of, distances

CELLS = np.arange(space.CELLS)


def test_what_is_planted_is_found():
    digits = digits_of(CELLS)
    accuracy = 50 + 3.0 * (digits == space.CONV3).sum(axis=1) - 2.0 * (digits[:, 3] == space.NONE)
    table = gains(CELLS, accuracy, np.stack(cost.costs(10, 32, 32), axis=1))
    rows = table.set_index(["in_place_of", "convolution", "by", "value"])
    assert rows.loc[("skip_connect", "nor_conv_3x3", ALL, "all"), "gain"] == pytest.approx(3)
    assert rows.loc[("skip_connect", "nor_conv_3x3", ALL, "all"), "pairs"] == 6 * 3125
    assert rows.loc[("skip_connect", "nor_conv_1x1", ALL, "all"), "gain"] == 0
    assert rows.loc[("none", "nor_conv_3x3", EDGE, "0>3"), "gain"] == pytest.approx(5)
    assert rows.loc[("none", "nor_conv_3x3", EDGE, "0>1"), "gain"] == pytest.approx(3)
    assert rows.loc[("none", "nor_conv_3x3", ALL, "all"), "gain"] == pytest.approx(3 + 2 / 6)
    assert (rows.xs(BEFORE, level="by")["pairs"].groupby(level=[0, 1]).sum() == 6 * 3125).all()


def test_pairs_of_a_sample_are_those_found_one_by_one():
    random = np.random.default_rng(3)
    cells = np.sort(random.choice(space.CELLS, 700, replace=False))
    accuracy = random.normal(50, 5, 700)
    costs = np.stack(cost.costs(5, 8, 12), axis=1)[cells]
    digits = digits_of(cells)
    found, cells_of_pairs = [], []
    for first, second in np.argwhere(distances(digits, digits) == 1):
        (edge,) = np.flatnonzero(digits[first] != digits[second])
        if (digits[first, edge], digits[second, edge]) == (space.POOL, space.CONV1):
            cells_of_pairs.append((first, second))
            found.append((accuracy[second] - accuracy[first], *(costs[second] - costs[first])))
    row = (
        gains(cells, accuracy, costs)
        .set_index(["in_place_of", "convolution", "by", "value"])
        .loc[("avg_pool_3x3", "nor_conv_1x1", ALL, "all")]
    )
    better = np.array(found)
    assert row["pairs"] == len(found) > 10
    assert row["gain"] == pytest.approx(better[:, 0].mean())
    assert row["helps"] == pytest.approx((better[:, 0] > 0).mean())
    assert [row["parameters"], row["macs"]] == pytest.approx(better[:, 1:].mean(axis=0))
    assert row["gain_per_million_macs"] == pytest.approx(row["gain"] / (row["macs"] / 1e6))
    off, ends = better[:, 0] - row["gain"], np.array(cells_of_pairs)
    shared = (ends[:, None, :, None] == ends[None, :, None, :]).any(axis=(2, 3))  # pairs that have a cell in common
    error = np.sqrt(max((off[:, None] * off * shared).sum(), (off**2).sum() * len(off) / (len(off) - 1))) / len(off)
    assert row["high"] - row["gain"] == pytest.approx(scipy.stats.t.ppf(0.975, len(off) - 1) * error)


def test_few_pairs_are_no_table():
    cells = np.arange(200)
    assert gains(cells, np.linspace(0, 100, 200), np.stack([cells, digits_of(cells).sum(axis=1)], axis=1)).empty
