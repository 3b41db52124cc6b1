"""Shard files: the same bytes for the same values, and one sentence for anything wrong."""

import dataclasses

import h5py
import numpy as np
import pytest

from skelnas.errors import InputError
from skelnas.recipe import Recipe
from skelnas.results.shard import Shard, identity, read_shard, write_shard

RECIPE = Recipe(epochs=5, batch_size=4)
FINGERPRINT = "ab" * 32


def shard(cells=(3, 9, 123), **changes):
    random = np.random.default_rng(3)
    values = {
        "cells": np.array(cells),
        "loss": random.random((len(cells), 3, 5), dtype=np.float32),
        "top1": random.integers(0, 10, (len(cells), 3, 5)),
        "top5": random.integers(0, 10, (len(cells), 3, 5)),
        "learning_rate": np.array([RECIPE.rate(epoch) for epoch in range(5)]),
        "samples": np.array([10, 11, 12]),
        "dataset": "tiny",
        "fingerprint": FINGERPRINT,
        "recipe": RECIPE.as_dict(),
        "seed": 777,
        "identity": identity(FINGERPRINT, RECIPE, cells, 777),
    }
    return Shard(**{**values, **changes})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "00003-00123.h5"


def test_what_is_written_is_read(path):
    written = shard()
    written.loss[1, 0, 2] = np.nan
    write_shard(path, written)
    found = read_shard(path, written.identity)
    for name, array in written.arrays().items():
        assert found.arrays()[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays()[name], array)
    assert found.attributes() == written.attributes()
    assert found.recipe == RECIPE.as_dict()


def test_equal_shards_are_equal_bytes(path, tmp_path):
    write_shard(path, shard())
    write_shard(tmp_path / "again.h5", shard())
    assert path.read_bytes() == (tmp_path / "again.h5").read_bytes()
    write_shard(tmp_path / "other.h5", shard(dataset="other"))
    assert path.read_bytes() != (tmp_path / "other.h5").read_bytes()


def test_every_array_is_checksummed(path):
    write_shard(path, shard())
    with h5py.File(path) as file:
        assert all(file[name].fletcher32 for name in file)
        assert sorted(file) == ["cell", "learning_rate", "loss", "samples", "top1", "top5"]


def test_identity_depends_on_everything_it_names():
    base = (FINGERPRINT, RECIPE, [1, 2], 777)
    others = [
        ("cd" * 32, *base[1:]),
        (FINGERPRINT, dataclasses.replace(RECIPE, exact_epochs=1), *base[2:]),
        (FINGERPRINT, RECIPE, [1, 3], 777),
        (FINGERPRINT, RECIPE, [1, 2], 888),
    ]
    identities = {identity(*each) for each in [base, *others]}
    assert len(identities) == 5
    assert identity(FINGERPRINT, RECIPE, np.array([1, 2], dtype=np.int32), np.int64(777)) == identity(*base)


def test_missing(path):
    with pytest.raises(InputError, match=r"00003-00123.h5: there is no such shard of trainings"):
        read_shard(path)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_truncated(path, keep):
    write_shard(path, shard())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(InputError, match=r"00003-00123.h5 is truncated or damaged"):
        read_shard(path)


def test_one_damaged_byte_of_an_array(path):
    write_shard(path, shard())
    with h5py.File(path) as file:
        chunk = file["top1"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"00003-00123.h5 is truncated or damaged"):
        read_shard(path)


def test_something_else_than_a_shard(path):
    with h5py.File(path, "w") as file:
        file["numbers"] = [1, 2]
    with pytest.raises(InputError, match="not a shard of trainings"):
        read_shard(path)
    path.write_text("hello")
    with pytest.raises(InputError, match="truncated or damaged"):
        read_shard(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"loss": np.zeros((3, 3, 4))}, r"loss has shape \(3, 3, 4\), expected \(3, 3, 5\)"),
        ({"top1": np.zeros((2, 3, 5))}, r"top1 has shape \(2, 3, 5\)"),
        ({"learning_rate": np.zeros(4)}, "learning_rate has shape"),
        ({"top5": np.full((3, 3, 5), 11)}, "top5 counts more samples than there are"),
        ({"identity": "0" * 64}, "does not carry the identity of its own content"),
        ({"seed": 888}, "does not carry the identity of its own content"),
    ],
)
def test_content_that_does_not_fit_together_is_never_written(path, change, words):
    with pytest.raises(InputError, match=words):
        write_shard(path, shard(**change))
    assert list(path.parent.iterdir()) == []


def test_foreign_identity(path):
    write_shard(path, shard())
    with pytest.raises(InputError, match=r"00003-00123.h5 was trained with other images, recipe, cells, seed"):
        read_shard(path, identity(FINGERPRINT, RECIPE, [3, 9, 123], 888))
