"""Rates, durations and bytes by hand-computed values."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas.cells.cost import macs
from skelnas.cells.space import cell
from skelnas.errors import InputError
from skelnas.recipe import Recipe
from skelnas.results.benchmark import aggregate
from skelnas.study import estimate
from skelnas.training.journal import Entry, Journal
from skelnas.training.metrics import Curves

IMAGES = estimate.Images(height=60, width=68, classes=27, samples=323)
RECIPE = Recipe(epochs=200, batch_size=32)


def entry(**changes):
    values = {"height": 60, "width": 68, "classes": 27, "samples": 100, "epochs": 2, "batch-size": 32}
    values |= {"precision": "fp32", "engine": "fused", "device": "GPU A", "cells": [0, 15624], "seconds": 7.0}
    return values | changes


def test_work_is_macs_times_samples_times_epochs():
    both = macs(cell(0), 60, 68, 27) + macs(cell(15624), 60, 68, 27)
    assert estimate.work([0, 15624], IMAGES, 12) == both * 323 * 12
    assert estimate.work([], IMAGES, 12) == 0


def test_measured_rate_gives_back_what_was_measured():
    rate = estimate.measured_rate([(0, 3.0), (15624, 9.0)], IMAGES, 12, "here")
    assert rate.seconds_per_mac * estimate.work([0, 15624], IMAGES, 12) == pytest.approx(12.0)
    # Twelve epochs measured, two hundred to come: the same cells take 200/12 times as long.
    assert rate.seconds_per_mac * estimate.work([0, 15624], IMAGES, 200) == pytest.approx(200.0)
    assert estimate.measured_rate([], IMAGES, 12, "here") is None


def test_calibrated_rate_is_that_of_the_measurement():
    rate = estimate.calibrated_rate([entry()], IMAGES, RECIPE, "fused")
    assert rate.seconds_per_mac * (macs(cell(0), 60, 68, 27) + macs(cell(15624), 60, 68, 27)) * 200 == pytest.approx(7)
    assert rate.origin == "make bench on GPU A with 60 x 68 images in batches of 32"


@pytest.mark.parametrize(
    ("entries", "device"),
    [
        ([entry(device="B", height=120), entry(), entry(device="B", width=136)], "GPU A"),
        ([entry(), entry(device="B", **{"batch-size": 256})], "GPU A"),
        ([entry(device="B"), entry()], "GPU A"),  # of two that fit equally well, the later
        ([entry(height=120, width=136), entry(device="B", precision="tf32"), entry(engine="plain")], "GPU A"),
    ],
)
def test_the_nearest_measurement_counts(entries, device):
    assert device in estimate.calibrated_rate(entries, IMAGES, RECIPE, "fused").origin


def test_no_measurement_of_the_precision_or_engine_is_no_rate():
    others = [entry(precision="bf16"), entry(engine="plain")]
    assert estimate.calibrated_rate(others, IMAGES, RECIPE, "fused") is None
    assert estimate.calibrated_rate([], IMAGES, RECIPE, "fused") is None


def test_calibration_file(tmp_path):
    path = tmp_path / "calibration.json"
    assert estimate.read_calibration(path) == []
    path.write_text(json.dumps({"format": "skelnas calibration 1", "rates": [entry()]}))
    assert estimate.read_calibration(path) == [entry()]


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        json.dumps({"format": "another 1", "rates": []}),
        json.dumps({"format": "skelnas calibration 1", "rates": [entry(seconds=0)]}),
        json.dumps({"format": "skelnas calibration 1", "rates": [entry(cells=[])]}),
        json.dumps({"format": "skelnas calibration 1", "rates": [{"seconds": 1}]}),
    ],
)
def test_a_damaged_calibration_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "calibration.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"calibration\.json cannot be read as measured rates .*make bench"):
        estimate.read_calibration(path)


@pytest.mark.parametrize(
    ("shards", "jobs", "seconds"),
    [([], 4, 0), ([5], 4, 5), ([5, 5, 5, 5], 2, 10), ([9, 1, 1, 1], 2, 9), ([1, 1, 9], 2, 10), ([3, 2, 1], 1, 6)],
)
def test_duration_of_shards_in_order(shards, jobs, seconds):
    assert estimate.duration(shards, jobs) == seconds


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.integers(1, 10))
def test_duration_lies_between_its_bounds(shards, jobs):
    seconds = estimate.duration(shards, jobs)
    assert seconds >= max(*shards, sum(shards) / jobs) * (1 - 1e-9)
    assert seconds <= (sum(shards) / jobs + max(shards)) * (1 + 1e-9)


def test_bytes_by_hand():
    assert estimate.shard_bytes(10, 200) == 10 * (36 * 200 + 256) + 8 * 200 + 32768
    assert estimate.journal_bytes(10, 200) == 2 * (10 * (7200 + 256 + 128) + 4096)
    assert estimate.checkpoint_bytes(1000.0, 3) == 2 * 3 * (8000 + 4096)
    assert estimate.benchmark_bytes(10, 3, 200) == 10 * 3 * (7200 + 256) + 10 * 512 + 1600 + 32768


@pytest.mark.parametrize(("cells", "epochs"), [(1, 1), (300, 3), (130, 40)])
def test_real_files_are_no_larger_than_planned(tmp_path, write_shard, expected, cells, epochs):
    recipe = Recipe(epochs=epochs, batch_size=4)
    shard = write_shard(tmp_path / "shard.h5", list(range(cells)), 777, recipe=recipe)
    assert shard.stat().st_size <= estimate.shard_bytes(cells, epochs)
    wanted = type(expected)(**{**vars(expected), "recipe": recipe})
    aggregate({777: [shard]}, range(cells), wanted, tmp_path / "benchmark.h5")
    assert (tmp_path / "benchmark.h5").stat().st_size <= estimate.benchmark_bytes(cells, 1, epochs)

    journal = Journal(tmp_path / "other.h5", "ab" * 32, "fused", "cpu")
    ones = np.ones((3, epochs), dtype=np.int32)
    journal.add(0, Entry(Curves(ones.astype(np.float32), ones, ones), {"seconds": 1.0, "device": "some processor"}))
    assert sum(file.stat().st_blocks * 512 for file in journal.folder.iterdir()) <= estimate.journal_bytes(1, epochs)


def test_free_bytes_are_those_of_the_nearest_folder_that_exists(tmp_path):
    assert estimate.free_bytes(tmp_path / "not" / "yet") == pytest.approx(estimate.free_bytes(tmp_path), rel=0.05)
