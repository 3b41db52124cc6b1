"""Show one cell: its drawing, what it costs, what it reaches, the cells that are the same network, its neighbours.

skelnas show 1459
skelnas show 1459 --svg cell.svg
"""

import argparse
import sys
from typing import Any

from skelnas import Benchmark
from skelnas.cells import drawing, space
from skelnas.cells.equivalence import members
from skelnas.commands import query, reading
from skelnas.errors import InputError
from skelnas.files import write_text
from skelnas.results.clock import cost
from skelnas.text import named, span

BEST = 5  # so many neighbours are printed; JSON has all 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cell", metavar="CELL", help="an index, a string, six digits, or 'class 3'")
    reading.add_file(parser)
    reading.add_json(parser)
    reading.add_question(parser)
    parser.add_argument("--svg", metavar="FILE", help="write the drawing there too")


def run(given: argparse.Namespace) -> int:
    with reading.opened(given.file) as benchmark:
        epoch = reading.epoch_of(given.epoch)
        records = query.values(benchmark, reading.cell_of(given.cell), epoch, given.seed)
        index = records[0]["cell"]
        cell = space.cell(index)
        if given.svg:
            if not given.svg.endswith(".svg"):
                raise InputError(f"{given.svg}: the drawing is svg; give a name that ends in .svg")
            write_text(given.svg, drawing.svg(cell, f"cell {index}"))
        costs, same = cost(benchmark, index), members(index).tolist()
        near = neighbours(benchmark, index, epoch, given.seed)
        if given.json:
            reading.print_json(
                {
                    "cell": index,
                    "architecture": space.text(cell),
                    "digits": "".join(map(str, cell)),
                    "class": same[0],
                    "same_network": same,
                    "parameters": costs.parameters,
                    "macs": costs.macs,
                    "seconds": costs.seconds,
                    "devices": list(costs.devices),
                    "values": records,
                    "neighbours": near,
                }
            )
            return 0
        print(reading.about(benchmark))
        print(f"cell {index}  {space.text(cell)}  {''.join(map(str, cell))}\n")
        for line in drawing.lines(cell, sys.stdout.encoding or "ascii"):
            print(f"  {line}")
        seconds = f", {span(costs.seconds)} of training ({costs.seconds.note})" if costs.seconds is not None else ""
        print(f"\n{costs.parameters:,} parameters, {costs.macs / 1e6:.1f} M multiply-accumulates per image{seconds}")
        others = [one for one in same if one != index]
        alike = f"the same trained network as {named(others)}" if others else "no other cell is the same network"
        print(f"class {same[0]}: {alike}\n")
        rows = [
            [record["split"], record["seed"], record["epoch"], *(reading.number(record[one]) for one in query.METRICS)]
            for record in records
        ]
        reading.print_rows(("split", "seed", "epoch", *query.METRICS.values()), rows)
        there = [record for record in near if record["valid"] is not None]
        print(f"\nneighbours, one operation changed: {len(there)} of {len(near)} are in the file")
        if there:
            best = sorted(there, key=lambda record: -record["valid"])[:BEST]
            header = (f"best {len(best)}", "edge", "becomes", "valid %", "test %")
            rows = [[str(one["cell"]), one["edge"], one["operation"], *map(_percent, _both(one))] for one in best]
            reading.print_rows(header, rows, 3)
    return 0


def _both(record: dict[str, Any]) -> tuple[float | None, float | None]:
    return record["valid"], record["test"]


def _percent(value: float | None) -> str:
    return "-" if value is None else reading.number(value)


def neighbours(benchmark: Benchmark, index: int, epoch: int | str, seed: int | None) -> list[dict[str, Any]]:
    """The 24 cells with one other operation: valid and test top-1 in percent, None where the file has them not."""
    here = set(benchmark.cells.tolist())
    cell, records = space.cell(index), []
    for edge, (source, target) in enumerate(space.EDGES):
        for digit, operation in enumerate(space.OPERATIONS):
            if digit == cell[edge]:
                continue
            other = space.index(space.of_digits((*cell[:edge], digit, *cell[edge + 1 :])))
            found = {
                split: float(benchmark.value(other, split, epoch=epoch, seed=seed)) if other in here else None
                for split in ("valid", "test")
            }
            records.append({"cell": other, "edge": f"{source}>{target}", "operation": operation, **found})
    return records
