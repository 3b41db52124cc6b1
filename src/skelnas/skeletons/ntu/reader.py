"""NTU RGB+D 60 and 120: 60 or 120 actions, 25 Kinect v2 joints, 30 frames per second, as text files in zip archives.

Shahroudy, Liu, Ng, Wang: NTU RGB+D: A Large Scale Dataset for 3D Human Activity Analysis, CVPR 2016; Liu et al.:
NTU RGB+D 120, TPAMI 2019. The archives `nturgbd_skeletons_s001_to_s017.zip` (60) and, for 120 also,
`nturgbd_skeletons_s018_to_s032.zip` are given on registration; they are read in place. Coordinates are metres, x to the
side, y up, z away from the camera.
"""

import dataclasses
import functools
import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from skelnas.errors import InputError
from skelnas.files import check_readable
from skelnas.skeletons.archive_members import Members, base_name
from skelnas.skeletons.ntu import parser as ntu_parser
from skelnas.skeletons.ntu.bodies import CHOICES, Choice
from skelnas.skeletons.ntu.names import CLASS_NAMES, JOINT_NAMES, PARENTS
from skelnas.skeletons.readers import NtuOptions
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source, check_layout

NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})", re.ASCII)
ACTIONS_60 = 60  # NTU RGB+D 60 is the setups 1 to 17 with the actions 1 to 60
SETUPS_60 = 17
MISSING_REASON = "on the official list of samples with missing or incomplete skeletons ({})"


def open_source(files: list[Path], options: NtuOptions) -> Source:
    """Open NTU RGB+D as a `Source`; `files` are zip archives or folders of recordings, and lists of missing samples.

    A file that ends in `.txt` is a list of samples to leave out, in the form of the official
    `NTU_RGBD_samples_with_missing_skeletons.txt`. With the body `both` there are 50 joints. There are 120 classes if a
    recording is of a setup or action that only NTU RGB+D 120 has, else 60.

    Raises:
        InputError: no recordings; an unsafe or damaged archive; a member whose name is not of this data set; a
            recording in two archives; a list that is none.
    """
    body = options.body
    if body not in CHOICES:
        raise InputError(f"body {body!r} is not known; choose one of {', '.join(CHOICES)}")
    lists = [file for file in files if file.suffix == ".txt"]
    archives = [Members(file, options.limits) for file in files if file not in lists]
    found: dict[str, tuple[Sample, Members]] = {}
    for archive in archives:
        for member in archive.names:
            sample = _sample(archive, member)
            if sample.name in found:
                first, other = found[sample.name]
                where = f"{first.member} of {other.path}"
                raise InputError(f"{archive.path}: {member} is the same recording as {where}; keep one of them")
            found[sample.name] = sample, archive
    if not found:
        raise InputError("NTU RGB+D has no recordings SsssCcccPpppRrrrAaaa.skeleton; name its zip archive or folder")
    excluded = {
        name: MISSING_REASON.format(file.name) for file in lists for name in missing_samples(file) if name in found
    }
    found, class_names = _of_classes(found, options.classes)
    excluded = {name: why for name, why in excluded.items() if name in found}
    only_120 = any(sample.setup > SETUPS_60 or sample.label >= ACTIONS_60 for sample, _ in found.values())
    ntu_parser.prepare()
    return Source(
        class_names=class_names or (CLASS_NAMES if only_120 else CLASS_NAMES[:ACTIONS_60]),
        joint_names=_for_bodies(body, JOINT_NAMES, tuple(f"second_{name}" for name in JOINT_NAMES)),
        parents=_for_bodies(body, PARENTS, tuple(parent + len(PARENTS) if parent >= 0 else -1 for parent in PARENTS)),
        # zero-padded numbers: the natural order of the names is the order of their letters
        samples=tuple(found[name][0] for name in sorted(found) if name not in excluded),
        read=functools.partial(_read, {name: archive for name, (_, archive) in found.items()}, CHOICES[body]),
        excluded=dict(sorted(excluded.items())),
        bodies=2 if body == "both" else 1,
        origin={
            "files": [_origin(archive) for archive in archives]
            + [{"file": file.name, "bytes": file.stat().st_size} for file in lists],
            "recordings": len(found),
            "body": body,
        },
    )


