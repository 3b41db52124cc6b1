import numpy as np
import pytest

from skelnas.cells import space
from skelnas.cells.equivalence import classes
from skelnas.errors import InputError
from skelnas.results.query import Benchmark
from skelnas.results.summary import read_table, summarise, write_table

CELLS = [0, 3, 9, 123, 1651]


def test_columns_say_what_the_curves_say(make_benchmark):
    with Benchmark(make_benchmark(CELLS)) as benchmark:
        table = summarise(benchmark)
        valid, test = benchmark.curves("valid"), benchmark.curves("test")
        assert table["index"].tolist() == CELLS
        assert table["edge_2_3"].tolist() == [space.OPERATIONS[space.cell(cell)[5]] for cell in CELLS]
        assert table["class_representative"].tolist() == [classes("network")[cell] for cell in CELLS]
        assert table["skip_only"].tolist() == [False, True, True, False, False]
        assert table["input_discarding"].tolist() == [False, False, False, False, True]
        assert not table["resnet"].any()
        np.testing.assert_allclose(table["test_top1"], test[..., -1].mean(axis=1))
        np.testing.assert_allclose(table["test_top1_std"], test[..., -1].std(axis=1, ddof=1), atol=1e-8)
        np.testing.assert_allclose(table["max_test_top1"], test.max(axis=2).mean(axis=1))
        np.testing.assert_allclose(table["valid_loss"], benchmark.values("valid", "loss").mean(axis=1), atol=1e-8)
        for row in range(len(CELLS)):
            honest = [test[row, seed, np.flatnonzero(valid[row, seed] == valid[row, seed].max())[0]] for seed in (0, 1)]
            assert table["test_top1_at_best_valid"][row] == pytest.approx(np.mean(honest))
        assert (table["seeds"] == 2).all()
        assert (table["diverged_seeds"] == 0).all()


def test_one_seed_has_no_spread(make_benchmark):
    with Benchmark(make_benchmark(CELLS, seeds=(777,))) as benchmark:
        assert summarise(benchmark)["test_top1_std"].isna().all()


def test_diverged_trainings_are_counted_and_keep_their_accuracy(make_benchmark):
    loss = np.ones((2, 3, 3), dtype=np.float32)
    loss[1, 0, 2] = np.nan
    with Benchmark(make_benchmark([0, 3], loss=loss)) as benchmark:
        table = summarise(benchmark)
    assert table["diverged_seeds"].tolist() == [0, 2]
    assert table["train_loss"].isna().tolist() == [False, True]
    assert np.isfinite(table["train_top1"]).all()


def test_equal_tables_are_equal_files(make_benchmark, tmp_path):
    with Benchmark(make_benchmark(CELLS)) as benchmark:
        table = summarise(benchmark)
    for name in ("a.parquet", "b.parquet"):
        write_table(tmp_path / name, table)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    read = read_table(tmp_path / "a.parquet")
    assert read.equals(table)
    assert read.attrs == table.attrs
    assert read.attrs["identity"] == benchmark.identity


def test_missing_and_damaged_tables(tmp_path):
    with pytest.raises(InputError, match="no such table"):
        read_table(tmp_path / "none.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(InputError, match=r"bad\.parquet: the table cannot be read"):
        read_table(tmp_path / "bad.parquet")
