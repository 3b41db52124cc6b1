"""Fixtures that every room's tests may use."""

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

# A busy machine is no reason to fail.
settings.register_profile("skelnas", deadline=None)
settings.load_profile("skelnas")

if TYPE_CHECKING:
    from skelnas.results.benchmark import Expected

SAMPLES = (24, 8, 16)  # of the made-up shards: train, valid, test


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason that tests were skipped for, however many they are."""
    reasons = Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", []))
    for reason, tests in sorted(reasons.items()):
        terminalreporter.write_line(f"SKIPPED {tests}: {reason.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session")
def oracle() -> Callable[[str], dict]:
    """Reads the check values of one file of tests/oracle: what the original code, data and papers were found to say."""
    return lambda name: json.loads((Path(__file__).parent / "oracle" / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder that SKELNAS_DATA names, with a folder for each data set; without it the test is skipped."""
    named = os.environ.get("SKELNAS_DATA")
    if not named:
        pytest.skip(
            "real recordings: get them by `.venv/bin/snakemake -c1 -- data/raw/utd_mhad/Skeleton.zip`, "
            "then say where they are by SKELNAS_DATA=data/raw"
        )
    folder = Path(named).resolve()
    if not folder.is_dir():
        pytest.fail(f"SKELNAS_DATA names {folder}, which is not a folder", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def expected() -> "Expected":
    """What the made-up shards were trained with."""
    from skelnas.recipe import Recipe
    from skelnas.results.benchmark import Expected

    return Expected("tiny", "ab" * 32, "short", Recipe(epochs=3, batch_size=4), classes=5, height=8, width=12)


@pytest.fixture(scope="session")
def write_shard(expected: "Expected") -> Callable[..., Path]:
    """Writes a shard with made-up curves that depend on cell and seed alone; `changes` replace fields of the shard."""
    from skelnas.recipe import Recipe
    from skelnas.results.shard import Shard, identity, write_shard

    def write(path: Path, cells: list[int], seed: int, **changes: object) -> Path:
        recipe = changes.pop("recipe", expected.recipe)
        fields = {"samples": np.array(SAMPLES), "dataset": expected.dataset, "fingerprint": expected.fingerprint}
        fields |= {
            "seed": seed,
            "recipe": recipe.as_dict(),
            "cells": np.array(cells),
            **_curves(cells, seed, recipe.epochs),
        }
        fields |= {"learning_rate": np.array([recipe.rate(epoch) for epoch in range(recipe.epochs)]), **changes}
        name = identity(fields["fingerprint"], Recipe(**fields["recipe"]), cells, fields["seed"])
        write_shard(path, Shard(**fields, identity=name))
        return path

    return write


def _curves(cells: list[int], seed: int, epochs: int) -> dict[str, np.ndarray]:
    """Made-up loss, top1 and top5 (cells, 3, epochs)."""
    counts = np.zeros((2, len(cells), len(SAMPLES), epochs), dtype=np.int32)
    loss = np.zeros(counts.shape[1:], dtype=np.float32)
    for row, cell in enumerate(cells):
        random = np.random.default_rng([cell, seed])
        for split, samples in enumerate(SAMPLES):
            counts[:, row, split] = np.sort(random.integers(0, samples + 1, size=(2, epochs)), axis=0)
        loss[row] = random.random(loss.shape[1:], dtype=np.float32)
    return {"loss": loss, "top1": counts[0], "top5": counts[1]}


@pytest.fixture(scope="session")
def make_benchmark(
    tmp_path_factory: pytest.TempPathFactory, expected: "Expected", write_shard: Callable[..., Path]
) -> Callable[..., Path]:
    """Makes a benchmark of made-up curves for the given cells and seeds, through shards of at most `size` cells."""

    from skelnas.results.benchmark import aggregate

    def make(
        cells: list[int],
        seeds: tuple[int, ...] = (777, 888),
        size: int = 1000,
        wanted: "Expected" = expected,
        **changes: object,
    ) -> Path:
        folder = tmp_path_factory.mktemp("benchmark")
        trained = {"dataset": wanted.dataset, "fingerprint": wanted.fingerprint, "recipe": wanted.recipe}
        changes = trained | changes
        shards = {
            seed: [
                write_shard(
                    folder / f"seed{seed}" / f"{position:05d}.h5", cells[position : position + size], seed, **changes
                )
                for position in range(0, len(cells), size)
            ]
            for seed in seeds
        }
        aggregate(shards, cells, wanted, folder / "benchmark.h5")
        return folder / "benchmark.h5"

    return make
