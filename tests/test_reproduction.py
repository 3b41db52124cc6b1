import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas.cells.selection import select
from skelnas.reproduction import Agreement, Reproduction, sample, seed_variance, trainings_of, verdict
from skelnas.results.query import Benchmark
from skelnas.results.trained_on import Origin, ranges

HERE = Origin("A processor", "fused", "2.0")


def done(same: bool, equal: int, chance: float) -> Reproduction:
    split = Agreement("test", equal, 10, 100, 10 - equal, 1.0, 1.0, chance)
    return Reproduction([(0, 777)], [HERE], HERE, "", same, [split])


@pytest.mark.parametrize(
    ("same", "equal", "chance", "agrees", "words"),
    [
        (True, 10, 1.0, True, "agrees: all 10 counts are equal"),
        (False, 10, 1.0, True, "agrees: all 10 counts are equal, though made with something else"),
        (True, 9, 1.0, False, "does not agree: 9 of 10 counts are equal, and the same"),
        (False, 9, 0.5, True, "agrees within noise: 9 of 10"),
        (False, 9, 0.0005, False, "does not agree: 9 of 10 counts are equal, and those of test differ by more"),
    ],
)
def test_what_counts_as_agreement(same, equal, chance, agrees, words):
    one = done(same, equal, chance)
    assert one.agrees == agrees
    assert verdict(one).startswith(words)


def test_the_sample_is_spread_by_accuracy_and_takes_seeds_in_turn(make_benchmark):
    cells = list(range(0, 400, 10))
    with Benchmark(make_benchmark(cells)) as benchmark:
        jobs = sample(benchmark, 4)
        assert jobs == sample(benchmark, 4)
        best_first = benchmark.cells[np.argsort(-benchmark.seed_means("test"), kind="stable")].tolist()
        assert [best_first.index(cell) for cell, _ in jobs] == [5, 15, 25, 35]
        assert [seed for _, seed in jobs] == [777, 888, 777, 888]
        assert sorted(cell for cell, _ in sample(benchmark, 1000)) == cells
        assert trainings_of(benchmark, [20, 0, 20]) == [(0, 777), (0, 888), (20, 777), (20, 888)]


def test_the_variance_of_seeds_is_pooled_over_cells():
    counts = np.array([[10, 12, -1], [5, 5, 8], [7, -1, -1]])
    expected = (np.var([10, 12], ddof=1) * 1 + np.var([5, 5, 8], ddof=1) * 2) / 3
    assert seed_variance(counts) == pytest.approx(expected)
    assert seed_variance(counts[2:]) == 0.0


@given(st.sets(st.integers(0, 15624), min_size=1, max_size=40))
def test_ranges_are_read_as_they_are_written(cells):
    assert set(select(ranges(sorted(cells)))) == cells
