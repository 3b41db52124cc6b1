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


@dataclass(frozen=True)
class JointOptions:
    """joints: those to take, in this order, by name or counted from 0; empty for all. Of several bodies, of each."""

    joints: tuple[str, ...] = ()


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
    """body: whose skeleton is drawn, a key of `ntu.bodies.CHOICES`. limits: how large files may be.

    classes: the actions to take, by name or as A1 and so on; empty for those of NTU RGB+D 60 or 120.
    """

    body: Literal["first-listed", "main-actor", "both", "averaged"] = "first-listed"
    classes: tuple[str, ...] = ()
    limits: Limits = DEFAULT


@dataclass(frozen=True)
class TableOptions:
    """Of folders and archives of arrays.

    axes: the order of each array's axes (`array_files.parse_axes`). key: the array's name in .npz, .mat and .json
    files, empty where there is one. classes: class names in the order of their labels, empty for the table's labels in
    natural order. joint_tree: each joint's parent, counted from 0, -1 for a root; empty where it is not known.
    skeleton: a name of `named.SKELETONS` in place of a joint tree. pattern: what the names of files say, in place of a
    table (`listing.Pattern`). min_confidence: joints with less are missing. leading: what the columns before the
    coordinates hold (`segments`). scale: factors of x, y and z, empty for 1. content, limits: as of `ArchiveOptions`.
    """

    axes: str = "joints frames xyz"
    key: str = ""
    classes: tuple[str, ...] = ()
    joint_tree: tuple[int, ...] = ()
    skeleton: str = ""
    pattern: str = ""
    min_confidence: float = 0.0
    leading: tuple[str, ...] = ()
    scale: tuple[float, ...] = ()
    content: str = ""
    limits: Limits = DEFAULT


Bodies = Literal["main-actor", "stacked", "averaged"]


@dataclass(frozen=True)
class PysklOptions:
    """Of a pickle of PYSKL or MMAction2.

    protocol: which of its splits, the name before _train and _val; empty where there is one. pattern: what `frame_dir`
    says (`listing.Pattern`). classes: names of the labels 0, 1, ... bodies: of several people (`people`). The others:
    as of `TableOptions`.
    """

    protocol: str = ""
    pattern: str = ""
    classes: tuple[str, ...] = ()
    bodies: Bodies = "main-actor"
    skeleton: str = ""
    min_confidence: float = 0.0
    limits: Limits = DEFAULT


@dataclass(frozen=True)
class CtrgcnOptions:
    """Of arrays of ST-GCN and CTR-GCN.

    channels: what the three values of a joint are; xyc is a place in the plane and its confidence. The other options:
    as of `PysklOptions`.
    """

    channels: Literal["xyz", "xyc"] = "xyz"
    min_confidence: float = 0.0
    classes: tuple[str, ...] = ()
    bodies: Bodies = "main-actor"
    skeleton: str = ""
    limits: Limits = DEFAULT


@dataclass(frozen=True)
class OpenposeOptions:
    """Of OpenPose's folders of frames. The options: as of `TableOptions` and `PysklOptions`."""

    pattern: str = ""
    classes: tuple[str, ...] = ()
    bodies: Bodies = "main-actor"
    min_confidence: float = 0.0
    limits: Limits = DEFAULT


@dataclass(frozen=True)
class Columns:
    """Which columns of a CSV file hold what.

    With `{joint}` in x, y and z a line is a frame, and the columns of a joint are called so; without, a line is a
    joint, and `joint` and `frame` say which. `person` tells people apart; `confidence` is named as x is.
    """

    x: str = ""
    y: str = ""
    z: str = ""
    confidence: str = ""
    joint: str = ""
    frame: str = ""
    person: str = ""


@dataclass(frozen=True)
class CsvOptions:
    """Of CSV files with named columns. preset: a key of `csv_columns.PRESETS`, in place of `columns`. The others: as of
    `TableOptions` and `PysklOptions`."""

    preset: Literal["", "mediapipe", "kinect-v2"] = ""
    columns: Columns = Columns()
    pattern: str = ""
    classes: tuple[str, ...] = ()
    bodies: Bodies = "main-actor"
    skeleton: str = ""
    min_confidence: float = 0.0
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
        gaps, joints = stated(GapOptions, block, self.gaps), stated(JointOptions, block).joints
        return _finished(dataclasses.replace(source, files=tuple(Path(file) for file in files)), gaps, joints)


def _finished(source: "Source", gaps: GapOptions, joints: Sequence[str]) -> "Source":
    """The source with the joints that were picked, and with the treatment of gaps."""
    from skelnas.skeletons.named import parents_of, picked

    count = len(source.joint_names) // source.bodies
    chosen = picked(source.joint_names[:count], joints) if joints else list(range(count))
    rows = [body * count + joint for body in range(source.bodies) for joint in chosen]
    names = tuple(source.joint_names[row] for row in rows)
    read = functools.partial(_read, source.read, gaps, source.bodies, rows if joints else None, names)
    if joints:
        source = dataclasses.replace(source, joint_names=names, parents=parents_of(rows, source.parents))
    return dataclasses.replace(source, read=read)


def _read(
    read: Callable[["Sample"], "Recording"],
    gaps: GapOptions,
    bodies: int,
    rows: list[int] | None,
    joint_names: tuple[str, ...],
    sample: "Sample",
) -> "Recording":
    from skelnas.skeletons.gaps import treated  # it needs numpy, and checking config.yaml does not

    recording = read(sample)
    if rows is not None:
        recording = dataclasses.replace(recording, coordinates=recording.coordinates[rows])
    return treated(recording, gaps, bodies, joint_names)


READERS = {
    "csv": Reader("csv_columns", CsvOptions, MENDED),
    "ctrgcn": Reader("ctrgcn", CtrgcnOptions, MENDED),
    "ntu": Reader("ntu.reader", NtuOptions),
    "openpose": Reader("openpose", OpenposeOptions, MENDED),
    "pyskl": Reader("pyskl", PysklOptions, MENDED),
    "synthetic": Reader("synthetic.reader", ArchiveOptions),
    "table": Reader("table", TableOptions, GapOptions(missing_joints="bad", most_missing=0.5)),
    "utd_mhad": Reader("utd_mhad", ArchiveOptions),
}
