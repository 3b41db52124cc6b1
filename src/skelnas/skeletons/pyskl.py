"""Pickles of PYSKL and MMAction2: one file with all recordings of a data set and its splits.

A dict of `split` (names of splits -> lists of `frame_dir`) and `annotations`, or the list of annotations alone. Each
has `frame_dir` (the recording's name), `label` (counted from 0), `total_frames`, `keypoint` (people x frames x joints
x 2 or 3, pixels or metres) and, for poses in the plane, `keypoint_score` (people x frames x joints). Described in
PYSKL's tools/data/README.md (Duan et al. 2022, arXiv 2205.09443) and in MMAction2's guide to skeleton data sets.
"""

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np

from skelnas.errors import InputError
from skelnas.files import check_readable, sha256_of_file
from skelnas.skeletons.confidence import told, without_unsure
from skelnas.skeletons.listing import compiled
from skelnas.skeletons.named import SKELETONS, skeleton_of
from skelnas.skeletons.people import chosen, tracks_by_nearness
from skelnas.skeletons.pickles import load, plain
from skelnas.skeletons.readers import PysklOptions
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source, check_layout, natural_key
from skelnas.untrusted import LimitError, read_file

NTU_NAME = re.compile(r"S(?P<setup>\d{3})C(?P<camera>\d{3})P(?P<subject>\d{3})R(?P<trial>\d{3})A\d{3}", re.ASCII)
ENDS = re.compile(r"^(?P<protocol>.*?)_?(?P<part>train|val|valid|validation|test)$")


def open_source(files: list[Path], options: PysklOptions) -> Source:
    """Open one pickle as a `Source`.

    Names of splits are read as protocol and part: `xsub_train` trains and `xsub_val` tests in the protocol `xsub`, for
    in this format a part called val is the one to test on, unless there is one called test. Samples carry it as their
    split, for the rule `table`. Subject, camera, setup and trial come from names as NTU RGB+D has them, or as `pattern`
    says.

    Raises:
        InputError: not one file; damage; a class in it that is no array; no annotations, or one without label; a
            protocol that is not there, or several where none is chosen; people of unlike joints.
    """
    if len(files) != 1:
        raise InputError(f"the reader pyskl needs one source, a .pkl file, and {len(files)} were given")
    path = Path(files[0])
    splits, annotations = _parts(path, options)
    parts = _parts_of(splits, options.protocol, path)
    samples: list[Sample] = []
    excluded: dict[str, str] = {}
    found: dict[str, dict[str, Any]] = {}
    expression = compiled(options.pattern, labelled=False) if options.pattern else NTU_NAME
    for place, annotation in enumerate(annotations):
        where = f"{path}: annotation {place + 1}"
        name = str(annotation.get("frame_dir", annotation.get("filename", ""))) or f"{place + 1}"
        label = plain(annotation.get("label"))
        if isinstance(label, np.ndarray) and label.size == 1:
            label = label.item()
        if not isinstance(label, int) or isinstance(label, bool) or label < 0:
            raise InputError(f"{where} ({name[:60]}) has no label, a whole number from 0 on; label the recording")
        if name in found:
            raise InputError(f"{where} is called {name[:60]} like one before it; give each a frame_dir of its own")
        if parts and name not in parts:
            excluded[name] = f"in no part of {options.protocol or 'the split'}"
            continue
        facts = expression.search(name)
        numbers = {key: int(text) for key, text in (facts.groupdict() if facts else {}).items() if text.isdigit()}
        numbers = {key: number for key, number in numbers.items() if key not in ("label", "split")}
        samples.append(Sample(name, label, split=parts.get(name, ""), member=name, **{"subject": 0, **numbers}))
        found[name] = annotation
    if not samples:
        raise InputError(f"{path} has no annotations of recordings; export the data set again")
    labels = max(sample.label for sample in samples) + 1
    if options.classes and labels > len(options.classes):
        raise InputError(f"{path} has the label {labels - 1}, and `classes` has {len(options.classes)} names; add them")
    joints = _joints(found[samples[0].name], options.skeleton, path)
    skeleton = skeleton_of(options.skeleton or _usual(joints), joints)
    bodies = 2 if options.bodies == "stacked" else 1
    named = skeleton.stacked(bodies)
    return Source(
        class_names=options.classes or tuple(f"label {label}" for label in range(labels)),
        joint_names=named.joint_names,
        parents=named.parents,
        samples=tuple(sorted(samples, key=lambda sample: natural_key(sample.name))),
        read=functools.partial(_read, path, found, options, joints),
        excluded=excluded,
        bodies=bodies,
        origin={"file": path.name, "bytes": path.stat().st_size, "sha256": sha256_of_file(path), "splits": [*splits]},
    )


def splits_of(path: Path, options: PysklOptions) -> dict[str, set[str]]:
    """The parts (train, val, test) of each protocol of a file; of a list of annotations none."""
    protocols: dict[str, set[str]] = {}
    for name in _parts(path, options)[0]:
        if ends := ENDS.match(name):
            protocols.setdefault(ends["protocol"], set()).add(ends["part"])
    return protocols


