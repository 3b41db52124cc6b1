"""What the commands share that read a benchmark file: their arguments, and how they print."""

import argparse
import json
import math
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from skelnas import Benchmark, example
from skelnas.cells import naming, space
from skelnas.text import text_table

GAP = 2  # blanks between columns


def add_file(parser: argparse.ArgumentParser) -> None:
    """`FILE`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="a benchmark file (.h5); else the shipped example")


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def add_question(parser: argparse.ArgumentParser) -> None:
    """`--epoch` and `--seed`."""
    parser.add_argument("--epoch", default="final", help="0 is the first; final (default) or best, by validation")
    parser.add_argument("--seed", type=int, help="one seed; else the mean of all")


def opened(file: str | None) -> Benchmark:
    """The benchmark of that path, or the example.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    return Benchmark(file) if file else example()


def cell_of(name: str) -> int | str:
    """A cell of the command line: up to five digits are an index, what else there may be is said by `naming`.

    Raises:
        InputError: it names no cell.
    """
    if name.isdecimal() and len(name) <= 5:
        return int(name)
    if naming.class_number(name) is None:
        naming.index_of(name)
    return name


def epoch_of(name: str) -> int | str:
    """An epoch of the command line: a number, or a word for the benchmark to judge."""
    try:
        return int(name)
    except ValueError:
        return name


def about(benchmark: Benchmark) -> str:
    """One line: which file, data set, recipe, cells and seeds the numbers are of."""
    seeds = ", ".join(map(str, benchmark.seeds))
    return (
        f"{benchmark.path.name}: {benchmark.dataset}, {benchmark.recipe_name}, {len(benchmark):,} cells, "
        f"{'seed' if len(benchmark.seeds) == 1 else 'seeds'} {seeds}, {benchmark.epochs} epochs"
    )


def cell_column(cells: Sequence[int], used: int) -> list[str]:
    """Cells as their strings where those fit beside `used` characters, else as six digits."""
    width = shutil.get_terminal_size((100, 24)).columns
    strings = [space.text(space.cell(cell)) for cell in cells]
    if used + GAP + max(map(len, strings), default=0) <= width:
        return strings
    return ["".join(map(str, space.cell(cell))) for cell in cells]


def number(value: float, digits: int = 2) -> str:
    """A number for a table; a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def print_rows(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
    """A table, its lines cut to the width where it is a terminal."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in text_table(header, rows, left).splitlines():
        print(line if width is None or len(line) <= width else line[: width - 1] + "…")


def print_json(value: Any) -> None:
    """JSON with null where a number is missing or infinite."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
