"""The readers by name, and the options of each: what config.yaml may say to it beside the sources.

A reader is a module with `open_source(files, options) -> Source`. It is imported when its first source is opened:
reading one source needs no other's libraries, and checking config.yaml needs none at all.
"""

import dataclasses
import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from skelnas.options import stated
from skelnas.untrusted import DEFAULT, Limits

if TYPE_CHECKING:
    from skelnas.skeletons.recording import Recording, Sample, Source


@dataclass(frozen=True)
class GapOptions:
    """What becomes of missing joints and empty frames (`gaps`), whatever reads the recordings.

    The defaults are those of the original study, which took everything as it was. most_missing: with a larger share of
    empty frames, or of missing joints, a recording is bad.
    """

    empty_frames: Literal["keep", "drop", "interpolate"] = "keep"
    missing_joints: Literal["keep", "bad", "interpolate"] = "keep"
    most_missing: float = 1.0


MENDED = GapOptions("interpolate", "interpolate", 0.5)


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
    """A reader's module in this folder, the class of its options, and how it treats gaps where a block does not say."""

    module: str
    options: type
    gaps: GapOptions = GapOptions()

    def open(self, files: Sequence[Path], block: Mapping[str, Any]) -> "Source":
        """Open the files of a data set as its block of config.yaml says.

        Raises:
            InputError: what the reader refuses.
        """
        module = importlib.import_module(f"skelnas.skeletons.{self.module}")
        source = module.open_source(list(files), stated(self.options, block))
        gaps = stated(GapOptions, block, self.gaps)
        read = functools.partial(_read, source.read, gaps, source.bodies, source.joint_names)
        return dataclasses.replace(source, read=read, files=tuple(Path(file) for file in files))


def _read(
    read: Callable[["Sample"], "Recording"],
    gaps: GapOptions,
    bodies: int,
    joint_names: tuple[str, ...],
    sample: "Sample",
) -> "Recording":
    from skelnas.skeletons.gaps import treated  # it needs numpy, and checking config.yaml does not

    return treated(read(sample), gaps, bodies, joint_names)


READERS = {
    "ntu": Reader("ntu.reader", NtuOptions),
    "synthetic": Reader("synthetic.reader", ArchiveOptions),
    "table": Reader("table", TableOptions, GapOptions(missing_joints="bad", most_missing=0.5)),
    "utd_mhad": Reader("utd_mhad", ArchiveOptions),
}
