"""The table, figure and finding of search methods, of benchmarks that allow them and of those that do not."""

import re

import numpy as np
import pandas as pd
import pytest

from skelnas.analysis.provenance import facts_of
from skelnas.analysis.search import regret
from skelnas.analysis.style import save_figure
from skelnas.cells import space
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Table, write_benchmark
from skelnas.results.clock import timing_table
from skelnas.results.counts import stored_counts
from skelnas.results.query import Benchmark
from skelnas.results.summary import write_table

SAMPLES, EPOCHS = (300, 100, 200), 3


def written(folder, cells: np.ndarray, seconds: bool):
    digits = np.array(space.all_cells())[cells]
    share = (digits.sum(axis=1) / 24)[:, None, None, None] * np.linspace(0.5, 1, EPOCHS)
    top1 = np.broadcast_to(share, (len(cells), 2, 3, EPOCHS)) * np.array(SAMPLES)[:, None]
    counts = stored_counts(top1.astype(int), SAMPLES)
    recipe = Recipe(epochs=EPOCHS, batch_size=8)
    path = folder / "short.h5"
    write_benchmark(
        path,
        Table(
            cells=cells,
            seeds=[777, 888],
            top1=counts,
            top5=counts,
            loss=None,
            samples=SAMPLES,
            learning_rate=np.array([recipe.rate(epoch) for epoch in range(EPOCHS)]),
            dataset="tiny",
            recipe_name="short",
            recipe=recipe.as_dict(),
            fingerprint="",
            classes=5,
            height=8,
            width=12,
            source="imported from a test",
        ),
    )
    if seconds:
        rows = {"index": np.repeat(cells, 2), "seed": np.tile([777, 888], len(cells)), "seconds": 3.0, "device": "cpu"}
        write_table(timing_table(path), pd.DataFrame(rows))
    return Benchmark(path)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(regret, "RUNS", 20)
    monkeypatch.setattr(regret, "TRAININGS", 60)


@pytest.mark.parametrize("seconds", [True, False])
def test_regret_of_every_method(tmp_path, seconds):
    with written(tmp_path, np.arange(space.CELLS), seconds) as benchmark:
        table = regret.tabulate(benchmark, pd.DataFrame())
        facts = facts_of(benchmark)
    assert list(table["method"].unique()) == list(regret.LABELS)
    assert set(table["unit"]) == {"seconds" if seconds else "trainings"}
    last = table.groupby("method").last()
    assert last["trainings"].to_numpy() == pytest.approx(60)
    assert last["cost"].to_numpy() == pytest.approx(180 if seconds else 60)
    assert (table["regret_low"] <= table["regret_high"]).all()
    assert (table["worth"] + table["regret"]).to_numpy() == pytest.approx(100)
    assert last["regret"].idxmin() != "random"
    assert "random search within" in regret.finding(table, facts)
    figure = regret.draw(table, facts)
    save_figure(figure, tmp_path / "search.svg")
    ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels(which="both")]
    assert any(ticks)
    assert all(re.fullmatch(r"[\d,.]*", tick) for tick in ticks), ticks


def test_a_sample_of_cells_says_what_is_missing(tmp_path):
    with written(tmp_path, np.arange(200), True) as benchmark:
        table = regret.tabulate(benchmark, pd.DataFrame())
        assert table.empty
        assert "need all 15,625 cells" in regret.finding(table, facts_of(benchmark))
