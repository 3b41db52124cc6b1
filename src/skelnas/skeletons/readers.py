"""The readers by name, and the options of each: what config.yaml may say to it beside the sources.

A reader is a module with `open_source(files, options) -> Source`. It is imported when its first source is opened:
reading one source needs no other's libraries, and checking config.yaml needs none at all.
"""

import dataclasses
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from skelnas.options import stated
from skelnas.untrusted import DEFAULT, Limits

if TYPE_CHECKING:
    from skelnas.skeletons.recording import Source


@dataclass(frozen=True)
class NoOptions:
    """Of a reader that needs none."""


@dataclass(frozen=True)
class ArchiveOptions:
    """content: the archive's fingerprint (`Members.content_fingerprint`), checked; empty to not check.

    limits: how large files may be.
    """

    content: str = ""
    limits: Limits = DEFAULT


@dataclass(frozen=True)
class NtuOptions:
    """body: whose skeleton is drawn, a key of `ntu.bodies.CHOICES`. limits: how large files may be."""

    body: Literal["first-listed", "main-actor", "both"] = "first-listed"
    limits: Limits = DEFAULT


@dataclass(frozen=True)
class TableOptions:
    """Of folders and archives of arrays.

    axes: the order of each array's axes (`array_files.parse_axes`). key: the array's name in .npz, .mat and .json
    files, empty where there is one. classes: class names in the order of their labels, empty for the table's labels in
    natural order. joint_tree: each joint's parent, counted from 0, -1 for the root; empty where it is not known.
    content, limits: as of `ArchiveOptions`.
    """

    axes: str = "joints frames xyz"
    key: str = ""
    classes: tuple[str, ...] = ()
    joint_tree: tuple[int, ...] = ()
    content: str = ""
    limits: Limits = DEFAULT


@dataclass(frozen=True)
class Reader:
    """A reader's module in this folder, and the class of its options."""

    module: str
    options: type

    def open(self, files: Sequence[Path], block: Mapping[str, Any]) -> "Source":
        """Open the files of a data set as its block of config.yaml says.

        Raises:
            InputError: what the reader refuses.
        """
        module = importlib.import_module(f"skelnas.skeletons.{self.module}")
        source = module.open_source(list(files), stated(self.options, block))
        return dataclasses.replace(source, files=tuple(Path(file) for file in files))


READERS = {
    "ntu": Reader("ntu.reader", NtuOptions),
    "synthetic": Reader("synthetic.reader", ArchiveOptions),
    "table": Reader("table", TableOptions),
    "utd_mhad": Reader("utd_mhad", ArchiveOptions),
}
