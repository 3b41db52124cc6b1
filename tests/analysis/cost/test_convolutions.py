"""What one more convolution brings: as planted, and against pairs found one by one."""

import numpy as np
import pytest

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
    found = []
    for first, second in np.argwhere(distances(digits, digits) == 1):
        (edge,) = np.flatnonzero(digits[first] != digits[second])
        if (digits[first, edge], digits[second, edge]) == (space.POOL, space.CONV1):
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
    half = 1.96 * better[:, 0].std(ddof=1) / np.sqrt(len(found))
    assert row["high"] - row["gain"] == pytest.approx(half, rel=0.2)  # the t of few pairs is wider
    assert row["high"] - row["gain"] > half
