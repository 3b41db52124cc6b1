"""Look at a file or folder of recordings, say what it is, and print its block for config.yaml, ready to paste.

skelnas inspect data/raw/mine/frames
"""

import argparse
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skelnas.errors import InputError
from skelnas.images.splits import assign, by_number
from skelnas.skeletons.archive_members import Members, base_name
from skelnas.skeletons.array_files import SUFFIXES, read_array
from skelnas.skeletons.readers import READERS, PysklOptions
from skelnas.skeletons.recording import BadRecording, Source

LOOKED_AT = 50  # recordings that are read
SHARE = 0.25
CODED = re.compile(r"^a\d+_s\d+_([a-z])\d+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", type=Path, help="a file, a zip archive or a folder")
    parser.add_argument("--table", type=Path, help="a .csv with the columns file, label and subject or split")


def run(given: argparse.Namespace) -> int:
    if not given.path.exists():
        raise InputError(f"{given.path} does not exist; correct the path")
    reasons = []
    for reader, options in guesses(given.path, given.table):
        files = [given.path, *([given.table] if given.table and "pattern" not in options else [])]
        try:
            source = READERS[reader].open(files, options)
            facts = found(source)
            split, why = split_for(source)
        except InputError as error:
            reasons.append(f"  as {reader}: {error}")
            continue
        print(f"{given.path}: the reader {reader} opens it\n" + "\n".join(f"  {line}" for line in facts))
        print(f"  split: {why}\n\n" + block(files, reader, options, split))
        return 0
    names = _names(given.path)
    endings = Counter(Path(name).suffix or "none" for name in names).most_common(5)
    seen = ", ".join(f"{count} x {ending}" for ending, count in endings) or "nothing"
    words = [f"{given.path} is of no format that is known. It has {seen}; the first: {', '.join(names[:3]) or 'none'}"]
    raise InputError(
        "\n".join([*words, *reasons, f"There are the readers {', '.join(READERS)}: docs/your-own-data.md"])
    )


