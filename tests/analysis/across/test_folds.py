import numpy as np
import pytest

from skelnas.analysis import products
from skelnas.analysis.provenance import facts_of
from skelnas.errors import InputError
from skelnas.results.query import Benchmark


@pytest.fixture
def folds(make_benchmark):
    """Opened benchmarks that pass for the folds of one data set; of the same cells."""
    opened = [Benchmark(make_benchmark([0, 3, 1462])) for _ in range(2)]
    for number, one in enumerate(opened, start=1):
        one.dataset = f"mine-fold{number}"
    yield opened
    for one in opened:
        one.close()


@pytest.mark.filterwarnings("error")
def test_mean_spread_and_pooled_counts_by_hand(folds, monkeypatch, tmp_path):
    # (cells, seeds, epochs) of test, out of 16 samples; fold 2 has no result of the second seed for cell 3
    correct = [
        np.array([[[4], [8]], [[16], [16]], [[2], [2]]]),
        np.array([[[8], [8]], [[12], [-1]], [[2], [4]]]),
    ]
    for one, counts in zip(folds, correct, strict=True):
        accuracy = np.where(counts < 0, np.nan, 100 * counts / 16)[:, :, 0]
        monkeypatch.setattr(one, "counts", lambda split, counts=counts: counts)
        monkeypatch.setattr(one, "seed_means", lambda split, accuracy=accuracy: np.nanmean(accuracy, axis=1))
        monkeypatch.setattr(type(one), "samples", {"train": 24, "valid": 16, "test": 16}, raising=False)
    table = products.tabulate_across("folds", folds, [])
    assert table["index"].tolist() == [0, 3, 1462]
    assert table["test_fold1"].tolist() == [37.5, 100, 12.5]
    assert table["test_fold2"].tolist() == [50, 75, 18.75]
    assert table["test_mean"].tolist() == [43.75, 87.5, 15.625]
    assert table["test_std"].tolist() == pytest.approx([12.5 / 2**0.5, 25 / 2**0.5, 6.25 / 2**0.5])
    assert table["test_lowest"].tolist() == [37.5, 75, 12.5]
    assert table["test_correct"].tolist() == [28, 44, 10]
    assert table["test_samples"].tolist() == [64, 48, 64]
    assert table["test_pooled"].tolist() == [43.75, 100 * 44 / 48, 15.625]

    products.write_csv(tmp_path / "folds.csv", table)
    again, facts = products.read_csv(tmp_path / "folds.csv"), [facts_of(one) for one in folds]
    assert products.draw_across("folds", again, facts).axes[1].get_title(loc="left") == "All cells in each fold"
    assert products.finding("folds", again, facts) == (
        "Of 3 cells over 2 folds, the one with the best mean validation accuracy is 3: 87.50 % of test, with a "
        "deviation of 17.68 between the folds, 44 of 48 predictions; over all cells, fold 2 has 47.92 % "
        "and fold 1 50.00 %."
    )


def test_folds_with_other_cells_are_refused(folds, make_benchmark):
    with (
        Benchmark(make_benchmark([0, 3])) as other,
        pytest.raises(InputError, match=r"has other cells than .*train the same in every fold"),
    ):
        products.tabulate_across("folds", [folds[0], other], [])
