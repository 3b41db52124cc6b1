"""Check archives of studies, and benchmark files: everything that is in them against its checksum.

Of an archive every member, and the list of members; of a benchmark file every array, and the losses and the summary
that lie beside it. The exit status is 0 if all of them are whole, else 1, with one line per problem.
"""

import argparse
import sys
from pathlib import Path

from skelnas.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="an archive, such as results/archive/demo.zip, or a benchmark file (.h5)",
    )


def run(given: argparse.Namespace) -> int:
    failed = False
    for path in given.files:
        try:
            problems = benchmark_problems(Path(path)) if path.endswith(".h5") else archive_problems(path)
        except InputError as error:
            problems = [str(error)]
        failed = failed or bool(problems)
        for problem in problems:
            print(problem if problem.startswith(path) else f"{path}: {problem}", file=sys.stderr)
        if not problems:
            print(f"{path}: whole, every checksum is right")
    return int(failed)


def archive_problems(path: str) -> list[str]:
    """One sentence per problem of an archive."""
    from skelnas.archive import verify_archive

    return verify_archive(path)


def benchmark_problems(path: Path) -> list[str]:
    """One sentence per problem of a benchmark file, and of its losses and summary where they lie beside it.

    Raises:
        InputError: it cannot be opened, or its losses are those of another benchmark.
    """
    from skelnas import contents
    from skelnas.results.benchmark import loss_path
    from skelnas.results.query import Benchmark

    with Benchmark(path) as benchmark:
        if benchmark.loss_is_here:
            benchmark.values("train", "loss")  # refuses those of another one
    beside = (path, loss_path(path), path.with_suffix(".parquet"))
    found = contents.problems({f"{contents.BENCHMARKS}{file.name}": file for file in beside if file.is_file()})
    return [problem.replace(contents.BENCHMARKS, f"{path.parent}/") for problem in found]
