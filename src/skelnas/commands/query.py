"""Ask for the values of one cell: accuracies and losses of every split, seed by seed and their mean.

skelnas query 1459
skelnas query 313124 --epoch best --json
skelnas query '|nor_conv_3x3~0|+|skip_connect~0|none~1|+|avg_pool_3x3~0|nor_conv_1x1~1|skip_connect~2|' my.h5
"""

import argparse
from typing import Any

from skelnas import Benchmark
from skelnas.cells import space
from skelnas.commands import reading
from skelnas.recipe import SPLITS

METRICS = {"top1": "top-1 %", "top5": "top-5 %", "loss": "loss, nats"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cell", metavar="CELL", help="an index, a string, six digits, or 'class 3'")
    reading.add_file(parser)
    reading.add_json(parser)
    reading.add_question(parser)


def run(given: argparse.Namespace) -> int:
    with reading.opened(given.file) as benchmark:
        records = values(benchmark, reading.cell_of(given.cell), reading.epoch_of(given.epoch), given.seed)
        if given.json:
            reading.print_json(records)
            return 0
        cell = records[0]["cell"]
        print(reading.about(benchmark))
        print(f"cell {cell}  {space.text(space.cell(cell))}")
        rows = [
            [record["split"], record["seed"], record["epoch"], *(reading.number(record[one]) for one in METRICS)]
            for record in records
        ]
        print()
        reading.print_rows(("split", "seed", "epoch", *METRICS.values()), rows)
        print("\nepochs are counted from 0; a dash: nobody has it, or it diverged")
    return 0


def values(benchmark: Benchmark, cell: int | str, epoch: int | str, seed: int | None = None) -> list[dict[str, Any]]:
    """One record for each split and seed, and for the mean of the seeds where there are several."""
    seeds = benchmark.seeds if seed is None else (seed,)
    asked = [*seeds, None] if len(seeds) > 1 else list(seeds)
    records = []
    for split in SPLITS:
        for one in asked:
            found = {metric: _value(benchmark, cell, split, metric, epoch, one) for metric in METRICS}
            top1 = found["top1"]
            at = "each its own" if top1.epoch is None else str(top1.epoch)
            said = {"cell": top1.cell, "split": split, "seed": "mean" if one is None else str(one), "epoch": at}
            records.append({**said, **found})
    return records


def _value(benchmark: Benchmark, cell: int | str, split: str, metric: str, epoch: int | str, seed: int | None) -> Any:
    if metric == "loss" and not benchmark.loss_is_here:
        return float("nan")
    return benchmark.value(cell, split, metric, epoch, seed)
