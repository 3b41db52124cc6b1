"""What every skeleton source yields: samples (who did what) and recordings (their coordinates)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from skelnas.errors import InputError

DIGITS = re.compile(r"([0-9]+)")
FARTHEST = 1e30  # in whatever unit; squares and sums of such values are still finite in float64


@dataclass(frozen=True)
class Sample:
    """One recording's metadata: known before its coordinates are read."""

    name: str  # unique in its source; sources list samples in natural order of it
    label: int  # class, counted from 0
    subject: int
    camera: int = 0  # 0 where the source has a single one
    setup: int = 0
    trial: int = 0
    split: str = ""  # "train", "valid" or "test" where the source itself states it
    member: str = ""  # where in the source: an archive member or a file


@dataclass(frozen=True)
class Recording:
    """A sample with its motion."""

    sample: Sample
    coordinates: np.ndarray  # float64, joints x frames x 3, metres (or pixels); not finite where a joint is missing
    frames_without_body: int = 0
    where: str = ""  # what a sentence about it begins with; empty for the sample's name
    missing_joints: int = 0  # summed over the frames, as `gaps` counts them
    padding: int = 0  # empty frames at its end
    unsure_joints: int = 0  # summed over the frames and everybody who was seen: below the least confidence
    confidence: float = -1.0  # mean of all of these joints; -1 where the source gives none


class BadRecording(InputError):
    """One recording that cannot be used; the data set's policy decides between failing and excluding it."""


@dataclass(frozen=True)
class Source:
    """An opened skeleton source: its samples in natural order and the way to read any of them.

    `read` may be called from worker processes; it raises `BadRecording` for a recording that cannot be used.
    `parents` gives each joint's parent (the root's is -1); empty where the joint tree is unknown.
    `excluded` names samples left out before reading, each with its reason.
    `origin` says what was read: file names, sizes, fingerprints; it goes into the manifest.
    `bodies` is how many bodies are stacked: their joints follow each other, each body's in the same order.
    `subject_names` gives the names of subjects that have some; numbers stand for them everywhere.
    `files` are what was opened; where a reason goes into results, it names them without their folders.
    """

    class_names: tuple[str, ...]
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    samples: tuple[Sample, ...]
    read: Callable[[Sample], Recording]
    excluded: dict[str, str] = field(default_factory=dict)
    origin: dict[str, object] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    bodies: int = 1  # so many bodies lie one below the other in the coordinates
    subject_names: dict[int, str] = field(default_factory=dict)

    def without_folders(self, reason: str) -> str:
        """A reason as it goes into results, which say nothing of the machine that they were made on."""
        for file in sorted(self.files, key=lambda file: -len(str(file))):
            reason = reason.replace(str(file), file.name)
        return reason


def check_layout(coordinates: np.ndarray, where: str, joints: int | None = None) -> np.ndarray:
    """Return the coordinates as they are, or raise `BadRecording` with a sentence that begins with `where`.

    Refused: another shape than joints x frames x 3, another joint count, no joints, fewer than two frames.
    """
    if coordinates.ndim != 3 or coordinates.shape[2] != 3:
        raise BadRecording(f"{where}: coordinates have shape {coordinates.shape}, expected joints x frames x 3")
    if coordinates.shape[0] == 0:
        raise BadRecording(f"{where}: the recording has no joints")
    if joints is not None and coordinates.shape[0] != joints:
        raise BadRecording(f"{where}: {coordinates.shape[0]} joints, expected {joints}")
    if coordinates.shape[1] < 2:
        frames = "a single frame" if coordinates.shape[1] else "no frames"
        raise BadRecording(f"{where}: the recording has {frames}, so there is no motion to encode")
    return coordinates


def check_coordinates(coordinates: np.ndarray, where: str, joints: int | None = None) -> np.ndarray:
    """Return the coordinates as float64, or raise `BadRecording` with a sentence that begins with `where`.

    Refused: what `check_layout` refuses, NaN or infinity, values so large that they leave no room to compute with them,
    all values equal.
    """
    coordinates = np.asarray(check_layout(coordinates, where, joints), dtype=np.float64)
    if not np.isfinite(coordinates).all():
        joint, frame, axis = np.argwhere(~np.isfinite(coordinates))[0]
        raise BadRecording(f"{where}: joint {joint + 1} of frame {frame + 1} has no finite {'xyz'[axis]} coordinate")
    if max(-coordinates.min(), coordinates.max()) > FARTHEST:
        joint, frame, axis = place = tuple(np.argwhere(np.abs(coordinates) > FARTHEST)[0])
        raise BadRecording(
            f"{where}: joint {joint + 1} of frame {frame + 1} has {'xyz'[axis]} = {coordinates[place]:.3g}, "
            f"and no body is farther away than {FARTHEST:g}; correct the recording"
        )
    if coordinates.min() == coordinates.max():
        raise BadRecording(f"{where}: all coordinates equal {coordinates.flat[0]:g}, so there is no motion to encode")
    return coordinates


def natural_key(name: str) -> tuple[tuple[str | tuple[int, str], ...], str]:
    """Sort key that compares runs of digits as numbers, so that "a2" comes before "a10"; equal only for equal names."""
    parts = DIGITS.split(name)  # text at even places, digits at odd ones: places of two keys are always comparable
    return tuple(_number(part) if place % 2 else part for place, part in enumerate(parts)), name


def _number(digits: str) -> tuple[int, str]:
    """What sorts like the number, however many digits it has: how many there are without leading zeros, and they."""
    digits = digits.lstrip("0")
    return len(digits), digits
