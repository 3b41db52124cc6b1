"""Benchmarks of a study held together: against values computed elsewhere, by hand, and with few cells in common."""

import re

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from skelnas.analysis import products
from skelnas.analysis.across.agreement import pair
from skelnas.analysis.catalogue import ACROSS
from skelnas.analysis.provenance import facts_of
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise


def test_nas_bench_201_agrees_as_others_found(nb201, oracle):
    means = [nb201(name) for name in ("cifar10", "cifar100")]
    cells = np.arange(len(means[0]))
    for first, second in ((0, 1), (1, 0)):
        said = oracle("nb201_statistics")["between"]["cifar10-cifar100" if first == 0 else "cifar100-cifar10"]
        found = pair(cells, means[first], means[second])
        assert found["kendall_tau_b"] == pytest.approx(said["kendall"], abs=1e-9)
        assert found["spearman_rho"] == pytest.approx(said["spearman"], abs=1e-9)
        assert found["regret"] == pytest.approx(said["regret_best_of_a_on_b"], abs=1e-9)


def test_a_pair_by_hand():
    random = np.random.default_rng(1)
    first, second = random.permutation(120).astype(float), random.permutation(120).astype(float)
    cells = np.arange(120) + 7
    found = pair(cells, first, second)
    top = np.argsort(-first)[:12]
    assert found["kendall_best_tenth"] == scipy.stats.kendalltau(first[top], second[top]).statistic
    assert found["pearson"] == pytest.approx(scipy.stats.pearsonr(first, second).statistic)
    assert found["chosen"] == cells[top[0]]
    assert (found["best"], found["reached"], found["regret"]) == (119, second[top[0]], 119 - second[top[0]])


def test_constant_accuracy_has_no_correlation():
    found = pair(np.arange(3), np.ones(3), np.arange(3.0))
    assert np.isnan(found["pearson"])
    assert np.isnan(found["kendall_tau_b"])
    assert found["regret"] == 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ACROSS)
@pytest.mark.parametrize("second", [[0, 3, 9, 123, 1459], [1462, 1835]], ids=["common cells", "no common cells"])
def test_every_analysis_is_made(make_benchmark, tmp_path, name, second):
    with Benchmark(make_benchmark([0, 3, 9, 11, 123])) as one, Benchmark(make_benchmark(second, (777,))) as other:
        # The same data set and recipe twice would be one column: another recipe.
        other.recipe_name = "long"
        both = [one, other]
        table = products.tabulate_across(name, both, [summarise(each) for each in both])
        facts = [facts_of(each) for each in both]
    products.write_csv(tmp_path / "a.csv", table)
    again = products.read_csv(tmp_path / "a.csv")
    if len(table):
        pd.testing.assert_frame_equal(table, again, check_dtype=False, check_exact=True)
    assert table.empty == (second == [1462, 1835])
    products.draw_across(name, again, facts).savefig(tmp_path / "a.png")
    said = products.finding(name, again, facts)
    assert said.endswith(".")
    assert not re.search(r"\bnan\b", said)
