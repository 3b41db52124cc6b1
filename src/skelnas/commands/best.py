"""List the best cells: chosen by one split (validation, unless told otherwise), with what they reach on the others.

Chosen and quoted on the same split, the best of many is too good to be true: quote the test column.
"""

import argparse
from typing import Any

import numpy as np

from skelnas.cells import space
from skelnas.commands import reading
from skelnas.errors import InputError
from skelnas.recipe import SPLITS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    reading.add_file(parser)
    reading.add_json(parser)
    parser.add_argument("--split", default="valid", help="what is chosen by: valid (default), test or train")
    parser.add_argument("--number", type=int, default=10, metavar="N", help="how many cells (10)")
    parser.add_argument("--epoch", default="final", help="0 is the first; final (default)")
    parser.add_argument("--seed", type=int, help="one seed; else the mean of all")


def run(given: argparse.Namespace) -> int:
    if given.number < 1:
        raise InputError(f"--number {given.number} lists nothing: give 1 or more")
    with reading.opened(given.file) as benchmark:
        epoch = reading.epoch_of(given.epoch)
        best = benchmark.best(given.split, epoch=epoch, seed=given.seed)  # refuses wrong names before anything is read
        column = None if given.seed is None else benchmark.seeds.index(given.seed)
        found = {
            split: benchmark.seed_means(split, epoch=epoch)
            if column is None
            else benchmark.values(split, epoch=epoch)[:, column]
            for split in SPLITS
        }
        chosen = found[given.split]
        order = np.argsort(-chosen, kind="stable")[: given.number]
        order = order[~np.isnan(chosen[order])]
        records: list[dict[str, Any]] = [
            {
                "rank": rank + 1,
                "cell": int(benchmark.cells[row]),
                "architecture": space.text(space.cell(int(benchmark.cells[row]))),
                **{split: float(found[split][row]) for split in SPLITS},
                "parameters": int(benchmark.parameters[row]),
                "macs": int(benchmark.macs[row]),
            }
            for rank, row in enumerate(order)
        ]
        if given.json:
            what = {"chosen_by": given.split, "metric": "top1", "unit": "%", "epoch": best.epoch}
            reading.print_json({**what, "seeds": list(best.seeds), "cells": records})
            return 0
        print(reading.about(benchmark))
        seeds = "mean of each cell's seeds" if given.seed is None else f"seed {given.seed}"
        when = f"after epoch {benchmark.epoch_number(epoch) + 1} of {benchmark.epochs}"
        print(f"top-1 in %, {seeds}, {when}; chosen by {given.split}\n")
        rows = [
            [
                str(record["rank"]),
                str(record["cell"]),
                *(reading.number(record[split]) for split in SPLITS),
                f"{record['parameters']:,}",
                f"{record['macs'] / 1e6:.1f}",
            ]
            for record in records
        ]
        header = ("rank", "cell", *SPLITS, "parameters", "M MACs")
        names = reading.cell_column([record["cell"] for record in records], used=_width(header, rows))
        reading.print_rows((*header, "architecture"), [[*row, name] for row, name in zip(rows, names, strict=True)], 0)
    return 0


def _width(header: tuple[str, ...], rows: list[list[str]]) -> int:
    return sum(max(map(len, column)) + reading.GAP for column in zip(header, *rows, strict=True))
