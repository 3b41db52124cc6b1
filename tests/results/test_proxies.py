"""Shards of zero-cost proxies, gathered beside a benchmark."""

import numpy as np
import pandas as pd
import pytest

from skelnas.cells.equivalence import classes, representatives
from skelnas.errors import InputError
from skelnas.files import write_record
from skelnas.results.proxies import gather, proxies_of, proxies_path
from skelnas.results.query import Benchmark
from skelnas.results.summary import write_table

CELLS = [0, 1, 9, 25, 4317, 15624]
IMAGES = "ab" * 32


@pytest.fixture
def shards(tmp_path):
    """Two shards of each proxy: synflow is the index of the cell, naswot minus that."""
    scored = representatives(CELLS)

    def write(proxy, part, fingerprint=IMAGES):
        path, sign = tmp_path / proxy / f"{part[0]}.record", 1 if proxy == "synflow" else -1
        about = {"proxy": np.array(proxy), "fingerprint": np.array(fingerprint)}
        write_record(path, {"cell": np.array(part), "value": sign * np.array(part, dtype=float), **about})
        return path

    return {proxy: [write(proxy, part) for part in (scored[:3], scored[3:])] for proxy in ("synflow", "naswot")}


def test_equal_networks_get_the_value_of_the_smallest_index(shards, tmp_path):
    alike = int(np.flatnonzero(np.bincount(classes("network"))[classes("network")] > 1)[-1])
    first = int(classes("network")[alike])
    record = {"cell": np.array([first]), "value": np.array([7.5]), "proxy": np.array("synflow")}
    write_record(tmp_path / "one.record", {**record, "fingerprint": np.array(IMAGES)})
    table = gather({"synflow": [tmp_path / "one.record"]}, [first, alike], IMAGES)
    assert first < alike
    assert table["synflow"].tolist() == [7.5, 7.5]
    assert table["class_representative"].tolist() == [first, first]


def test_gathered_rows_are_the_cells_of_the_run(shards):
    table = gather(shards, CELLS, IMAGES)
    assert table["index"].tolist() == CELLS
    assert table["synflow"].tolist() == classes("network")[CELLS].tolist()
    assert table["naswot"].tolist() == (-classes("network")[CELLS]).tolist()


def test_what_does_not_belong_together_is_refused(shards):
    with pytest.raises(InputError, match=r"is of other images or of another proxy; `snakemake .*--force .*0.record`"):
        gather(shards, CELLS, "cd" * 32)
    with pytest.raises(InputError, match="of another proxy"):
        gather({"naswot": shards["synflow"]}, CELLS, IMAGES)
    with pytest.raises(InputError, match=f"synflow: no shard has cell {representatives(CELLS)[3]}"):
        gather({"synflow": shards["synflow"][:1]}, CELLS, IMAGES)
    damaged = shards["synflow"][0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(InputError, match="is missing or damaged"):
        gather(shards, CELLS, IMAGES)


def test_a_benchmark_finds_its_own(shards, make_benchmark):
    with Benchmark(make_benchmark(CELLS, (777,))) as benchmark:
        assert proxies_of(benchmark) is None
        table = gather(shards, CELLS, IMAGES).assign(naswot=-np.inf)
        write_table(proxies_path(benchmark.path), table)
        pd.testing.assert_frame_equal(proxies_of(benchmark), table)
        for wrong in (table.iloc[1:], table.assign(index=table["index"] + 1)):
            write_table(proxies_path(benchmark.path), wrong)
            with pytest.raises(InputError, match="is of other images or cells; `snakemake"):
                proxies_of(benchmark)
