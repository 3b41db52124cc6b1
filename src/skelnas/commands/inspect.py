"""Look at a file or folder of recordings, say what it is, and print its block for config.yaml, ready to paste.

skelnas inspect data/raw/mine/frames
"""

import argparse
from pathlib import Path

from skelnas.inspection import inspect


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", type=Path, help="a file, a zip archive or a folder")
    parser.add_argument("--table", type=Path, help="a .csv with the columns file, label and subject or split")


def run(given: argparse.Namespace) -> int:
    seen = inspect(given.path, given.table)
    print(f"{given.path}: the reader {seen.reader} opens it")
    print("\n".join(f"  {line}" for line in seen.facts) + f"\n\n{seen.block}")
    return 0
