"""The files and folders of a data set as a job finds them: held against their receipts before anything is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from skelnas.receipts import Receipt, held_against_receipt
from skelnas.study import paths
from skelnas.study.runs import Config, raw_files


def checked_sources(
    config: Config, dataset: str, generate: Callable[[Path], object] | None = None
) -> tuple[list[Path], list[dict[str, Any]]]:
    """The data set's sources in the reader's order, and what its manifest says of its files (file, size, sha256).

    Raises:
        InputError: a file is missing and cannot be fetched, or is not the one that its receipt was written for.
    """
    files, entries = [Path(path) for path in raw_files(config, dataset)], []
    for source, path in zip(config["datasets"][dataset]["sources"], files, strict=True):
        if "file" in source:
            receipt = held_against_receipt(source, path, paths.receipt(source["file"]), generate)
            entries.append(entry(receipt))
    return files, entries


def entry(receipt: Receipt) -> dict[str, Any]:
    """What is true of a file wherever it lies and whence it came."""
    return {key: receipt[key] for key in ("file", "size", "sha256")}
