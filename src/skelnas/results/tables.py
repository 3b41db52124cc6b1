"""Tables of a benchmark as pandas frames; every row says its split, metric, seed, epoch and unit."""

import numpy as np
import pandas as pd

from skelnas.cells import space
from skelnas.recipe import SPLITS
from skelnas.results import query


def values(benchmark: "query.Benchmark", split: str, metric: str, epoch: int | str) -> pd.DataFrame:
    """One row for each cell and seed that was trained.

    Columns: index, architecture, parameters, macs, dataset, recipe, split, metric, unit, epoch (from 0), seed, value.
    """
    found = benchmark.values(split, metric, epoch)
    rows, columns = np.nonzero(benchmark.present(split, metric, epoch))
    at = benchmark.epoch_number(epoch)
    same = {"dataset": benchmark.dataset, "recipe": benchmark.recipe_name, "split": split, "metric": metric}
    return pd.DataFrame(
        {
            "index": benchmark.cells[rows],
            "architecture": [space.text(space.cell(int(cell))) for cell in benchmark.cells[rows]],
            "parameters": benchmark.parameters[rows],
            "macs": benchmark.macs[rows],
            **same,
            "unit": query.UNITS[metric],
            "epoch": at,
            "seed": np.array(benchmark.seeds)[columns],
            "value": found[rows, columns],
        }
    )


def curves(benchmark: "query.Benchmark", cells: list[int] | None = None) -> pd.DataFrame:
    """One row for each cell, seed, split and epoch that was recorded; of all cells, or of some.

    Columns: index, seed, split, epoch (from 0), samples, top1_correct, top5_correct, top1, top5 (%), loss (nats, NaN
    where there is none).
    """
    rows = (
        np.arange(len(benchmark))
        if cells is None
        else np.searchsorted(benchmark.cells, [benchmark.index(cell) for cell in cells])
    )
    parts = []
    for position, split in enumerate(SPLITS):
        counts = {name: benchmark.counts(split, name)[rows] for name in ("top1", "top5")}
        loss = benchmark.curves(split, "loss")[rows]
        row, column, epoch = np.nonzero(counts["top1"] >= 0)
        samples = benchmark.samples[split]
        correct = {name: counts[name][row, column, epoch] for name in counts}
        parts.append(
            pd.DataFrame(
                {
                    "index": benchmark.cells[rows][row],
                    "seed": np.array(benchmark.seeds)[column],
                    "split": pd.Categorical.from_codes(np.full(len(row), position), categories=list(SPLITS)),
                    "epoch": epoch,
                    "samples": samples,
                    **{f"{name}_correct": correct[name] for name in correct},
                    **{name: 100 * correct[name] / (samples or np.nan) for name in correct},
                    "loss": loss[row, column, epoch],
                }
            )
        )
    return pd.concat(parts, ignore_index=True).sort_values(["index", "seed", "split", "epoch"], ignore_index=True)
