"""A cross-validation from one block of config.yaml to the mean of its folds."""

import json

import numpy as np
import pandas as pd
import pytest

from skelnas.cells import space
from skelnas.cells.edges import is_connected
from skelnas.images.folds import read_images
from skelnas.images.image_set import read_image_set
from skelnas.results.proxies import proxies_of
from skelnas.results.query import Benchmark

from .checkout import Checkout

pytestmark = pytest.mark.workflow

LABELS, SUBJECTS, FRAMES = ("wave", "clap"), range(1, 7), 12
CONFIG = {
    "study": "cross",
    "datasets": {
        "mine": {
            "reader": "table",
            "sources": [{"folder": "recordings"}],
            "pattern": "{label}_{subject}",
            "height": 4,
            "width": 4,
            "folds": {"count": 3, "seed": 1},
        }
    },
    "recipes": {"e2": {"epochs": 2, "batch-size": 4}},
    "studies": {
        "cross": {
            "runs": [{"dataset": "mine", "recipe": "e2", "seeds": [1], "cells": "0,15624"}],
            "analyses": ["ranking"],
            "proxies": ["synflow"],
        }
    },
    "training": {"device": "cpu"},
}


@pytest.fixture
def checkout(tmp_path):
    """A folder with recordings of two actions by six people, and nothing done yet."""
    random = np.random.default_rng(1)
    (tmp_path / "recordings").mkdir()
    for label in LABELS:
        for subject in SUBJECTS:
            np.save(tmp_path / f"recordings/{label}_{subject}.npy", random.normal(size=(4, FRAMES, 3)))
    return Checkout.make(tmp_path, CONFIG)


def test_three_folds_become_benchmarks_their_mean_and_a_figure(checkout):
    whole, folds = "results/images/mine.h5", [f"mine-fold{number}" for number in (1, 2, 3)]
    study = "results/analysis/cross/mine/e2"
    scored = "results/benchmark/cross/mine-fold1/e2.proxies.parquet"
    checkout.snakemake(f"{study}/folds.png", scored)

    folder = checkout.folder
    assert [path.name for path in sorted((folder / "results/images").glob("*.h5"))] == ["mine.h5"]
    everyone = read_image_set(folder / whole)
    tested, correct, accuracy = [], 0, []
    for fold in folds:
        manifest = folder / f"results/images/{fold}.json"
        images = read_images(folder / whole, manifest)
        assert images.counts == {"train": 6, "valid": 2, "test": 4}
        tested += images.test_names
        with Benchmark(folder / f"results/benchmark/cross/{fold}/e2.h5") as benchmark:
            assert benchmark.fingerprint == images.fingerprint == json.loads(manifest.read_text())["fingerprint"]
            correct = correct + benchmark.counts("test")[:, 0, -1]
            accuracy.append(benchmark.values("test")[:, 0])
    assert sorted(tested) == sorted(everyone.pool_names)

    table = pd.read_csv(folder / f"{study}/folds.csv")
    assert table["test_correct"].tolist() == correct.tolist()
    assert table["test_samples"].tolist() == [12, 12]
    np.testing.assert_allclose(table["test_mean"], np.mean(accuracy, axis=0))
    np.testing.assert_allclose(table["test_std"], np.std(accuracy, axis=0, ddof=1))
    with Benchmark(folder / f"results/benchmark/cross/{folds[0]}/e2.h5") as benchmark:
        proxies = proxies_of(benchmark)
    assert proxies["index"].tolist() == [0, 15624]
    assert np.isfinite(proxies["synflow"]).tolist() == [is_connected(space.cell(cell)) for cell in (0, 15624)]


def test_more_folds_than_subjects_are_told_with_the_line_before_anything_is_converted(checkout):
    path = checkout.folder / "config.yaml"
    path.write_text(path.read_text().replace("count: 3", "count: 7"))
    number = 1 + [text.strip() for text in path.read_text().splitlines()].index("count: 7")
    output = checkout.snakemake("results/images/mine-fold1.json", succeeds=False)
    said = (
        f"config.yaml, line {number}: datasets.mine.folds.count is 7, more than the 6 subjects of the source; take at"
    )
    assert said in output
    assert "Traceback" not in output
    assert not (checkout.folder / "results/images/mine.h5").exists()
