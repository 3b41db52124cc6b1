import dataclasses
import json

import h5py
import numpy as np
import pytest

from skelnas.cells import cost, space
from skelnas.errors import InputError
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Table, aggregate, loss_path, write_benchmark

CELLS = [0, 3, 7, 8, 123]


@pytest.fixture
def shards(tmp_path, write_shard):
    folder = tmp_path / "results/train/tiny/short"
    return {
        seed: [
            write_shard(folder / f"seed{seed}/00000-00007-aa.h5", CELLS[:3], seed),
            write_shard(folder / f"seed{seed}/00008-00123-bb.h5", CELLS[3:], seed),
        ]
        for seed in (888, 777)
    }


@pytest.fixture
def merged(shards, tmp_path, expected):
    """Merges the shards as the test has changed them."""

    def merge(cells=CELLS, expected=expected, shards=shards):
        aggregate(shards, cells, expected, tmp_path / "out.h5")
        return tmp_path / "out.h5"

    return merge


@pytest.fixture
def refusal(merged, tmp_path):
    """The sentence with which aggregation refuses; nothing may be left behind."""

    def refuse(**options):
        with pytest.raises(InputError) as caught:
            merged(**options)
        assert not list(tmp_path.glob("*out.h5*")) + list(tmp_path.glob(".*"))
        return str(caught.value)

    return refuse


def test_every_count_and_loss_arrives_at_its_cell_and_seed(shards, merged, expected):
    with h5py.File(merged()) as file, h5py.File(loss_path(merged())) as losses:
        assert file["cell"][()].tolist() == losses["cell"][()].tolist() == CELLS
        assert file["seed"][()].tolist() == losses["seed"][()].tolist() == [777, 888]
        assert file["samples"][()].tolist() == [24, 8, 16]
        for column, seed in enumerate((777, 888)):
            for number, rows in enumerate((slice(0, 3), slice(3, 5))):
                with h5py.File(shards[seed][number]) as shard:
                    for name, merged_file in (("loss", losses), ("top1", file), ("top5", file)):
                        assert merged_file[name].shape == (5, 2, 3, 3)
                        np.testing.assert_array_equal(merged_file[name][rows, column], shard[name][()])
                        np.testing.assert_array_equal(merged_file[f"last_{name}"][rows, column], shard[name][..., -1])
        assert file["top1"].dtype == np.uint8  # 24 samples at most
        assert file["top1"].fillvalue == 255
        assert all(each[name].fletcher32 for each in (file, losses) for name in each)
        assert file["architecture"][4].decode() == space.text(space.cell(123))
        assert file["parameters"][4] == cost.parameters(space.cell(123), 5)
        assert file["macs"][4] == cost.macs(space.cell(123), 8, 12, 5)
        assert json.loads(file.attrs["recipe"]) == expected.recipe.as_dict()
        assert (file.attrs["dataset"], file.attrs["fingerprint"]) == (b"tiny", b"ab" * 32)
        assert file.attrs["source"] == b"trained with skelnas"


def test_files_hold_no_global_heap(shards, merged):
    for path in (merged(), loss_path(merged()), *shards[777]):
        assert path.read_bytes().count(b"GCOL") == 0


def test_imported_shards_are_named_as_the_source(shards, merged, write_shard):
    write_shard(shards[777][1], CELLS[3:], 777, source="imported from a spreadsheet")
    with h5py.File(merged()) as file:
        assert file.attrs["source"] == b"imported from a spreadsheet; trained with skelnas"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"top1": np.full((2, 1, 3, 4), 13, np.uint8)}, "top1 counts more samples of valid than there are"),
        ({"top5": np.zeros((2, 1, 3, 4), np.int32)}, "top5 is int32, expected uint8"),
        ({"loss": np.zeros((2, 1, 3, 3), np.float32)}, "loss has shape"),
        ({"cells": np.array([3, 3])}, "cells are not ascending"),
        ({"cells": np.array([], int)}, "would be empty"),
    ],
)
def test_a_table_that_does_not_fit_together_is_refused(tmp_path, expected, change, words):
    fields = {"cells": np.array([3, 7]), "seeds": [777], "loss": None, "samples": (20, 12, 14)}
    fields |= {name: np.zeros((2, 1, 3, 4), dtype=np.uint8) for name in ("top1", "top5")}
    fields |= {"learning_rate": np.ones(4), "dataset": "tiny", "recipe_name": "short", "recipe": {"epochs": 4}}
    fields |= {"fingerprint": "", "classes": 5, "height": 8, "width": 12}
    with pytest.raises(InputError, match=words):
        write_benchmark(tmp_path / "out.h5", Table(**{**fields, **change}))
    assert list(tmp_path.iterdir()) == []


