"""Read results published with the thesis into benchmark files, one for each data set and recipe.

Archives (utdmhad_seed_777.tar.gz and the like), folders and single files, in every form they were published in. Runs
that were interrupted, or do not fit what they say, are left out and told. Gaps stay gaps.

skelnas import utdmhad_seed_777.tar.gz utdmhad_seed_888.tar.gz utdmhad_seed_999.tar.gz
skelnas import preprocessed_data.json --to elsewhere --against results/benchmark/thesis/utd_mhad/b32-e12.h5
"""

import argparse
import itertools
import sys
from pathlib import Path

from skelnas import Benchmark
from skelnas.commands import reading
from skelnas.errors import InputError
from skelnas.importers.published import containers, tables
from skelnas.text import counted, text_table

TOLD = 5  # so many runs that were left out are named
STEP = 500  # files from one sign of life to the next


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="archives, folders or files")
    parser.add_argument("--to", default="results/benchmark/published", metavar="FOLDER", help="%(default)s")
    parser.add_argument("--against", metavar="FILE", help="compare with own trainings of the same cells and seeds")


def run(given: argparse.Namespace) -> int:
    own = Benchmark(given.against) if given.against else None
    files = itertools.count(1)

    def seen(name: str) -> None:
        if (number := next(files)) % STEP == 0:
            print(f"{number:,} files, now {name}", file=sys.stderr, flush=True)

    kept = tables.collect(run for path in given.paths for run in containers.read(path, seen))
    written = tables.write(kept, Path(given.to))
    rows = [
        [
            str(path),
            *(f"{len(set(values)):,}" for values in ([run.cell for run in runs], [run.seed for run in runs])),
            f"{len(runs):,}",
            f"{sum(run.has_losses for run in runs):,}",
        ]
        for path, runs in written.items()
    ]
    print(text_table(("file", "cells", "seeds", "trainings", "with losses"), rows))
    if kept.twice:
        print(f"{counted(kept.twice, 'training')} came twice and said the same")
    if wrong := kept.mismatched():
        first = wrong[0]
        print(
            f"{counted(len(wrong), 'training')} had other epochs than the folder says, such as {first.where}: "
            f"{first.epochs}, not {first.hp}; each is in the file of its own recipe"
        )
    for sentence in kept.skipped[:TOLD]:
        print(f"left out: {sentence}", file=sys.stderr)
    if more := len(kept.skipped) - TOLD if len(kept.skipped) > TOLD else 0:
        print(f"left out: {more:,} more", file=sys.stderr)
    if own is not None:
        _compare(list(written), own)
    return 0


def _compare(written: list[Path], own: Benchmark) -> None:
    from skelnas.importers.published.agreement import agreement, summary

    for path in written:
        with Benchmark(path) as published:
            if (published.dataset, published.recipe) != (own.dataset, own.recipe):
                continue
            table = summary(agreement(published, own))
        print(f"\n{path} against {own.path}, top-1 after the last epoch, in percentage points (own less published)\n")
        header = ("split", "trainings", "equal", "mean difference", "mean |difference|", "expected of two draws")
        rows = [
            [row.split, str(row.trainings), str(row.equal), *map(reading.number, row[-3:])]
            for row in table.drop(columns="epoch").itertuples(index=False)
        ]
        reading.print_rows(header, rows)
        return
    raise InputError(f"{own.path} is of another data set or recipe than everything that was imported")
