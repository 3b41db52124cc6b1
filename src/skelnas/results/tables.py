"""Tables of a benchmark as pandas frames; every row says its split, metric, seed, epoch and unit."""

import numpy as np
import pandas as pd

from skelnas.cells import space
from skelnas.recipe import SPLITS
from skelnas.results import clock, query


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


def trainings(benchmark: "query.Benchmark") -> pd.DataFrame:
    """One row for each cell and seed that was trained, after the last epoch.

    Columns: index, architecture, the operation on each edge (edge_0_1 ...), parameters, macs, dataset, recipe, seed,
    epoch (from 0); per split `{split}_samples`, `{split}_top1_correct`, `{split}_top1`, `{split}_top5` (%) and
    `{split}_loss` (nats); test_top1_at_best_valid; seconds and device where they were measured. Missing is NaN.
    """
    accuracy = {split: benchmark.values(split) for split in SPLITS}
    rows, columns = np.nonzero(np.any([~np.isnan(found) for found in accuracy.values()], axis=0))
    cells = benchmark.cells[rows].tolist()
    seeds = np.array(benchmark.seeds)[columns].tolist()
    digits = np.array([space.cell(cell) for cell in cells]).reshape(-1, len(space.EDGES))
    found: dict[str, object] = {
        "index": cells,
        "architecture": [space.text(space.cell(cell)) for cell in cells],
        **{
            f"edge_{source}_{target}": np.array(space.OPERATIONS)[digits[:, edge]]
            for edge, (source, target) in enumerate(space.EDGES)
        },
        "parameters": benchmark.parameters[rows],
        "macs": benchmark.macs[rows],
        "dataset": benchmark.dataset,
        "recipe": benchmark.recipe_name,
        "seed": seeds,
        "epoch": benchmark.epochs - 1,
    }
    for split in SPLITS:
        found[f"{split}_samples"] = benchmark.samples[split]
        correct = benchmark.counts(split)[rows, columns, -1]
        found[f"{split}_top1_correct"] = pd.array(np.where(correct < 0, 0, correct), dtype="Int64")
        found[f"{split}_top1_correct"][correct < 0] = pd.NA  # type: ignore[index]
        found[f"{split}_top1"] = accuracy[split][rows, columns]
        found[f"{split}_top5"] = benchmark.values(split, "top5")[rows, columns]
        found[f"{split}_loss"] = benchmark.values(split, "loss")[rows, columns] if benchmark.loss_is_here else np.nan
    valid = np.where(np.isnan(benchmark.curves("valid")), -np.inf, benchmark.curves("valid"))[rows, columns]
    at_best = benchmark.curves("test")[rows, columns, valid.argmax(axis=1)]
    found["test_top1_at_best_valid"] = np.where(np.isneginf(valid).all(axis=1), np.nan, at_best)
    timed = clock.measured(benchmark) if clock.timing_table(benchmark.path).is_file() else {}
    measured = [timed.get(training) for training in zip(cells, seeds, strict=True)]
    found["seconds"] = [one[0] if one else np.nan for one in measured]
    found["device"] = [one[1] if one else None for one in measured]
    return pd.DataFrame(found)
