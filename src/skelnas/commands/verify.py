"""Check archives of studies: every member against its checksum, and the list of members against the archive.

The exit status is 0 if every archive is whole, else 1, with one line per problem.
"""

import argparse
import sys

from skelnas.archive import verify_archive
from skelnas.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("archives", nargs="+", metavar="FILE", help="an archive, such as results/archive/demo.zip")


def run(given: argparse.Namespace) -> int:
    failed = False
    for path in given.archives:
        try:
            problems = verify_archive(path)
        except InputError as error:
            problems = [str(error)]
        failed = failed or bool(problems)
        for problem in problems:
            print(problem if problem.startswith(path) else f"{path}: {problem}", file=sys.stderr)
        if not problems:
            print(f"{path}: whole, every checksum is right")
    return int(failed)