def guesses(path: Path, table: Path | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Readers that may open it, with the options that they need, the likeliest first."""
    names, bases = _names(path), [base_name(name) for name in _names(path)]
    if path.suffix in (".pkl", ".pickle"):
        from skelnas.skeletons.pyskl import splits_of

        protocols = sorted(splits_of(path, PysklOptions()))
        yield "pyskl", {"protocol": protocols[0]} if len(protocols) > 1 else {}
    elif path.suffix == ".npz":
        yield "ctrgcn", {}
    if any(name.endswith(".skeleton") for name in bases):
        actions = sorted({name[16:20] for name in bases if name.endswith(".skeleton")})
        yield (
            "ntu",
            {}
            if len(actions) in (60, 120)
            else {"classes": [f"A{int(one[1:])}" for one in actions if one[1:].isdigit()]},
        )
    if any(name.endswith("_skeleton.mat") for name in bases):
        yield "utd_mhad", {}
    if any(name.endswith(".json") for name in bases) and any("_keypoints" in name for name in bases):
        from skelnas.skeletons.openpose import frames_of

        yield "openpose", _labels(sorted(frames_of(tuple(names))), table)
    recordings = [name for name in names if name.lower().endswith(SUFFIXES)]
    if recordings and (path.is_dir() or path.suffix == ".zip"):
        labels = _labels(recordings, table)
        for preset in ("mediapipe", "kinect-v2"):
            if recordings[0].lower().endswith((".csv", ".txt")):
                yield "csv", {"preset": preset, **labels}
        axes = _axes(Members(path), recordings)
        if axes:
            yield "table", {"axes": axes, **labels}


def found(source: Source) -> list[str]:
    """What is there, in a few lines; up to `LOOKED_AT` recordings are read.

    Raises:
        BadRecording: none of them can be read.
    """
    samples, read, bad = source.samples, [], []
    for sample in samples[:: -(-len(samples) // LOOKED_AT)]:
        try:
            read.append(source.read(sample))
        except BadRecording as error:
            bad.append(error)
    if not read:
        raise bad[0]
    lengths = [one.coordinates.shape[1] for one in read]
    planar = not any(one.coordinates[:, :, 2].any() for one in read)
    subjects = {sample.subject for sample in samples}
    gaps = (
        sum(one.frames_without_body for one in read),
        sum(one.padding for one in read),
        sum(one.missing_joints for one in read),
    )
    return [
        f"recordings: {len(samples)}" + (f", {len(source.excluded)} left out" if source.excluded else ""),
        f"labels: {len(source.class_names)} ({', '.join(source.class_names[:6])}"
        f"{', ...' if source.class_names[6:] else ''})",
        f"subjects: {'not stated' if subjects == {0} else len(subjects)}",
        f"joints: {len(source.joint_names)}{' in the plane' if planar else ''}, {source.joint_names[0]} first",
        f"frames: {min(lengths)} to {max(lengths)}, in the {len(read)} recordings looked at",
        f"gaps: {gaps[0]} empty frames ({gaps[1]} of them padding), {gaps[2]} missing joints"
        + (f"; {len(bad)} recordings cannot be used, the first: {bad[0]}" if bad else ""),
    ]


def split_for(source: Source) -> tuple[dict[str, Any], str]:
    """A split rule that gives each split recordings, and why this one."""
    subjects = sorted({sample.subject for sample in source.samples})
    names = [source.subject_names.get(subject, subject) for subject in subjects]
    stated = {sample.split for sample in source.samples}
    training = {sample.subject for sample in source.samples if sample.split == "train"}
    rules: list[tuple[dict[str, Any], str]] = []
    if stated == {"train", "valid", "test"}:
        rules.append(({"rule": "table"}, "the source states all three parts"))
    if stated == {"train", "test"}:
        by = "subject" if len(training) > 2 else "recording"
        drawn = {"rule": "table", "valid-share": SHARE, "seed": 1, "by": by}
        rules.append((drawn, f"the source states train and test; a quarter of train, by {by}, validates"))
    if len(subjects) > 2:
        rule: dict[str, Any] = {"rule": "leave-subjects-out", "valid": [names[-2]], "test": [names[-1]]}
        if len(subjects) > 7:
            rule = {"rule": "random-subjects", "seed": 1, "test-share": SHARE, "valid-share": SHARE}
        rules.append((rule, "nobody who is tested was trained on"))
    drawn = {"rule": "random-recordings", "seed": 1, "test-share": SHARE, "valid-share": SHARE}
    rules.append((drawn, "too few subjects are known to keep people apart, so recordings of each class are drawn"))
    reason = InputError("there are too few recordings to split")
    for rule, why in rules:
        try:
            assign(source.samples, by_number(rule, source.subject_names), source.class_names)
            return rule, why
        except InputError as error:
            reason = error
    raise reason


def block(files: list[Path], reader: str, options: dict[str, Any], split: dict[str, Any]) -> str:
    """The block as config.yaml has it."""
    name = re.sub(r"[^a-z0-9]+", "_", files[0].stem.lower()).strip("_") or "mine"
    sources = [
        f"{{folder: {_written(str(file))}}}"
        if file.is_dir()
        else f"{{file: {name}/{re.sub('[^A-Za-z0-9_.-]', '_', file.name)}, url: {_written(str(file.resolve()))}}}"
        for file in files
    ]
    lines = ["datasets:", f"  {name}:", f"    reader: {reader}", f"    sources: [{', '.join(sources)}]"]
    lines += [f"    {key}: {_written(value)}" for key, value in options.items()]
    return "\n".join([*lines, f"    split: {_written(split)}", "    on-bad-recording: exclude"])


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    text = str(value)
    return text if not isinstance(value, str) or re.fullmatch(r"[A-Za-z/][\w./-]*", text) else f'"{text}"'


def _names(path: Path) -> list[str]:
    return list(Members(path).names) if path.is_dir() or path.suffix == ".zip" else [path.name]


def _labels(recordings: list[str], table: Path | None) -> dict[str, Any]:
    """The pattern that the names seem to follow; nothing where there is a table."""
    if table or not recordings:
        return {}
    stems = [Path(base_name(name)).stem for name in recordings]
    if coded := CODED.match(stems[0]):
        rest = "_*" if re.search(r"\d_[A-Za-z]", stems[0][coded.end() :] or "") or stems[0][coded.end() :] else ""
        return {"pattern": "a{label}_s{subject}_" + coded[1] + "{trial}" + rest}
    parts = [stem.split("_") for stem in stems]
    if len({len(part) for part in parts}) == 1 and len(parts[0]) > 1:
        return {"pattern": "_".join(["{label}", "{subject}", *["*"] * (len(parts[0]) - 2)])}
    if all("/" in name for name in recordings):
        return {"pattern": "{label}/*"}
    return {"pattern": "{label}*"}


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
