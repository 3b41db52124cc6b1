"""Skeleton sources: one module per source, each turning an archive into samples and recordings."""

import importlib
from pathlib import Path

from skelnas.errors import InputError
from skelnas.skeletons.recording import Reader, Source


def _reader(module: str) -> Reader:
    """The module's `open_source`, imported at the first call: reading one source needs no other source's libraries."""

    def open_source(files: list[Path], options: dict) -> Source:
        return importlib.import_module(f"skelnas.skeletons.{module}").open_source(files, options)

    return open_source


_MODULES = {"utd_mhad": "utd_mhad", "synthetic": "synthetic.reader", "ntu": "ntu.reader", "table": "table"}
READERS: dict[str, Reader] = {name: _reader(module) for name, module in _MODULES.items()}


def open_source(files: list[Path], options: dict) -> Source:
    """Open the files of a data set with the reader that its configuration block names.

    Raises:
        InputError: no such reader, or what the reader itself refuses.
    """
    if options["reader"] not in READERS:
        raise InputError(f"the reader {options['reader']!r} is not known; choose one of {', '.join(READERS)}")
    return READERS[options["reader"]](files, options)
