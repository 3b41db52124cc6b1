"""Arrays of ST-GCN and CTR-GCN: all recordings of a split in one array, padded with zeros to one length.

One `.npz` of CTR-GCN (Chen et al. 2021, data/ntu/seq_transformation.py and feeders/feeder_ntu.py): `x_train` and
`x_test` are recordings x frames x (people * joints * 3), `y_train` and `y_test` one-hot, recordings x classes. Or
pairs of ST-GCN (Yan et al. 2018, tools/ntu_gendata.py): `.npy`, recordings x 3 x frames x joints x people, and labels,
`.npy` (numbers) or `.pkl` (names and numbers); `train`, `val` or `test` in a file's name says which split it is.
Metres; joints of the Kinect v2 where there are 25. In place of x y z there may be x y and confidence (ST-GCN's Kinetics
skeletons), which `channels` tells apart.
"""

import functools
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skelnas.errors import InputError
from skelnas.files import check_readable, sha256_of_file
from skelnas.skeletons.confidence import Told, told, without_unsure
from skelnas.skeletons.named import skeleton_of
from skelnas.skeletons.people import chosen
from skelnas.skeletons.pickles import load, plain
from skelnas.skeletons.readers import CtrgcnOptions
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source, check_layout
from skelnas.untrusted import DAMAGE, Limits, read_file, read_member

PARTS = ("train", "valid", "test")
PEOPLE = 2  # in a flat array, as both programs write it
LOCAL_HEADER = 30  # bytes of a zip member's own header before its name


@dataclass(frozen=True)
class Part:
    """The recordings of one split: values (recordings first), labels, and names where the file has some."""

    split: str
    values: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]


def open_source(files: list[Path], options: CtrgcnOptions) -> Source:
    """Open one .npz, or pairs of .npy and labels, as a `Source`; samples carry the split that the files state.

    Where no file is called test, what is called val is what both programs test on, and is the test split here.

    Raises:
        InputError: other files, damaged ones, arrays of another shape than above, or labels that do not fit.
    """
    paths = [Path(file) for file in files]
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path} does not exist; put it there, or correct the path in the configuration")
    parts = (
        _pairs(paths, options.limits)
        if paths[1:] or paths[0].suffix == ".npy"
        else _npz_parts(paths[0], options.limits)
    )
    for part in parts:
        _check(part, paths[0])
    people, joints = _shape(parts[0].values)
    if any(_shape(part.values) != (people, joints) for part in parts):
        raise InputError(f"{paths[0]}: the arrays of its splits have unlike joints; export them again")
    labels = 1 + max(int(part.labels.max()) for part in parts)
    if options.classes and labels > len(options.classes):
        raise InputError(f"{paths[0]} has the label {labels - 1}, and `classes` has {len(options.classes)} names")
    bodies = 2 if options.bodies == "stacked" else 1
    skeleton = skeleton_of(options.skeleton or ("ntu-25" if joints == 25 else ""), joints).stacked(bodies)
    samples, places = [], {}
    tested = {} if any(part.split == "test" for part in parts) else {"valid": "test"}
    for number, part in enumerate(parts):
        for row, label in enumerate(part.labels.tolist()):
            name = part.names[row] if part.names else f"{part.split or 'recording'}-{row:06d}"
            if name in places:
                raise InputError(f"{paths[0]}: {name} is there twice, in {part.split}; keep one of them")
            places[name] = number, row
            samples.append(Sample(name, label, 0, split=tested.get(part.split, part.split), member=name))
    return Source(
        class_names=options.classes or tuple(f"label {label}" for label in range(labels)),
        joint_names=skeleton.joint_names,
        parents=skeleton.parents,
        samples=tuple(sorted(samples, key=lambda sample: (*PARTS, "").index(sample.split))),
        read=functools.partial(_read, paths[0], parts, places, options),
        bodies=bodies,
        origin={"files": [{"file": path.name, "sha256": sha256_of_file(path)} for path in paths]},
    )


def _read(
    path: Path, parts: Sequence[Part], places: dict[str, tuple[int, int]], options: CtrgcnOptions, sample: Sample
) -> Recording:
    where = f"{path}: {sample.name}"
    number, row = places[sample.name]
    values = np.array(parts[number].values[row], dtype=np.float64)
    people, joints = _shape(parts[number].values)
    if values.ndim == 2:  # frames x (people * joints * 3)
        tracks = values.reshape(len(values), people, joints, 3).transpose(1, 0, 2, 3)
    else:  # 3 x frames x joints x people
        tracks = values.transpose(3, 1, 2, 0)
    absent = (tracks == 0).all(axis=(2, 3))
    if absent.all():
        raise BadRecording(f"{where}: no body in any of the {tracks.shape[1]} frames")
    said: Told | dict[str, Any] = {}
    if options.channels == "xyc":
        scores, least = tracks[..., 2], options.min_confidence
        plane = np.concatenate([tracks[..., :2], np.zeros_like(tracks[..., :1])], axis=-1)
        said, tracks = told(plane, scores, least), without_unsure(plane, scores, least)
    tracks = np.where(absent[:, :, None, None], np.nan, tracks)  # both programs keep a person in one place
    return Recording(sample, check_layout(chosen(tracks, options.bodies), where), where=where, **said)


