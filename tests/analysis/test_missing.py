"""A benchmark with two seeds for half of its cells, through queries, summary and every analysis."""

import re

import numpy as np
import pytest

from skelnas.analysis import catalogue, products
from skelnas.analysis.provenance import facts_of
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Table, write_benchmark
from skelnas.results.counts import MISSING, MISSING_LOSS, stored_counts
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise

CELLS = np.array([0, 3, 9, 11, 123, 1651, 4567, 9000, 11111, 12000, 13000, 15000])
SEEDS, SAMPLES, EPOCHS = [777, 888, 999], (300, 100, 200), 4
HALF = np.arange(len(CELLS)) % 2 == 0  # these lack seed 888
ALONE = 5  # this cell was trained with seed 777 only, and of its last epoch nothing is known but test


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(5)
    shape = (len(CELLS), len(SEEDS), 3, EPOCHS)
    top1 = (np.sort(random.random(shape), axis=3) * np.array(SAMPLES)[:, None]).astype(int)
    top5 = np.minimum(top1 + 5, np.array(SAMPLES)[:, None])
    loss = random.random(shape, dtype=np.float32)
    loss[3, 0, 0, 2] = np.nan  # diverged, not missing
    for array, nothing in ((top1, MISSING), (top5, MISSING), (loss, MISSING_LOSS)):
        array[HALF, 1] = nothing
        array[ALONE, 1:] = nothing
        array[ALONE, 0, :2, -1] = nothing
    recipe = Recipe(epochs=EPOCHS, batch_size=8)
    return {
        "cells": CELLS,
        "seeds": SEEDS,
        "top1": stored_counts(top1, SAMPLES),
        "top5": stored_counts(top5, SAMPLES),
        "loss": loss,
        "samples": SAMPLES,
        "learning_rate": np.array([recipe.rate(epoch) for epoch in range(EPOCHS)]),
        "dataset": "tiny",
        "recipe_name": "short",
        "recipe": recipe.as_dict(),
        "fingerprint": "",
        "classes": 5,
        "height": 8,
        "width": 12,
        "source": "imported from a test",
    }


@pytest.fixture(scope="module", params=["losses", "no losses"])
def benchmark(table, request, tmp_path_factory):
    path = tmp_path_factory.mktemp("missing") / "short.h5"
    write_benchmark(path, Table(**{**table, "loss": table["loss"] if request.param == "losses" else None}))
    with Benchmark(path) as opened:
        yield opened


def test_missing_is_missing_and_never_zero_or_a_mean(benchmark, table):
    percent = 100 * table["top1"][..., 2, :].astype(float) / 200
    assert benchmark.source == "imported from a test"
    assert np.isnan(benchmark.value(0, seed=888))
    assert np.isnan(benchmark.curve(0, seed=888)).all()
    assert benchmark.value(0) == pytest.approx(percent[0, [0, 2], -1].mean())
    np.testing.assert_allclose(benchmark.curve(3), percent[1].mean(axis=0))
    np.testing.assert_allclose(benchmark.curve(1651), percent[ALONE, 0])
    assert np.isnan(benchmark.value(1651, "valid"))
    assert benchmark.value(1651, "valid", epoch=-2) == table["top1"][ALONE, 0, 1, -2]
    there = np.ones((len(CELLS), 3), dtype=bool)
    there[HALF, 1] = there[ALONE, 1:] = False
    np.testing.assert_array_equal(benchmark.present(), there)
    np.testing.assert_array_equal(np.isnan(benchmark.values()), ~there)
    np.testing.assert_array_equal(benchmark.present("train", "top5", epoch=None)[..., 0], there)
    assert not benchmark.present("train")[ALONE].any()


def test_a_diverged_loss_is_not_a_missing_one(benchmark):
    if not benchmark.has_losses:
        assert not benchmark.present("test", "loss", epoch=None).any()
        assert np.isnan(benchmark.curves("test", "loss")).all()
        return
    assert np.isnan(benchmark.curve(11, "train", "loss")[2])
    assert benchmark.present("train", "loss", epoch=2)[3].tolist() == [True, True, True]
    assert benchmark.curve(0, "train", "loss")[2] == pytest.approx(
        benchmark.curves("train", "loss")[0, [0, 2], 2].mean()
    )


def test_summary_counts_the_seeds_of_each_cell(benchmark):
    summary = summarise(benchmark)
    assert summary["seeds"].tolist() == [2, 3, 2, 3, 2, 1, 2, 3, 2, 3, 2, 3]
    assert summary["diverged_seeds"].sum() == (1 if benchmark.has_losses else 0)
    assert np.flatnonzero(summary["test_top1_std"].isna()).tolist() == [ALONE]
    assert np.flatnonzero(summary["valid_top1"].isna()).tolist() == [ALONE]
    assert summary["test_top1"].notna().all()
    two = benchmark.values()[0, [0, 2]]
    assert summary["test_top1_std"][0] == pytest.approx(two.std(ddof=1))
    # The honest choice of a cell without its last validation accuracy is the best epoch that it has.
    best = int(np.nanargmax(benchmark.curve(1651, "valid")))
    assert summary["test_top1_at_best_valid"][ALONE] == benchmark.value(1651, epoch=best)
    assert summary["max_valid_top1"][ALONE] == benchmark.value(1651, "valid", epoch=best)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", catalogue.ANALYSES)
def test_every_analysis_is_made(benchmark, name, tmp_path):
    table, facts = products.tabulate(name, benchmark, summarise(benchmark)), facts_of(benchmark)
    assert len(table.columns)
    products.write_csv(tmp_path / "table.csv", table)
    said = products.finding(name, table, facts)
    assert said.endswith(".")
    assert not re.search(r"\bnan\b|\binf\b|[-−]0(\.0+)?(?![\d.])", said), said  # no number, and a zero below zero
    if catalogue.ANALYSES[name].draws:
        products.draw(name, products.read_csv(tmp_path / "table.csv"), facts).savefig(tmp_path / "figure.png")
