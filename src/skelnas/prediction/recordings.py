"""Recordings of nobody's data set: any file, archive or folder that a reader knows, opened for a network.

The reader and its options are those of the data set that the network was trained on, or of another one with the same
joints. What was done there is not asked of the names: where a reader takes labels from them and they say none, each
name stands for itself.
"""

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from skelnas.errors import InputError
from skelnas.images.conversion import Conversion, Converted, convert
from skelnas.images.encodings import ENCODINGS
from skelnas.images.options import ImageOptions
from skelnas.options import check_values, keys, stated
from skelnas.results.weights import Facts
from skelnas.skeletons import open_source
from skelnas.skeletons.readers import READERS, GapOptions, JointOptions
from skelnas.skeletons.recording import Source

BY_NAME = ("table", "csv", "openpose")  # readers that take labels from a table or from names
ANY_NAME = {"pattern": "{label}"}
STAND_INS = {  # how a single recording is to be called for a reader that takes no other name
    "ntu": "S001C001P001R001A001.skeleton",
    "synthetic": "a1_s1_t1_skeleton.mat",
    "utd_mhad": "a1_s1_t1_skeleton.mat",
}
OF_THE_STUDY = ("content", "classes")  # what a block says of its own archive alone


@dataclasses.dataclass(frozen=True)
class Drawn:
    """One recording as the network reads it. converted: the image, or the reason why there is none.

    name: what a person calls it; stated: the action that its source states, where it states one of the network's.
    """

    converted: Converted
    name: str
    stated: str = ""


def drawn(path: Path, facts: Facts, changes: Mapping[str, Any]) -> Iterator[Drawn]:
    """Every recording of a file, an archive or a folder, drawn as the image set of `facts` was.

    `changes` replace keys of the data set's block: another reader, and what that one needs.

    Raises:
        InputError: nothing opens it, or its skeleton is another one.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; correct the path of the recording")
    if facts.encoding not in ENCODINGS:
        raise InputError(f"the network reads the encoding {facts.encoding!r}, which this skelnas does not know")
    block = {**facts.options, **changes}
    other = block["reader"] != facts.options["reader"]
    if other:  # the options of one reader say nothing to another; how gaps are treated and joints picked does
        common = ("reader", "empty-frames", "missing-joints", "most-missing", "joints", "limits", *changes)
        block = {key: value for key, value in block.items() if key in common}
    _check_block(block)
    with contextlib.ExitStack() as stack:
        source, told = _opened(path, block, stack)
        _check_skeleton(path, source, facts)
        seconds = stated(ImageOptions, {"split": {}, **block}).limits.recording_seconds
        conversion = Conversion(source, facts.encoding, facts.height, facts.width, seconds)
        known = set(facts.classes) <= set(source.class_names)
        with contextlib.closing(convert(conversion, source.samples)) as images:
            for one in images:
                action = source.class_names[one.sample.label] if known and told.labelled else ""
                found = dataclasses.replace(one, reason=told.words(one.reason)) if one.reason else one
                name = str(path) if told.single else one.sample.name
                yield Drawn(found, name, action if action in facts.classes else "")


@dataclasses.dataclass(frozen=True)
class _Told:
    """How a path was opened: in which folder and under which name, and whether names say what was done."""

    path: Path
    folder: Path | None = None
    name: str = ""
    labelled: bool = True

    @property
    def single(self) -> bool:
        return self.folder is not None

    def words(self, reason: str) -> str:
        """A sentence of the reader's, with the file called as its owner calls it."""
        if self.folder is None:
            return reason
        reason = reason.replace(f"{self.folder}: {self.name}", str(self.path)).replace(str(self.folder), str(self.path))
        return reason.replace(self.name, self.path.name) if self.name != self.path.name else reason


def _opened(path: Path, block: Mapping[str, Any], stack: contextlib.ExitStack) -> tuple[Source, _Told]:
    """The source, and how it was opened: as it stands, or its names taken for nothing.

    Raises:
        InputError: what the reader refuses.
    """
    reader = block["reader"]
    dropped = OF_THE_STUDY if reader not in ("pyskl", "ctrgcn") else OF_THE_STUDY[:1]
    block = {key: value for key, value in block.items() if key not in dropped}
    single = path.is_file() and path.suffix.lower() not in (".zip", ".pkl", ".pickle", ".npz")
    single |= path.is_file() and reader == "table" and path.suffix.lower() == ".npz"
    names = [path.name, *([STAND_INS[reader]] if single and reader in STAND_INS else [])]
    reasons: list[InputError] = []
    for name in names:
        for options in [block, {**block, **ANY_NAME}] if reader in BY_NAME else [block]:
            told = _Told(path, labelled=name == path.name)
            opened = path
            if single:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                (folder / name).symlink_to(path.resolve())
                told, opened = dataclasses.replace(told, folder=folder, name=name), folder
            try:
                source = open_source([opened], options)
            except InputError as error:
                reasons.append(InputError(told.words(str(error))))
                continue
            if not source.excluded or options is not block or reader not in BY_NAME:
                return source, told
    raise reasons[-1]


def _check_block(block: Mapping[str, Any]) -> None:
    """Refuse a block that no reader could take, wherever it comes from.

    Raises:
        InputError: which key, and what may be there.
    """
    if block["reader"] not in READERS:
        raise InputError(f"the reader {block['reader']!r} is not known; choose one of {', '.join(READERS)}")
    every = (ImageOptions, GapOptions, JointOptions, READERS[block["reader"]].options)
    known = ["reader", *dict.fromkeys(key for options in every for key in keys(options))]
    if unknown := [key for key in block if key not in known]:
        raise InputError(f"{unknown[0]} is no key of the reader {block['reader']}; there are {', '.join(known)}")
    for options in every:
        check_values(options, block)


def _check_skeleton(path: Path, source: Source, facts: Facts) -> None:
    """Refuse recordings of other joints than the network was trained on.

    Raises:
        InputError: how many joints there are, or the first that differs.
    """
    found, wanted = list(source.joint_names), facts.joints
    if len(found) != len(wanted):
        raise InputError(
            f"{path}: its skeleton has {len(found)} joints, the network was trained on {len(wanted)}; give recordings "
            "of the same sensor, or pick their joints by --option joints=[...]"
        )
    differing = [(one, other) for one, other in zip(found, wanted, strict=True) if one != other]
    if differing or list(source.parents) != facts.parents:
        words = f"{differing[0][0]} in place of {differing[0][1]}" if differing else "another joint tree"
        raise InputError(f"{path}: its skeleton has {words}; give recordings of the skeleton that was trained on")
