"""Cells trained for some minutes, packed, and taken in where the study lives; rehearsed on a CPU."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bench import first_study
from bench.shapes import Shape, random_images
from skelnas.commands import main
from skelnas.images.image_set import sealed, write_image_set
from skelnas.recipe import Recipe
from skelnas.results import parcel
from skelnas.results.shard import read_shard
from skelnas.results.timing import timing_path
from skelnas.study import runs

from ..workflow.checkout import SYNTHETIC, Checkout

ROOT = Path(__file__).resolve().parents[2]


def test_the_recipes_are_those_of_the_configuration():
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    for name, recipe in first_study.RECIPES.items():
        assert runs.recipe(config, name) == recipe


def test_a_part_begins_only_if_it_would_end_in_time():
    pace = first_study.Pace(ends=100.0, first=10, most=50)
    assert pace.next(0.0) == 10
    assert pace.next(101.0) == 0
    pace.took(10, 10.0)
    pace.took(50, 25.0)  # the slowest counts
    assert pace.next(20.0) == 50
    assert pace.next(85.0) == 15
    assert pace.next(95.0) == 0


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """A parcel of two shards of one cell each, the images they were trained with, and a checkout to take them in."""
    shape = Shape(8, 12, 5, batch_size=8, train=11, valid=4, test=5)
    write_image_set(tmp_path / "tiny.h5", sealed(replace(random_images(shape), name="tiny", fingerprint="")))
    monkeypatch.setitem(first_study.RECIPES, "sample-e12", Recipe(epochs=1, batch_size=8))
    steps = iter([1, 1, 0])
    monkeypatch.setattr(first_study.Pace, "next", lambda *_: next(steps))
    shards = first_study.train(tmp_path / "tiny.h5", 1, "sample-e12", "cpu", tmp_path / "shards")
    parcel.pack(shards, tmp_path / "first-study.zip")
    run = {"dataset": "tiny", "recipe": "other", "seeds": [777], "cells": "0-1"}
    config = {
        "study": "tiny",
        "datasets": {"tiny": SYNTHETIC},
        "recipes": {"other": {"epochs": 9, "batch-size": 8}, "same": {"epochs": 1, "batch-size": 8}},
        "studies": {"tiny": {"runs": [run]}},
    }
    folder = tmp_path / "checkout"
    folder.mkdir()
    Checkout.make(folder, config)
    monkeypatch.chdir(folder)
    return tmp_path / "first-study.zip", shards, config


def test_what_is_packed_there_are_ordinary_shards_here(packed, capsys):
    file, shards, _ = packed
    assert [one.name for one in shards] == ["00000-00000.h5", "00001-00001.h5"]
    assert main(["adopt", str(file)]) == 0
    assert "2 of 2 shards written" in capsys.readouterr().out
    for one in shards:
        here = Path("results/train/tiny/same/seed777", one.name)
        assert here.read_bytes() == one.read_bytes()
        assert timing_path(here).read_bytes() == timing_path(one).read_bytes()
    assert read_shard(here).cells.tolist() == [1]
    assert main(["adopt", str(file)]) == 0
    assert "0 of 2 shards written" in capsys.readouterr().out


def test_without_its_recipe_the_block_to_add_is_shown_and_nothing_written(packed, capsys):
    file, _, config = packed
    del config["recipes"]["same"]
    Path("config.yaml").write_text(yaml.safe_dump(config))
    assert main(["adopt", str(file)]) == 1
    assert "  adopted-e1: {epochs: 1, batch-size: 8}" in capsys.readouterr().err
    assert not Path("results").exists()


@pytest.mark.parametrize("fault", ["truncated", "foreign member", "swapped sidecars", "changed shard"])
def test_a_parcel_that_is_not_right_is_refused_whole(packed, fault, capsys):
    file, _, _ = packed
    content = {}
    with zipfile.ZipFile(file) as whole:
        content = {name: whole.read(name) for name in whole.namelist()}
    one, other = "777/00000-00000", "777/00001-00001"
    if fault == "truncated":
        file.write_bytes(file.read_bytes()[:-50])
    else:
        if fault == "foreign member":
            content["../evil.h5"] = b""
        if fault == "swapped sidecars":
            content[f"{one}.timing.json"] = content[f"{other}.timing.json"]
        if fault == "changed shard":
            middle = len(content[f"{one}.h5"]) // 2
            damaged = bytearray(content[f"{one}.h5"])
            damaged[middle : middle + 64] = bytes(64)
            content[f"{one}.h5"] = bytes(damaged)
        with zipfile.ZipFile(file, "w") as changed:
            for name, value in content.items():
                changed.writestr(name, value)
    assert main(["adopt", str(file)]) == 1
    assert "first-study.zip" in capsys.readouterr().err
    assert not Path("results").exists()
