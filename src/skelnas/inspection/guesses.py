"""Which readers may open a file or folder, and with which options, from names and shapes alone."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from skelnas.errors import InputError
from skelnas.skeletons.archive_members import Members, base_name
from skelnas.skeletons.array_files import SUFFIXES, read_array
from skelnas.skeletons.recording import natural_key

CODED = re.compile(r"^a\d+_s\d+_([a-z])\d+")
WORDS = re.compile(r"train|val|test")


class Guess(NamedTuple):
    """A reader, the files that it is to open, and its options as config.yaml has them."""

    reader: str
    files: list[Path]
    options: dict[str, Any]


def guesses(path: Path, table: Path | None) -> Iterator[Guess]:
    """Readers that may open it, the likeliest first."""
    names = names_in(path)
    bases = [base_name(name) for name in names]
    if path.suffix in (".pkl", ".pickle") and "label" not in path.name:
        from skelnas.skeletons.pyskl import splits_of
        from skelnas.skeletons.readers import PysklOptions

        protocols = sorted(splits_of(path, PysklOptions()))
        yield Guess("pyskl", [path], {"protocol": protocols[0]} if len(protocols) > 1 else {})
    elif path.suffix == ".npz":
        yield Guess("ctrgcn", [path], {})
    elif pairs := _pairs(path) or [path] * (path.suffix == ".npy"):
        yield Guess("ctrgcn", pairs, {})
    if any(name.endswith(".skeleton") for name in bases):
        actions = sorted({name[16:20] for name in bases if name.endswith(".skeleton")})
        some = {"classes": [f"A{int(one[1:])}" for one in actions if one[1:].isdigit()]}
        yield Guess("ntu", [path], {} if len(actions) in (60, 120) else some)
    if any(name.endswith("_skeleton.mat") for name in bases):
        yield Guess("utd_mhad", [path], {})
    if any(name.endswith(".json") and "_keypoints" in name for name in bases):
        from skelnas.skeletons.openpose import frames_of

        yield _labelled("openpose", path, table, sorted(frames_of(tuple(names))))
    recordings = [name for name in names if name.lower().endswith(SUFFIXES)]
    if recordings and (path.is_dir() or path.suffix == ".zip"):
        if recordings[0].lower().endswith((".csv", ".txt")):
            for preset in ("mediapipe", "kinect-v2"):
                yield _labelled("csv", path, table, recordings, preset=preset)
        if axes := _axes(Members(path), recordings):
            yield _labelled("table", path, table, recordings, axes=axes)


def names_in(path: Path) -> list[str]:
    """The files of a folder or zip archive with their folders, or the name of the one file."""
    return list(Members(path).names) if path.is_dir() or path.suffix == ".zip" else [path.name]


def _labelled(reader: str, path: Path, table: Path | None, recordings: list[str], **options: Any) -> Guess:
    """A reader of recordings that are labelled by a table, or else by the pattern that their names seem to follow."""
    if table:
        return Guess(reader, [path, table], options)
    return Guess(reader, [path], {**options, "pattern": _pattern(recordings)} if recordings else options)


def _pairs(path: Path) -> list[Path]:
    """The arrays of all splits and their labels, side by side in the folder (or in the one of the file) `path`.

    Of several arrays for the same labels, as CTR-GCN's streams are, the one of the joints.
    """
    folder = path if path.is_dir() else path.parent
    if not path.is_dir() and path.suffix not in (".npy", ".pkl"):
        return []
    files = sorted(
        (file for file in folder.iterdir() if file.suffix in (".npy", ".pkl")), key=lambda file: natural_key(file.name)
    )
    labels = {_part(file): file for file in files if "label" in file.name}
    arrays = [file for file in files if file.suffix == ".npy" and "label" not in file.name]
    found: list[Path] = []
    for part, of_part in labels.items():
        fitting = [file for file in arrays if _part(file) == part]
        if joints := [file for file in fitting if "joint" in file.name] or fitting[:1]:
            found += [joints[0], of_part]
    return found


def _part(file: Path) -> str:
    word = WORDS.search(file.name.lower())
    return word[0] if word else ""


def _pattern(recordings: list[str]) -> str:
    stems = [Path(base_name(name)).stem for name in recordings]
    if coded := CODED.match(stems[0]):
        return "a{label}_s{subject}_" + coded[1] + "{trial}" + ("_*" if stems[0][coded.end() :] else "")
    parts = [stem.split("_") for stem in stems]
    if len({len(part) for part in parts}) == 1 and len(parts[0]) > 1:
        return "_".join(["{label}", "{subject}", *["*"] * (len(parts[0]) - 2)])
    return "{label}/*" if all("/" in name for name in recordings) else "{label}*"


def _axes(members: Members, recordings: list[str]) -> str:
    """The order of the axes that fits the first recordings; empty where none does."""
    try:
        shapes = [read_array(members.read(name), name, "", name).shape for name in recordings[:5]]
    except InputError:
        return ""
    for axes in itertools.permutations(("joints", "frames", "xyz")):
        joints, xyz = ({shape[axes.index(one)] for shape in shapes if len(shape) == 3} for one in ("joints", "xyz"))
        if all(len(shape) == 3 for shape in shapes) and xyz == {3} and len(joints) == 1:
            return " ".join(axes)
    if all(len(shape) == 2 and shape[1] % 3 == 0 for shape in shapes) and len({shape[1] for shape in shapes}) == 1:
        return "frames joints*xyz"
    return ""