def _of_classes(
    found: dict[str, tuple[Sample, Members]], classes: Sequence[str]
) -> tuple[dict[str, tuple[Sample, Members]], tuple[str, ...]]:
    """The recordings of these classes alone, with labels by their order; everything where none are named."""
    if not classes:
        return found, ()
    numbers = {name: label for label, name in enumerate(CLASS_NAMES)}
    numbers |= {f"A{label + 1}": label for label in range(len(CLASS_NAMES))}
    if unknown := [name for name in classes if name not in numbers]:
        raise InputError(f"classes: {unknown[0]!r} is no action of NTU RGB+D; name it as in its list, or as A1 to A120")
    label_of = {numbers[name]: label for label, name in enumerate(classes)}
    if len(label_of) < len(classes):
        raise InputError("classes: an action is there twice; name it once")
    kept = {
        name: (dataclasses.replace(sample, label=label_of[sample.label]), archive)
        for name, (sample, archive) in found.items()
        if sample.label in label_of
    }
    if not kept:
        raise InputError(f"classes: there is no recording of {', '.join(classes)}; correct the list")
    return kept, tuple(CLASS_NAMES[label] for label in label_of)


def missing_samples(file: Path) -> tuple[str, ...]:
    """The sample names in a list of missing samples: one per line, after any lines of introduction.

    Raises:
        InputError: the file cannot be read, names no sample, or has another text between the names.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        check_readable(file)
        raise InputError(f"{file} cannot be read as a list of missing samples ({error}); download it again") from error
    names: list[str] = []
    for number, line in enumerate(map(str.strip, lines), start=1):
        name = line.removesuffix(".skeleton")
        if NAME.fullmatch(name):
            names.append(name)
        elif names and line:
            raise InputError(f"{file}, line {number}: {line[:40]!r} is no sample name SsssCcccPpppRrrrAaaa; remove it")
    if not names:
        raise InputError(f"{file} names no sample SsssCcccPpppRrrrAaaa; download the list again")
    return tuple(names)


def _sample(archive: Members, member: str) -> Sample:
    base = base_name(member)
    match = NAME.fullmatch(base.removesuffix(".skeleton")) if base.endswith(".skeleton") else None
    if match is None:
        raise InputError(f"{archive.path}: {member} is no SsssCcccPpppRrrrAaaa.skeleton; remove it")
    setup, camera, subject, trial, action = map(int, match.groups())
    if not 1 <= action <= len(CLASS_NAMES):
        where = f"{archive.path}: {member}"
        raise InputError(f"{where} is of action {action}, and NTU RGB+D has {len(CLASS_NAMES)}; remove it")
    return Sample(match.group(), action - 1, subject, camera=camera, setup=setup, trial=trial, member=member)


def _read(archives: dict[str, Members], choose: Choice, sample: Sample) -> Recording:
    archive = archives[sample.name]
    where = f"{archive.path}: {sample.member}"
    try:
        text = archive.read(sample.member)
    except InputError as error:
        raise BadRecording(str(error)) from error
    bodies = ntu_parser.parse(text, where)
    if len(bodies.ids) == 0:
        raise BadRecording(f"{where}: no body in any of the {bodies.frames} frames")
    coordinates, without = choose(bodies)
    return Recording(sample, check_layout(coordinates, where), without, where)


def _for_bodies(body: str, first: tuple, second: tuple) -> tuple:
    return first + second if body == "both" else first


def _origin(archive: Members) -> dict[str, object]:
    """What was read. The names stand for the contents: to hash 14 GB of text would take longer than to convert it."""
    return {
        "file": archive.path.name,
        "bytes": archive.size(),
        "recordings": len(archive.names),
        "names": _digest(map(base_name, archive.names)),
    }


def _digest(names: Iterable[str]) -> str:
    """SHA-256 of the sorted names, one per line."""
    return hashlib.sha256("".join(f"{name}\n" for name in sorted(names)).encode()).hexdigest()
