"""The Pareto front, chosen on other numbers than those reported: against the definition, and as planted."""

import numpy as np
import pytest

from skelnas.analysis.cost.accuracy_and_cost import pareto_front
from skelnas.analysis.cost.front import front, tabulate
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise


def test_rows_are_the_front_of_the_numbers_that_choose():
    cost, chosen_by = np.array([1.0, 1, 2, 3, 3]), np.array([10.0, 20, 15, 30, 29])
    accuracy, variance = np.array([12.0, 18, 16, 28, 31]), np.full(5, 4.0)
    rows = front(cost, chosen_by, accuracy, variance, np.array([7, 8, 9, 10, 11]), independent=True)
    assert [row[:4] for row in rows] == [(8, 1, 20, 18), (10, 3, 30, 28)]
    assert rows[0][4:6] == pytest.approx((18 - 3.92, 18 + 3.92))
    assert rows[0][6:] == (2, 0)  # 12 is six points below 18, of an error of 2.83: p = .017
    assert rows[1][6:] == (5, 1)  # 31 alone: 18 is 3.5 errors below 28
    (row, _) = front(cost, chosen_by, accuracy, variance, np.arange(5), independent=False)
    assert np.isnan(row[4:6]).all()


def test_what_is_reported_lies_in_its_interval_though_the_best_of_many_was_chosen():
    random, held, tables = np.random.default_rng(7), [], 120
    cost = np.repeat([1.0, 2, 3], 60)
    for _ in range(tables):
        truth = 60 + random.normal(0, 1, 180)
        chosen_by, accuracy = truth + random.normal(0, 2, (2, 180))
        for row in front(cost, chosen_by, accuracy, np.full(180, 4.0), np.arange(180), independent=True):
            held.append(row[4] <= truth[row[0]] <= row[5])
    assert np.mean(held) == pytest.approx(0.95, abs=0.04)


def test_a_table_of_a_benchmark(make_benchmark):
    with Benchmark(make_benchmark(list(range(40)), (777, 888))) as benchmark:
        table = tabulate(benchmark, summarise(benchmark))
        for name in ("parameters", "macs"):
            rows = table[table["cost"] == name]
            chosen = pareto_front(getattr(benchmark, name), benchmark.seed_means("valid"))
            assert rows["index"].tolist() == benchmark.cells[chosen].tolist()
            assert rows["accuracy"].tolist() == benchmark.seed_means("test")[chosen].tolist()
            assert (rows["rivals"] < rows["cells"]).all()
        assert set(table["by"]) == {"valid"}
        assert set(table["on"]) == {"test"}