@functools.lru_cache(maxsize=1)
def _opened(path: Path, limits: Any, _state: tuple[int, int]) -> Any:
    try:
        with path.open("rb") as stream:
            content = read_file(stream, limits)
    except LimitError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    except OSError as error:
        check_readable(path)
        raise InputError(f"{path} cannot be read as a pickle: {error}; get the file again") from error
    return load(content, str(path))


def _parts(path: Path, options: PysklOptions) -> tuple[dict[str, list[str]], list[dict[str, Any]]]:
    if not path.is_file():
        raise InputError(f"{path} does not exist; put it there, or correct the path in the configuration")
    state = path.stat()
    value = _opened(path, options.limits, (state.st_size, state.st_mtime_ns))
    splits, annotations = (value.get("split", {}), value.get("annotations")) if isinstance(value, dict) else ({}, value)
    annotations = plain(annotations)
    if not isinstance(annotations, list) or not all(isinstance(one, dict) for one in annotations):
        raise InputError(f"{path} is no file of PYSKL: it has no list of annotations; choose another reader")
    if not isinstance(splits, dict):
        raise InputError(f"{path}: its split is no dict of names; export the data set again")
    names = {str(name): plain(members) for name, members in splits.items()}
    if wrong := [name for name, members in names.items() if not isinstance(members, list | tuple | set | np.ndarray)]:
        raise InputError(f"{path}: the split {wrong[0]} is no list of recordings; export the data set again")
    return {name: [str(member) for member in members] for name, members in names.items()}, annotations


def _parts_of(splits: dict[str, list[str]], protocol: str, path: Path) -> dict[str, str]:
    """The part, train, valid or test, of each recording in one protocol."""
    known = {name: ends for name in splits if (ends := ENDS.match(name))}
    protocols = sorted({ends["protocol"] for ends in known.values()})
    if protocol and protocol not in protocols:
        raise InputError(f"{path} has no protocol {protocol!r}; it has {', '.join(protocols) or 'none'}")
    if not protocol and len(protocols) > 1:
        raise InputError(f"{path} has the protocols {', '.join(protocols)}; choose one with `protocol`")
    wanted = protocol or (protocols[0] if protocols else "")
    of_protocol = {name: ends["part"] for name, ends in known.items() if ends["protocol"] == wanted}
    tested = "test" in of_protocol.values()
    split = {"train": "train", "test": "test"}
    return {
        member: split.get(part, "valid" if tested else "test")
        for name, part in of_protocol.items()
        for member in splits[name]
    }


def _joints(annotation: dict[str, Any], skeleton: str, path: Path) -> int:
    keypoint = plain(annotation.get("keypoint"))
    if isinstance(keypoint, np.ndarray) and keypoint.ndim == 4 and keypoint.shape[2]:
        return keypoint.shape[2]
    if skeleton in SKELETONS:
        return len(SKELETONS[skeleton].joint_names)
    raise InputError(
        f"{path}: the first annotation has no keypoint, people x frames x joints x 2 or 3; export it again"
    )


def _usual(joints: int) -> str:
    """The skeleton that files of so many joints have in this format."""
    return {17: "coco-17", 25: "ntu-25"}.get(joints, "")


def _read(
    path: Path, found: dict[str, dict[str, Any]], options: PysklOptions, joints: int, sample: Sample
) -> Recording:
    where = f"{path}: {sample.member}"
    keypoint, score = (plain(found[sample.name].get(key)) for key in ("keypoint", "keypoint_score"))
    if not isinstance(keypoint, np.ndarray) or keypoint.dtype.kind not in "fiu" or keypoint.ndim != 4:
        raise BadRecording(f"{where} has no keypoint, people x frames x joints x 2 or 3; leave it out")
    if keypoint.shape[2:] not in ((joints, 2), (joints, 3)):
        raise BadRecording(
            f"{where}: keypoint has shape {keypoint.shape}, expected people x frames x {joints} x 2 or 3"
        )
    bodies = np.zeros((*keypoint.shape[:3], 3))
    bodies[..., : keypoint.shape[3]] = keypoint
    if score is not None:
        if not isinstance(score, np.ndarray) or score.shape != keypoint.shape[:3] or score.dtype.kind not in "fiu":
            raise BadRecording(f"{where}: keypoint_score has another shape than keypoint; leave it out")
        said = told(bodies, score, options.min_confidence)
        sure = without_unsure(bodies, score, options.min_confidence)
        return Recording(sample, people_of_slots(sure, options.bodies, where), where=where, **said)
    return Recording(sample, people_of_slots(bodies, options.bodies, where), where=where)


def people_of_slots(bodies: np.ndarray, choice: str, where: str) -> np.ndarray:
    """The chosen people, joints x frames x 3, of people x frames x joints x 3; zero is where nobody was."""
    absent = (~np.isfinite(bodies) | (bodies == 0)).all(axis=(2, 3))
    frames = [bodies[~absent[:, time], time] for time in range(bodies.shape[1])]
    if absent.all():
        raise BadRecording(f"{where}: no body in any of the {bodies.shape[1]} frames")
    return check_layout(chosen(tracks_by_nearness(frames), choice), where)
