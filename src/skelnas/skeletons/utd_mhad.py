"""UTD-MHAD skeletons: 27 actions of 8 subjects, 20 Kinect v1 joints, 30 frames per second, in `Skeleton.zip`.

Chen, Jafari, Kehtarnavaz: UTD-MHAD: a multimodal dataset for human action recognition utilizing a depth camera and a
wearable inertial sensor, ICIP 2015. Each member `a<action>_s<subject>_t<trial>_skeleton.mat` is a MATLAB 5 file whose
variable `d_skel` is joints x 3 x frames, in metres, x to the subject's right, y up, z away from the camera.
"""

import functools
import itertools
import re
from pathlib import Path

import numpy as np

from skelnas.errors import InputError
from skelnas.skeletons.archive_members import Members, base_name
from skelnas.skeletons.matlab import MatlabError, read_variables
from skelnas.skeletons.readers import ArchiveOptions
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source, check_layout, natural_key

CLASS_NAMES = (
    "swipe left",
    "swipe right",
    "wave",
    "clap",
    "throw",
    "cross arms",
    "basketball shoot",
    "draw x",
    "draw circle (clockwise)",
    "draw circle (counter-clockwise)",
    "draw triangle",
    "bowling",
    "boxing",
    "baseball swing",
    "tennis swing",
    "arm curl",
    "tennis serve",
    "push",
    "knock",
    "catch",
    "pick up and throw",
    "jog",
    "walk",
    "sit to stand",
    "stand to sit",
    "lunge",
    "squat",
)

# The Kinect v1 joint tree, in the order of the archive's Skeleton_joint_order.txt: each joint and its parent.
JOINT_TREE = {
    "head": "shoulder_center",
    "shoulder_center": "spine",
    "spine": "hip_center",
    "hip_center": None,
    "left_shoulder": "shoulder_center",
    "left_elbow": "left_shoulder",
    "left_wrist": "left_elbow",
    "left_hand": "left_wrist",
    "right_shoulder": "shoulder_center",
    "right_elbow": "right_shoulder",
    "right_wrist": "right_elbow",
    "right_hand": "right_wrist",
    "left_hip": "hip_center",
    "left_knee": "left_hip",
    "left_ankle": "left_knee",
    "left_foot": "left_ankle",
    "right_hip": "hip_center",
    "right_knee": "right_hip",
    "right_ankle": "right_knee",
    "right_foot": "right_ankle",
}
JOINT_NAMES = tuple(JOINT_TREE)
PARENTS = tuple(JOINT_NAMES.index(parent) if parent else -1 for parent in JOINT_TREE.values())

RECORDING = re.compile(r"a([1-9]\d{0,3})_s([1-8])_t([1-4])_skeleton\.mat", re.ASCII)
JOINT_ORDER = "Skeleton_joint_order.txt"
CLASS_LIST = (
    "class_names.txt"  # not in UTD-MHAD: an archive of the same form with actions of its own, one name per line
)


def open_source(files: list[Path], options: ArchiveOptions) -> Source:
    """Open `Skeleton.zip`, or a folder of its members, as a `Source` of 20-joint recordings.

    An archive with fewer recordings is accepted. Where the options state its `content`, the archive's
    fingerprint (`Members.content_fingerprint`, which does not depend on packing) must equal it.

    Raises:
        InputError: not exactly one file; an unsafe or damaged archive; a member that is not of this data set; other
            contents than `content`.
    """
    if len(files) != 1:
        raise InputError(f"a UTD-MHAD data set is one archive, Skeleton.zip, and {len(files)} files were given")
    members = Members(files[0], options.limits)
    fingerprint = members.check_content(options.content)
    special = {base_name(name): name for name in members.names if base_name(name) in (JOINT_ORDER, CLASS_LIST)}
    if JOINT_ORDER in special:
        _check_joint_order(members, special[JOINT_ORDER])
    class_names = _class_names(members, special[CLASS_LIST]) if CLASS_LIST in special else CLASS_NAMES
    recordings = (name for name in members.names if name not in special.values())
    samples = sorted((_sample(members, name, class_names) for name in recordings), key=lambda s: natural_key(s.name))
    if not samples:
        raise InputError(f"{members.path} holds no recordings a<action>_s<subject>_t<trial>_skeleton.mat")
    for sample, following in itertools.pairwise(samples):
        if sample.name == following.name:
            raise InputError(
                f"{members.path}: {sample.member} and {following.member} are the same recording; keep one of them"
            )
    return Source(
        class_names=class_names,
        joint_names=JOINT_NAMES,
        parents=PARENTS,
        samples=tuple(samples),
        read=functools.partial(_read, members),
        origin={
            "file": members.path.name,
            "bytes": members.size(),
            "content": fingerprint,
            "recordings": len(samples),
        },
    )


def _sample(members: Members, name: str, class_names: tuple[str, ...]) -> Sample:
    match = RECORDING.fullmatch(base_name(name))
    if match is None:
        raise InputError(
            f"{members.path}: member {name} is no a<action>_s<subject 1-8>_t<trial 1-4>_skeleton.mat; remove it"
        )
    action, subject, trial = (int(number) for number in match.groups())
    if action > len(class_names):
        raise InputError(
            f"{members.path}: member {name} is of action {action}, and there are {len(class_names)}; remove it"
        )
    return Sample(base_name(name).removesuffix("_skeleton.mat"), action - 1, subject, trial=trial, member=name)


def _read(members: Members, sample: Sample) -> Recording:
    where = f"{members.path}: {sample.member}"
    try:
        variables = read_variables(members.read(sample.member), members.limits.member_bytes)
    except InputError as error:
        raise BadRecording(str(error)) from error
    except MatlabError as error:
        raise BadRecording(f"{where} is no readable MATLAB 5 file ({error}); download the archive again") from error
    skeleton = variables.get("d_skel")
    if not isinstance(skeleton, np.ndarray):
        raise BadRecording(f"{where} has no numeric variable d_skel; take the file from the original archive")
    skeleton = np.atleast_3d(skeleton)  # MATLAB drops the third axis of a single frame
    if skeleton.ndim != 3 or skeleton.shape[1] != 3:
        raise BadRecording(f"{where}: d_skel has shape {skeleton.shape}, expected joints x 3 x frames")
    coordinates = np.ascontiguousarray(skeleton.transpose(0, 2, 1))
    return Recording(sample, check_layout(coordinates, where, len(JOINT_NAMES)), where=where)


def _check_joint_order(members: Members, name: str) -> None:
    """Refuse an archive that states another order of joints: images and the joint tree would be wrong silently."""
    text = members.read(name).decode("utf-8", errors="replace")
    stated = tuple(re.findall(r"^\s*\d+\.\s*(\w+)", text, flags=re.MULTILINE))
    if stated != JOINT_NAMES:
        raise InputError(
            f"{members.path}: {name} states another order of joints than UTD-MHAD's; reorder the recordings"
        )


def _class_names(members: Members, name: str) -> tuple[str, ...]:
    names = tuple(line.strip() for line in members.read(name).decode("utf-8", errors="replace").splitlines())
    if not names or "" in names or len(set(names)) < len(names):
        raise InputError(f"{members.path}: {name} must list each class name once, one per line")
    return names
