"""Skeleton sources: one module per source, each turning an archive into samples and recordings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skelnas.errors import InputError
from skelnas.skeletons.readers import READERS

if TYPE_CHECKING:
    from skelnas.skeletons.recording import Source


def open_source(files: Sequence[Path], block: Mapping[str, Any]) -> "Source":
    """Open the files of a data set with the reader that its block of config.yaml names.

    Raises:
        InputError: no such reader, or what the reader itself refuses.
    """
    if block["reader"] not in READERS:
        raise InputError(f"the reader {block['reader']!r} is not known; choose one of {', '.join(READERS)}")
    return READERS[block["reader"]].open(files, block)
