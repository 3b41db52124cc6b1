"""OpenPose: one JSON file for each frame, with the key points of everybody who was seen.

`people` lists for each person `pose_keypoints_2d`, 25 joints (BODY_25) of x, y (pixels, y down) and confidence, or
`pose_keypoints_3d` of x, y, z and confidence; what was not found is 0, 0, 0. `person_id` is -1 where nobody was
tracked. Described in OpenPose's doc/02_output.md (Cao et al. 2019, arXiv 1812.08008).
"""

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np

from skelnas.errors import InputError
from skelnas.skeletons.archive_members import Members
from skelnas.skeletons.confidence import told, without_unsure
from skelnas.skeletons.named import SKELETONS
from skelnas.skeletons.people import chosen, tracks_by_nearness, tracks_by_number
from skelnas.skeletons.readers import OpenposeOptions
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source, check_layout, natural_key
from skelnas.skeletons.table import check_files, listed, said_by, source_of
from skelnas.untrusted import parse_json

SKELETON = "openpose-25"
JOINTS = len(SKELETONS[SKELETON].joint_names)
FRAME = re.compile(r"^(?P<recording>.*?)[_/]?(?P<number>\d+)?(_keypoints)?\.json$", re.IGNORECASE)
KINDS = {"pose_keypoints_2d": 3, "pose_keypoints_3d": 4, "pose_keypoints": 3}


def open_source(files: list[Path], options: OpenposeOptions) -> Source:
    """Open [folder or zip archive of frames, table] as a `Source`; with a `pattern` there is no table.

    The files `clip_000000000000_keypoints.json` and so on are the frames of the recording `clip`; files of a folder
    that are called by their number alone are those of the recording of the folder's name.

    Raises:
        InputError: other files, a mistake in the table or the pattern.
    """
    check_files("openpose", files, options.pattern)
    members = Members(files[0], options.limits)
    recordings = frames_of(members.names)
    listing = listed(files, sorted(recordings, key=natural_key), options)
    read = functools.partial(_read, members, recordings, options)
    said = said_by(files, options.pattern)
    return source_of(members, listing, SKELETONS[SKELETON], read, options.bodies, **said)


def frames_of(names: tuple[str, ...]) -> dict[str, list[str]]:
    """The files of each recording, in the order of their frames."""
    recordings: dict[str, list[str]] = {}
    for name in names:
        if (found := FRAME.match(name)) and found["number"]:
            recordings.setdefault(found["recording"], []).append(name)
    return {name: sorted(frames, key=natural_key) for name, frames in recordings.items()}


def _read(members: Members, recordings: dict[str, list[str]], options: OpenposeOptions, sample: Sample) -> Recording:
    where = f"{members.path}: {sample.name}"
    frames, numbers = [], []
    for name in recordings[sample.name]:
        at = f"{members.path}: {name}"
        try:
            value = parse_json(members.read(name), options.limits)
        except (InputError, ValueError, RecursionError) as error:
            text = str(error)
            raise BadRecording(
                text if text.startswith(at) else f"{at} cannot be read ({text}); write it again"
            ) from error
        people = _people(value, at)
        frames.append(np.array([_body(person, at) for person in people]).reshape(-1, JOINTS, 4))
        numbers.append([_number(person.get("person_id")) for person in people])
    if not any(map(len, frames)):
        raise BadRecording(f"{where}: no body in any of the {len(frames)} frames")
    tracked = all(min(of_frame, default=0) >= 0 and len(set(of_frame)) == len(of_frame) for of_frame in numbers)
    every, least = np.concatenate(frames), options.min_confidence
    bodies = [without_unsure(frame[..., :3], frame[..., 3], least) for frame in frames]
    tracks = tracks_by_number(bodies, numbers) if tracked else tracks_by_nearness(bodies)
    said = told(every[..., :3], every[..., 3], least)
    return Recording(sample, check_layout(chosen(tracks, options.bodies), where), where=where, **said)


def _people(value: Any, at: str) -> list[dict[str, Any]]:
    people = value.get("people") if isinstance(value, dict) else None
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise BadRecording(f"{at} is no frame of OpenPose: it lists no `people`; leave the file out")
    return people


def _body(person: dict[str, Any], at: str) -> np.ndarray:
    """Joints x 4 of one person, x, y, z and confidence; not a number where a joint was not found."""
    kind = next((key for key in KINDS if person.get(key)), "")
    size = KINDS.get(kind, 3)
    try:
        values = np.array(person.get(kind, []), dtype=np.float64).reshape(JOINTS, size)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadRecording(
            f"{at}: a person has not {JOINTS} joints of {size} numbers; run OpenPose with the model BODY_25"
        ) from error
    body = np.zeros((JOINTS, 4))
    body[:, : size - 1], body[:, 3] = values[:, :-1], values[:, -1]
    body[(values == 0).all(axis=1) | ~np.isfinite(values).all(axis=1)] = np.nan
    return body


def _number(value: Any) -> int:
    """The number of a person who was tracked; -1 for anybody else."""
    found = value[0] if isinstance(value, list) and len(value) == 1 else value
    return found if isinstance(found, int) else -1