def _shape(values: np.ndarray) -> tuple[int, int]:
    """People and joints of an array of recordings."""
    if values.ndim == 5:
        return values.shape[4], values.shape[3]
    return (
        (PEOPLE, values.shape[2] // (3 * PEOPLE)) if values.shape[2] % (3 * PEOPLE) == 0 else (1, values.shape[2] // 3)
    )


def _check(part: Part, path: Path) -> None:
    shape = part.values.shape
    flat = len(shape) == 3 and shape[2] and shape[2] % 3 == 0
    if part.values.dtype.kind != "f" or not (flat or (len(shape) == 5 and shape[1] == 3 and shape[3] and shape[4])):
        raise InputError(
            f"{path}: the array of {part.split or 'recordings'} has shape {shape} of {part.values.dtype}, expected "
            "recordings x frames x (people * joints * 3) or recordings x 3 x frames x joints x people"
        )
    if (
        part.labels.shape != shape[:1]
        or part.labels.dtype.kind not in "iu"
        or (len(part.labels) and part.labels.min() < 0)
    ):
        raise InputError(f"{path}: {part.split or 'it'} has {shape[0]} recordings, and not as many labels from 0 on")
    if not shape[0]:
        raise InputError(f"{path}: {part.split or 'it'} has no recordings; leave it out")
    if part.names and len(part.names) != shape[0]:
        raise InputError(f"{path}: {part.split or 'it'} has {shape[0]} recordings and {len(part.names)} names")


def _npz_parts(path: Path, limits: Limits) -> list[Part]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
            found = {
                split: (names[f"x_{key}"], names[f"y_{key}"])
                for split, key in (("train", "train"), ("valid", "val"), ("valid", "valid"), ("test", "test"))
                if f"x_{key}" in names and f"y_{key}" in names
            }
            if not found:
                raise InputError(f"{path} has no x_train and y_train, it has {', '.join(names) or 'nothing'}")
            return [
                Part(split, _member(path, archive, x, limits), _numbers(_member(path, archive, y, limits)), ())
                for split, (x, y) in found.items()
            ]
    except InputError:
        raise
    except (*DAMAGE, KeyError, EOFError) as error:
        check_readable(path)
        raise InputError(f"{path} cannot be read ({error}); export the arrays again") from error


def _member(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits) -> np.ndarray:
    """An array of an .npz: in place where it is not packed (it may be larger than memory), else unpacked."""
    if entry.compress_type != zipfile.ZIP_STORED:
        return np.load(io.BytesIO(read_member(archive, entry, limits)), allow_pickle=False)
    with path.open("rb") as stream:
        stream.seek(entry.header_offset)
        header = stream.read(LOCAL_HEADER)
        start = (
            entry.header_offset + LOCAL_HEADER + sum(int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
        )
        stream.seek(start)
        return _mapped(path, stream)


def _mapped(path: Path, stream: Any) -> np.ndarray:
    """The array whose .npy header begins here, mapped from its file."""
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("it holds objects, not numbers")
    return (
        np.memmap(path, dtype, "r", stream.tell(), shape, "F" if fortran else "C")
        if np.prod(shape)
        else np.empty(shape)
    )


def _pairs(paths: Sequence[Path], limits: Limits) -> list[Part]:
    data = [path for path in paths if path.suffix == ".npy" and "label" not in path.name]
    labels = [path for path in paths if path not in data]
    if len(data) != len(labels) or not data:
        raise InputError(
            "the reader ctrgcn needs one .npz, or for each .npy of recordings a file of labels, whose name says label; "
            f"not {', '.join(path.name for path in paths)}"
        )
    parts = []
    for path in data:
        split = _split(path)
        (one, *others) = [other for other in labels if _split(other) == split] or [path]
        if one == path or others:
            raise InputError(
                f"{path}: which of {', '.join(p.name for p in labels)} has its labels? Say train, val or test in both"
            )
        try:
            with path.open("rb") as stream:
                values = _mapped(path, stream)
            names, numbers = _labels(one, limits)
        except (*DAMAGE, TypeError, KeyError) as error:
            check_readable(path)
            raise InputError(f"{path} or {one.name} cannot be read ({error}); export them again") from error
        parts.append(Part(split, values, numbers, names))
    return parts


def _split(path: Path) -> str:
    for word, split in (("train", "train"), ("val", "valid"), ("test", "test")):
        if word in path.name.lower():
            return split
    return ""


def _labels(path: Path, limits: Limits) -> tuple[tuple[str, ...], np.ndarray]:
    with path.open("rb") as stream:
        content = read_file(stream, limits)
    if path.suffix == ".npy":
        return (), _numbers(np.load(io.BytesIO(content), allow_pickle=False))
    value = load(content, str(path))
    names, numbers = value if isinstance(value, list | tuple) and len(value) == 2 else ((), value)
    return tuple(map(str, plain(names))), _numbers(np.array(plain(numbers)))


def _numbers(labels: np.ndarray) -> np.ndarray:
    """Labels as numbers: one-hot rows say which column is hot."""
    return labels.argmax(axis=1) if labels.ndim == 2 and labels.shape[1] else labels
