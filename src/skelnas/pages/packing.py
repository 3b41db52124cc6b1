"""What the explorer knows, as blobs of bytes that its page unpacks.

A blob is gzip'd: the length of a JSON head (uint32), the head, then arrays, each at a multiple of 8 bytes, all
little-endian. `explorer/data.js` reads it. Final accuracies are exact counts; curves are thinned and rounded to `STEP`
percent, for the eye alone.
"""

import functools
import gzip
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from skelnas.cells import space
from skelnas.cells.edges import trained_edges
from skelnas.cells.equivalence import classes
from skelnas.recipe import SPLITS
from skelnas.results.query import Benchmark, seed_mean

ALIGNED = 8
POINTS = 24  # of a curve, at most
STEP = 1  # percent, between two values of a curve
BANDED = ("valid", "test")  # splits whose spread over the seeds is told; that of training is small
MISSING_STEP = 255
MISSING_COUNT = 2**32 - 1
KINDS = ("none", "idle", "bias", "signal")  # of an edge, as `cell_drawing` tells them apart


def pack(head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """A blob of a head and named arrays; equal ones give equal bytes."""
    blocks, places, at = [], {}, 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
        places[name] = {"type": array.dtype.name, "at": at, "length": array.size}
        blocks.append(data + bytes(-len(data) % ALIGNED))
        at += len(blocks[-1])
    text = json.dumps({**head, "arrays": places}, ensure_ascii=False, allow_nan=False).encode()
    text += b" " * (-(4 + len(text)) % ALIGNED)
    return gzip.compress(len(text).to_bytes(4, "little") + text + b"".join(blocks), compresslevel=9, mtime=0)


@functools.cache
def search_space() -> bytes:
    """All 15,625 cells.

    Arrays (15,625,): code, the digits of the six edges in base 5, the first one foremost; kinds, the kind of each edge
    in base 4; representative, the smallest index of the cells that are the same trained network.
    """
    cells = np.array(space.all_cells(), dtype=np.int64)
    kinds = np.array([_kinds(cell) for cell in space.all_cells()], dtype=np.int64)
    arrays = {
        "code": cells @ 5 ** np.arange(5, -1, -1),
        "kinds": kinds @ 4 ** np.arange(5, -1, -1),
        "representative": np.asarray(classes("network")),
    }
    return pack({}, {name: array.astype(np.uint16) for name, array in arrays.items()})


def _kinds(cell: space.Cell) -> list[int]:
    trained = trained_edges(cell)
    return [
        0 if digit == space.NONE else 3 if edge in trained.signal else 2 if edge in trained.all else 1
        for edge, digit in enumerate(cell)
    ]


def final_values(benchmark: Benchmark, summary: pd.DataFrame) -> bytes:
    """What is known of every cell after the last epoch.

    Arrays: cell, parameters, macs (cells,); top1, top5: counts (splits, seeds, cells), `MISSING_COUNT` where missing;
    loss: means over the seeds, float32 (splits, cells); at_best: the summary's `test_top1_at_best_valid`, float32.
    """
    arrays = {"cell": benchmark.cells.astype(np.uint16)}
    arrays |= {"parameters": benchmark.parameters.astype(float), "macs": benchmark.macs.astype(float)}
    for metric in ("top1", "top5"):
        arrays[metric] = np.array([_counts(benchmark, split, metric) for split in SPLITS])
    arrays["loss"] = np.array([benchmark.seed_means(split, "loss") for split in SPLITS], dtype=np.float32)
    arrays["at_best"] = summary["test_top1_at_best_valid"].to_numpy(dtype=np.float32)
    head = {
        "seeds": benchmark.seeds,
        "samples": [benchmark.samples[split] for split in SPLITS],
        "k": min(5, benchmark.classes),
    }
    return pack(head, arrays)


def _counts(benchmark: Benchmark, split: str, metric: str) -> np.ndarray:
    """Correct predictions after the last epoch: uint32 (seeds, cells)."""
    values = benchmark.values(split, metric).T
    missing = np.isnan(values)
    counts = np.rint(np.where(missing, 0, values) * benchmark.samples[split] / 100)
    return np.where(missing, MISSING_COUNT, counts).astype(np.uint32)


def curves(benchmark: Benchmark) -> bytes:
    """Learning curves of accuracy, thinned: uint8 (cells, series, points), of which each split that has any gives one
    series (the mean over the seeds) or, if `BANDED` and with several seeds, three (mean, and how far the lowest and the
    highest seed are below and above it), in steps of `STEP`. Means are differences to the point before, modulo 256.
    """
    per_split = {split: benchmark.curves(split) for split in SPLITS}
    known = np.any([~np.isnan(values).all(axis=(0, 1)) for values in per_split.values()], axis=0)
    epochs = _thinned(np.flatnonzero(known))
    series, splits = [], []
    for split, values in per_split.items():
        values = values[:, :, epochs]
        if np.isnan(values).all():
            continue
        splits.append(split)
        mean = _steps(seed_mean(values))
        series.append(np.diff(mean, axis=1, prepend=0) % 256)
        if len(benchmark.seeds) > 1 and split in BANDED:
            there = ~np.isnan(values)
            lowest, highest = np.where(there, values, np.inf).min(axis=1), np.where(there, values, -np.inf).max(axis=1)
            series += [mean - _steps(lowest), _steps(highest) - mean]
    stacked = np.stack(series, axis=1) if series else np.zeros((len(benchmark), 0, len(epochs)))
    banded = [len(benchmark.seeds) > 1 and split in BANDED for split in splits]
    head = {"epochs": (epochs + 1).tolist(), "splits": splits, "banded": banded, "step": STEP}
    return pack(head, {"curves": stacked.astype(np.uint8)})


def _thinned(epochs: np.ndarray) -> np.ndarray:
    """At most `POINTS` of the epochs, the first and the last among them, closer together at the beginning."""
    if len(epochs) <= POINTS:
        return epochs
    return epochs[np.unique(np.rint((len(epochs) - 1) * np.linspace(0, 1, POINTS) ** 1.6).astype(int))]


def _steps(values: np.ndarray) -> np.ndarray:
    """Percentages as whole steps; `MISSING_STEP` where there is none."""
    there = np.isfinite(values)
    return np.where(there, np.rint(np.where(there, values, 0) / STEP), MISSING_STEP).astype(int)
