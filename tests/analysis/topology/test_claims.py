"""Tests of claims: effects by hand, planted ones found, and none where nothing was planted."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_effectsize

from skelnas import example
from skelnas.analysis.topology import resampling
from skelnas.analysis.topology.claims import CLAIMS, NOT_SUPPORTED, OPEN, SUPPORTED, claims, tabulate, verdict
from skelnas.analysis.topology.traits import traits


def ones(number):
    return np.ones(number)


def test_cohens_d_by_hand():
    values = np.array([3.0, 5, 4, 8, 9, 10, 7])
    first = np.array([0, 0, 0, 1, 1, 1, 1], dtype=bool)
    effect, one, other = resampling.difference(values, first, ~first)(ones(7))
    pooled = np.sqrt((values[first].var(ddof=1) * 3 + values[~first].var(ddof=1) * 2) / 5)
    assert effect == pytest.approx((8.5 - 4) / pooled)
    assert (one, other) == pytest.approx((8.5, 4))


def test_weights_are_cells_that_count_more_than_once():
    random = np.random.default_rng(0)
    values, trait = random.integers(0, 9, 40).astype(float), random.random(40) < 0.3
    number, chosen = random.integers(-3, 4, 40).astype(float), random.integers(0, 40, 40)
    weights = np.bincount(chosen, minlength=40).astype(float)
    for make, extra in (
        (resampling.difference, (trait, ~trait)),
        (resampling.enrichment, (trait, 0.25)),
        (resampling.mean_of_best, (number, 0.25)),
    ):
        drawn = [part[chosen] if isinstance(part, np.ndarray) else part for part in extra]
        expected = make(values[chosen], *drawn)(ones(40))
        assert make(values, *extra)(weights) == pytest.approx(expected)


def test_cohens_h_is_that_of_statsmodels_and_ties_share_the_border():
    values = np.array([9, 8, 8, 8, 8, 1, 1, 1, 1, 1.0])
    trait = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 1], dtype=bool)
    effect, among, everywhere = resampling.enrichment(values, trait, 0.3)(ones(10))
    assert among == pytest.approx((1 + 2 * 1 / 4) / 3)
    assert everywhere == pytest.approx(0.3)
    assert effect == pytest.approx(proportion_effectsize(0.5, 0.3))


def test_mean_of_the_best():
    values, number = np.arange(10.0), np.array([0, 0, 0, 0, 0, 0, 0, 2, -1, 2.0])
    effect, mean, overall = resampling.mean_of_best(values, number, 0.2)(ones(10))
    assert (mean, overall) == pytest.approx((0.5, 0.3))
    assert effect == pytest.approx(0.5 / number.std())


def test_verdicts():
    assert verdict(0.1, 0.9) == SUPPORTED
    assert verdict(-0.3, 0.1) == NOT_SUPPORTED
    assert verdict(0.01, 0.1) == NOT_SUPPORTED  # surely there, and surely too small to matter
    assert verdict(-0.1, 0.4) == OPEN
    assert verdict(np.nan, np.nan) == OPEN


def test_what_is_planted_is_found():
    cells = np.arange(400)
    table = traits(cells)
    accuracy = 50 + 5 * table["mixed"] + 2 * table["convolutions_3x3"] - 30 * ~table["connected"]
    found = claims(cells, accuracy + np.random.default_rng(0).normal(0, 1, 400)).set_index("claim")["verdict"]
    words = [claim.words for claim in CLAIMS]
    assert [found[words[place]] for place in (2, 5, 7)] == [SUPPORTED] * 3
    opposite = 50 - 5 * table["mixed"] - 2 * table["convolutions_3x3"] + 30 * ~table["connected"]
    found = claims(cells, opposite + np.random.default_rng(0).normal(0, 1, 400)).set_index("claim")["verdict"]
    assert SUPPORTED not in [found[words[place]] for place in (2, 5, 7)]


def test_nothing_is_found_where_nothing_is():
    verdicts = claims(np.arange(300), np.random.default_rng(5).normal(50, 3, 300))["verdict"]
    assert SUPPORTED not in set(verdicts)


@pytest.mark.parametrize("cells", [0, 1, 11, 199])
def test_few_cells_cannot_tell(cells):
    table = claims(np.arange(cells), np.random.default_rng(0).random(cells))
    best = table[table["measure"] != "Cohen's d"] if cells else table
    assert set(best["verdict"]) <= {OPEN}
    assert best["low"].isna().all()


def test_constant_accuracy_and_gaps():
    assert set(claims(np.arange(300), np.full(300, 5.0))["verdict"]) == {OPEN}
    values = np.random.default_rng(1).random(300)
    gaps = np.where(np.arange(300) % 3 == 0, np.nan, values)
    kept = ~np.isnan(gaps)
    pd.testing.assert_frame_equal(claims(np.arange(300), gaps), claims(np.arange(300)[kept], values[kept]))


def test_traits():
    table = traits(np.array([11472, 3, 1651, 1462, 7581]))
    assert table["resnet"].tolist() == [True, False, False, False, False]
    assert table["convolutions_3x3"].tolist() == [2, 0, 0, 6, 0]
    assert table["sequence"].tolist() == [True, False, False, False, False]
    assert table["depth"].tolist() == [2, 0, 0, 3, 3]
    assert table["width"].tolist() == [2, 1, 0, 4, 4]
    assert table["pool_only"].tolist() == [False, False, False, False, True]
    assert table["connected"].tolist() == [True, True, False, True, True]


def test_the_page_of_the_example_quotes_what_the_example_says():
    with example() as benchmark:
        table = tabulate(benchmark, None)
    page = (Path(__file__).resolve().parents[3] / "docs/sample.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith(("| A shortcut", "| The best", "| The worst"))]
    quoted = [[part.strip() for part in line.strip("|").split("|")] for line in lines]

    def written(value: float) -> str:
        return f"{value:+.2f}".replace("-", "−")

    for row, words in zip(table.itertuples(), quoted, strict=True):
        interval = "" if np.isnan(row.low) else f"{written(row.low)} to {written(row.high)}"
        assert words == [row.claim, written(row.effect), interval, row.verdict]
