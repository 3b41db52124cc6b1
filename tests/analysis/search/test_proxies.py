"""Proxies against accuracies: scipy's numbers, the theory's interval, and what is left out."""

import numpy as np
import pytest
import scipy.stats

from skelnas.analysis import products
from skelnas.analysis.provenance import facts_of
from skelnas.analysis.search import proxies
from skelnas.analysis.search.proxies import correlations, finding, tabulate
from skelnas.results.proxies import proxies_path
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise, write_table

NUMBER = 120


@pytest.fixture(scope="module")
def made_up():
    """Scores of three qualities, accuracies, and a class of its own for each cell; the first ten have no score."""
    random = np.random.default_rng(8)
    final = random.normal(size=NUMBER)
    scores = {"parameters": final + random.normal(size=NUMBER), "synflow": final + 0.5 * random.normal(size=NUMBER)}
    final[:10] = -9
    scores["synflow"][:10] = -np.inf
    return scores, final, np.arange(NUMBER)


@pytest.fixture
def quick(monkeypatch):
    """Few draws, where no interval is looked at."""
    monkeypatch.setattr(proxies, "DRAWS", 10)


def row(table, proxy, among="all cells"):
    return table[(table["proxy"] == proxy) & (table["among"] == among)].iloc[0]


def test_correlations_are_scipys_with_minus_infinity_as_the_lowest(made_up, quick):
    scores, final, each = made_up
    found = row(correlations(scores, final, final, each), "synflow")
    lowest = np.where(np.isneginf(scores["synflow"]), -1000.0, scores["synflow"])
    assert found["spearman_rho"] == pytest.approx(scipy.stats.spearmanr(lowest, final).statistic)
    assert found["kendall_tau_b"] == pytest.approx(scipy.stats.kendalltau(lowest, final).statistic)
    baseline = scipy.stats.spearmanr(scores["parameters"], final).statistic
    assert found["gain"] == pytest.approx(found["spearman_rho"] - baseline)
    assert (found["cells"], found["lowest"]) == (NUMBER, 10)


def test_the_interval_is_as_wide_as_the_theory_of_normal_values():
    """The standard error of Pearson's r is (1 - r^2) / sqrt(n), and Spearman's is a few percent wider (Bonett and
    Wright, Psychometrika 2000: sqrt(1 + r^2 / 2) on Fisher's scale)."""
    random, number, rho = np.random.default_rng(3), 1000, 0.7
    first, other = random.normal(size=(2, number))
    final = rho * first + np.sqrt(1 - rho**2) * other
    found = row(correlations({"parameters": first}, final, final, np.arange(number)), "parameters")
    error = np.sqrt(1 + rho**2 / 2) / np.sqrt(number - 3) * (1 - rho**2)
    assert (found["spearman_rho_high"] - found["spearman_rho_low"]) / 2 == pytest.approx(1.96 * error, rel=0.2)


def test_equal_networks_are_drawn_together(made_up, monkeypatch):
    """Each cell five times over: more cells tell no more, where they are known to be the same."""
    monkeypatch.setattr(proxies, "DRAWS", 60)
    scores, final, each = made_up
    five, final_five = {name: np.repeat(values, 5) for name, values in scores.items()}, np.repeat(final, 5)
    spread = []
    for several in (
        correlations(scores, final, final, each),
        correlations(five, final_five, final_five, np.repeat(each, 5)),
        correlations(five, final_five, final_five, np.arange(5 * NUMBER)),
    ):
        one = row(several, "synflow")
        spread.append(one["spearman_rho_high"] - one["spearman_rho_low"])
    assert spread[1] == pytest.approx(spread[0], rel=0.05)
    assert spread[2] < 0.6 * spread[0]


def test_the_best_tenth_is_chosen_by_another_split(made_up, quick):
    scores, final, each = made_up
    choosing = np.arange(NUMBER, dtype=float)
    found = row(correlations(scores, final, choosing, each), "synflow", "best tenth")
    last = np.arange(NUMBER - 12, NUMBER)
    assert found["cells"] == 12
    assert found["spearman_rho"] == pytest.approx(scipy.stats.spearmanr(scores["synflow"][last], final[last]).statistic)


def test_few_cells_and_equal_accuracies_have_no_numbers(made_up, quick, make_benchmark):
    scores, final, each = made_up
    few = {name: values[:9] for name, values in scores.items()}
    assert correlations(few, final[:9], final[:9], each[:9]).empty
    equal = correlations(scores, np.ones(NUMBER), np.ones(NUMBER), each)
    assert equal["spearman_rho"].isna().all()
    with Benchmark(make_benchmark([0, 3], (777,))) as benchmark:
        facts = facts_of(benchmark)
        assert tabulate(benchmark, summarise(benchmark)).empty
    assert finding(equal, facts).startswith("Fewer than 10 cells have accuracies, or all are equal")


def test_a_study_that_asks_for_none_has_the_counted_ones_alone(quick, make_benchmark):
    cells = list(range(0, 15_000, 120))
    with Benchmark(make_benchmark(cells)) as benchmark:
        table, facts = tabulate(benchmark, summarise(benchmark)), facts_of(benchmark)
        assert set(table["proxy"]) == {"parameters", "macs"}
        assert set(table["chosen_by"]) == {"valid"}
        assert "no untrained network was scored: `proxies` of" in products.finding("proxies", table, facts)
        scores = summarise(benchmark)[["index", "class_representative"]].assign(synflow=benchmark.seed_means())
        scores.attrs = {"fingerprint": benchmark.fingerprint}
        write_table(proxies_path(benchmark.path), scores)
        with_synflow = tabulate(benchmark, summarise(benchmark))
    assert row(with_synflow, "synflow")["spearman_rho"] == pytest.approx(1)
    said = products.finding("proxies", with_synflow, facts)
    assert "over all cells 1.00 (1.00 to 1.00) for synflow" in said
    assert "no untrained network" not in said
