"""The synthetic data set: stick figures perform twelve actions, in an archive of the same form as UTD-MHAD's.

It exists so that the whole study can be run and tested without any download. Like the real set it has 8 subjects, 4
trials, 30 frames per second and Kinect v1 joints; subjects differ in build, tempo, reach and handedness, trials in
position, heading, repetitions and timing, and every coordinate carries sensor noise. It says nothing about people.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import scipy.io
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from skelnas.files import whole_file
from skelnas.skeletons.synthetic.actions import ACTIONS, REST, Action
from skelnas.skeletons.synthetic.stick_figure import Body, Pose, coordinates
from skelnas.skeletons.utd_mhad import CLASS_LIST, JOINT_NAMES, JOINT_ORDER, open_source

__all__ = ["open_source", "recording", "write_archive"]

SUBJECTS, TRIALS = 8, 4
FRAMES_PER_SECOND = 30
LEFT_HANDED = (3, 6)
SENSOR_HEIGHT = 1.05  # metres above the floor
SENSOR_NOISE = 0.007  # metres, standard deviation, new in every frame
TRACKING_DRIFT = 0.012  # metres, standard deviation, slowly varying
HEADING = 0.35  # radians, standard deviation of how far people stand turned away from the sensor
POSE_NOISE = 0.15  # arm or leg lengths and radians, standard deviation of how exactly key poses are taken
SEED = 20_200_101
MAT_HEADER = b"MATLAB 5.0 MAT-file, synthetic recording of a stick figure".ljust(116)  # scipy writes the date here


def write_archive(path: Path | str, ready: Callable[[Path], object] | None = None) -> None:
    """Write the data set's 384 recordings as a zip archive of about 7 MB, the same bytes every time.

    `ready` is called with the whole file before it gets its name.

    Raises:
        InputError: the disk refuses the file.
    """
    members = {
        JOINT_ORDER: "".join(f"{place}. {joint};\n" for place, joint in enumerate(JOINT_NAMES, start=1)).encode(),
        CLASS_LIST: "".join(f"{action.name}\n" for action in ACTIONS).encode(),
    }
    for action in range(len(ACTIONS)):
        for subject in range(1, SUBJECTS + 1):
            for trial in range(1, TRIALS + 1):
                skeleton = recording(action, subject, trial).transpose(0, 2, 1).astype(np.float32)
                stream = io.BytesIO()
                scipy.io.savemat(stream, {"d_skel": skeleton})
                members[f"a{action + 1}_s{subject}_t{trial}_skeleton.mat"] = MAT_HEADER + stream.getvalue()[116:]
    # Stored, not deflated: compressed bytes would depend on the version of zlib.
    with whole_file(path, verify=ready) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, contents in members.items():
            archive.writestr(zipfile.ZipInfo(f"Skeleton/{name}", date_time=(1980, 1, 1, 0, 0, 0)), contents)


def recording(action: int, subject: int, trial: int) -> np.ndarray:
    """Coordinates of one performance, float64, joints x frames x 3, in the sensor's frame (as in UTD-MHAD), metres.

    `action` counts from 0, `subject` and `trial` from 1. A pure function: the same arguments give the same values.
    """
    # RandomState: numpy promises its streams for ever, those of the newer generators may change with a version.
    person = np.random.RandomState([SEED, subject])
    here = np.random.RandomState([SEED, subject, trial, action])
    body = Body().scaled(
        {bone.name: person.uniform(0.92, 1.08) for bone in fields(Body)}, size=person.uniform(0.86, 1.12)
    )
    reach, tempo, lean = person.uniform(0.8, 1.1), person.uniform(0.8, 1.25), person.uniform(-0.05, 0.1)
    pose = _performance(ACTIONS[action], here, reach * here.uniform(0.92, 1.08), tempo * here.uniform(0.85, 1.15), lean)
    points = coordinates(body, _mirrored(pose) if subject in LEFT_HANDED else pose)

    heading = here.normal(0, HEADING)
    right, up, forward = np.moveaxis(points, 2, 0)
    place = here.uniform([-0.3, -0.05, 2.4], [0.3, 0.05, 3.2])
    sensor = np.stack(
        [
            right * np.cos(heading) + forward * np.sin(heading),
            up - SENSOR_HEIGHT,
            right * np.sin(heading) - forward * np.cos(heading),  # the figure faces the sensor
        ],
        axis=2,
    )
    noise = SENSOR_NOISE * here.normal(size=points.shape)
    drift = gaussian_filter1d(here.normal(size=points.shape), sigma=6, axis=1, mode="nearest")
    noisy = sensor + place + noise + TRACKING_DRIFT / drift.std() * drift
    return noisy.round(5)  # 0.01 mm: hides the last bits, in which processors differ


def _performance(action: Action, random: np.random.RandomState, reach: float, tempo: float, lean: float) -> Pose:
    """The poses of one performance, frame by frame: rest, the key poses repeated, rest."""
    repeats = random.randint(action.repeats[0], action.repeats[1] + 1)
    keys = [REST, REST, *(action.poses * repeats), REST, REST]
    spans = action.seconds * random.uniform(0.8, 1.2, size=len(keys) - 1) / tempo
    spans[[0, -1]] = random.uniform(0.1, 0.4, size=2)  # standing still before and after
    spans[[1, -2]] = np.maximum(spans[[1, -2]], 0.33 / tempo)  # raising and lowering the arms is not abrupt
    times = np.concatenate([[0], np.cumsum(spans)])
    frames = np.arange(0, times[-1], 1 / FRAMES_PER_SECOND)
    tracks = {}
    for field in fields(Pose):
        rest = np.array(REST[field.name], dtype=float)
        track = np.array([key.get(field.name, rest) for key in keys])
        moved = (track != rest).any(axis=1, keepdims=True)
        track = rest + reach * (track - rest) + moved * random.normal(0, POSE_NOISE, size=track.shape)
        tracks[field.name] = PchipInterpolator(times, track)(frames)
    tracks["trunk"] = tracks["trunk"] + [lean, 0, 0]
    return Pose(**tracks)


def _mirrored(pose: Pose) -> Pose:
    """The same performance by a left-handed person."""
    return Pose(
        hips=pose.hips * [-1, 1, 1],
        trunk=pose.trunk * [1, -1, -1],
        right_hand=pose.left_hand,
        left_hand=pose.right_hand,
        right_foot=pose.left_foot,
        left_foot=pose.right_foot,
    )
