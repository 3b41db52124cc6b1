"""Small data sets in the formats that people have: two actions of four people, some of them lost for a while."""

import json
import pickle
from pathlib import Path

import numpy as np

LABELS = ("wave", "bow")


def motion(label: int, subject: int, joints: int = 25, frames: int = 12, dimensions: int = 3) -> np.ndarray:
    """Frames x joints x dimensions of somebody who waves or bows; never at zero."""
    random = np.random.default_rng([label, subject])
    pose = 2 + np.tile(random.random((1, joints, dimensions)), (frames, 1, 1))
    pose[:, label, label] += np.sin(np.linspace(0, np.pi, frames))
    return pose + random.normal(0, 0.001, pose.shape)


def pyskl_annotations(dimensions: int = 2, joints: int = 17, people: int = 1) -> list[dict]:
    """Two actions of four people; in the plane with confidence."""
    annotations = []
    for label in range(2):
        for subject in range(1, 5):
            pose = motion(label, subject, joints, dimensions=dimensions).astype(np.float32)
            keypoint = np.stack([pose, *[pose[:1] + 50 * np.ones_like(pose)] * (people - 1)])
            one = {
                "frame_dir": f"S001C001P{subject:03d}R001A{label + 1:03d}",
                "label": label,
                "total_frames": len(pose),
                "img_shape": (1080, 1920),
                "keypoint": keypoint,
            }
            annotations.append(one if dimensions == 3 else {**one, "keypoint_score": np.full(keypoint.shape[:3], 0.9)})
    return annotations


def write_pyskl(path: Path, annotations: list[dict] | None = None, protocol: int = 4) -> Path:
    """Subjects 1 to 3 train, 4 is the val of two protocols."""
    annotations = pyskl_annotations() if annotations is None else annotations
    names = [one["frame_dir"] for one in annotations]
    tests = [name for name in names if "P004" in name]
    split = {"xsub_train": [name for name in names if name not in tests], "xsub_val": tests}
    path.write_bytes(pickle.dumps({"split": split, "annotations": annotations}, protocol))
    return path


def write_ctrgcn(path: Path, people: int = 1, frames: int = 60) -> Path:
    """CTR-GCN's .npz: 25 joints of two people, padded to a length of their own."""
    arrays: dict[str, np.ndarray] = {}
    for split, subjects in (("train", (1, 2, 3)), ("test", (4,))):
        x = np.zeros((2 * len(subjects), frames, 2, 25, 3), dtype=np.float32)
        for row, (label, subject) in enumerate((label, subject) for label in range(2) for subject in subjects):
            pose = motion(label, subject)
            for person in range(people):
                x[row, : len(pose), person] = pose if not person else pose[:1] + 1
        arrays[f"x_{split}"] = x.reshape(len(x), frames, -1)
        arrays[f"y_{split}"] = np.eye(2)[np.repeat([0, 1], len(subjects))]
    np.savez(path, **arrays)
    return path


def write_openpose(folder: Path, people: int = 1, lost: bool = False) -> Path:
    """A folder of frames for each recording, `wave_P1/000000000000_keypoints.json` and so on."""
    for label, name in enumerate(LABELS):
        for subject in range(1, 5):
            clip = folder / f"{name}_P{subject}"
            clip.mkdir(parents=True)
            pose = 100 * motion(label, subject, dimensions=2)
            for frame, body in enumerate(pose):
                bodies = [
                    np.concatenate([body + 300 * person, np.full((25, 1), 0.8)], axis=1) for person in range(people)
                ]
                if lost and frame == 5:
                    bodies[0][3] = 0
                listed = [{"person_id": [-1], "pose_keypoints_2d": body.ravel().tolist()} for body in bodies]
                if frame % 2:
                    listed.reverse()  # who comes first changes from frame to frame
                if lost and frame == 7:
                    listed = []
                (clip / f"{frame:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": listed}))
    return folder


def write_mediapipe(folder: Path) -> Path:
    """The 33 landmarks in long form; in frame 4 the wrist is hardly visible."""
    folder.mkdir(parents=True)
    for label, name in enumerate(LABELS):
        for subject in range(1, 5):
            lines = ["frame,landmark,x,y,z,visibility"]
            for frame, body in enumerate(motion(label, subject, 33)):
                for joint, (x, y, z) in enumerate(body):
                    lines.append(
                        f"{frame},{joint},{x:.5f},{y:.5f},{z:.5f},{0.05 if (frame, joint) == (4, 15) else 0.9}"
                    )
            (folder / f"{name}_P{subject}.csv").write_text("\n".join(lines))
    return folder


def write_kinect_v2(folder: Path) -> Path:
    """A time stamp and 75 columns, without a heading."""
    folder.mkdir(parents=True)
    for label, name in enumerate(LABELS):
        for subject in range(1, 5):
            pose = motion(label, subject)
            lines = [
                f"2024-05-0{subject} 10:00:{frame:02d}.033," + ",".join(f"{value:.5f}" for value in body.ravel())
                for frame, body in enumerate(pose)
            ]
            (folder / f"{name}_P{subject}.csv").write_text("\n".join(lines))
    return folder