def test_bytes_do_not_depend_on_shards_or_their_order(shards, merged, make_benchmark):
    first = merged().read_bytes()
    turned = {seed: shards[seed][::-1] for seed in sorted(shards)}
    assert merged(cells=CELLS[::-1], shards=turned).read_bytes() == first
    assert make_benchmark(CELLS, size=1).read_bytes() == first


def test_missing_shard_is_named_with_its_command(shards, refusal):
    shards[777][1].unlink()
    sentence = refusal()
    assert f"a shard is missing: {shards[777][1]}" in sentence
    assert f"`snakemake --cores all {shards[777][1]}`" in sentence


def test_cells_in_no_shard_are_named(shards, refusal):
    shards[888].pop()
    sentence = refusal()
    assert "2 cells are in no shard" in sentence
    assert "seed888: 8, 123" in sentence
    assert "seed888/00008-00008.h5`" in sentence


def test_cell_in_two_shards_names_both(shards, tmp_path, write_shard, refusal):
    shards[777].append(write_shard(tmp_path / "again.h5", [7], 777))
    sentence = refusal()
    assert f"cell 7 is in two shards of one seed, {shards[777][0]} and {tmp_path / 'again.h5'}" in sentence


def test_cell_that_was_not_asked_for(refusal):
    assert "cells that are not part of this benchmark (123)" in refusal(cells=CELLS[:-1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fingerprint": "cd" * 32}, "another image set (cdcdcdcdcdcd..., not abababababab...)"),
        ({"recipe": Recipe(epochs=3, batch_size=8)}, "another recipe (batch_size 8, not 4)"),
        ({"dataset": "other"}, "another data set (other, not tiny)"),
        ({"samples": np.array([24, 8, 17])}, "another number of samples"),
    ],
)
def test_foreign_shard_is_refused_by_name(shards, write_shard, refusal, change, words):
    write_shard(shards[777][1], CELLS[3:], 777, **change)
    sentence = refusal()
    assert str(shards[777][1]) in sentence
    assert words in sentence


def test_shard_of_another_seed_is_refused(shards, refusal):
    shards[777] = shards[888]
    assert f"{shards[888][0]} is of another seed (888, not 777)" in refusal()


def test_shard_of_another_network_is_refused(shards, refusal, monkeypatch):
    monkeypatch.setattr("skelnas.results.benchmark.NETWORK_VERSION", 99)
    assert f"{shards[777][0]} is of another network version (1, not 99)" in refusal()


def test_truncated_shard_is_refused_by_name(shards, refusal):
    content = shards[888][0].read_bytes()
    shards[888][0].write_bytes(content[: len(content) // 2])
    assert str(shards[888][0]) in refusal()


def test_damaged_shard_is_refused_by_name(shards, refusal):
    content = bytearray(shards[888][0].read_bytes())
    with h5py.File(shards[888][0]) as file:
        place = file["top1"].id.get_chunk_info(0).byte_offset
    content[place] ^= 1
    shards[888][0].write_bytes(content)
    assert str(shards[888][0]) in refusal()


def test_other_epochs_than_expected(refusal, expected):
    longer = dataclasses.replace(expected, recipe=Recipe(epochs=4, batch_size=4))
    assert "epochs 3, not 4" in refusal(expected=longer)


def test_nothing_to_merge(refusal):
    assert "would be empty" in refusal(shards={777: []})
