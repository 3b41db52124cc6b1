"""A 20-joint stick figure that takes poses: body proportions and a pose in, joint coordinates out.

Body frame: x to the figure's right, y up, z forward; metres. The root of the tree is the hip centre; arms and legs are
two rigid bones each, placed so that wrist and ankle reach a target (the elbow and knee follow from the law of cosines).
"""

from dataclasses import dataclass, fields

import numpy as np

from skelnas.skeletons.utd_mhad import JOINT_NAMES

ANKLE_HEIGHT = 0.07
HIP_DROP = 0.05  # hip joints below the hip centre
STANDING = 0.985  # share of the leg's full length at which a person stands


@dataclass(frozen=True)
class Body:
    """Bone lengths in metres."""

    head: float = 0.20
    chest: float = 0.36  # spine joint to shoulder centre
    loin: float = 0.07  # hip centre to spine joint
    shoulder: float = 0.19  # half of the shoulders' width
    upper_arm: float = 0.28
    forearm: float = 0.25
    hand: float = 0.08
    hip: float = 0.085  # half of the hips' width
    thigh: float = 0.43
    shin: float = 0.38
    foot: float = 0.12

    def scaled(self, factors: dict[str, float], size: float) -> "Body":
        """This body `size` times as large, single bones lengthened by `factors`."""
        return Body(
            **{bone.name: getattr(self, bone.name) * size * factors.get(bone.name, 1.0) for bone in fields(self)}
        )


@dataclass(frozen=True)
class Pose:
    """How the figure stands; every array is frames x 3.

    `hips`: displacement of the hip centre from upright standing, in leg lengths. `trunk`: leaning forward, leaning
    right, turning right, in radians. `right_hand` and `left_hand`: wrist from its shoulder, in arm lengths, x counted
    away from the body's middle, turned with the trunk. `right_foot` and `left_foot`: ankle from where it stands, in leg
    lengths, x counted likewise.
    """

    hips: np.ndarray
    trunk: np.ndarray
    right_hand: np.ndarray
    left_hand: np.ndarray
    right_foot: np.ndarray
    left_foot: np.ndarray


def coordinates(body: Body, pose: Pose) -> np.ndarray:
    """Joint coordinates, float64, joints (UTD-MHAD order) x frames x 3, the floor at y = 0.

    Targets out of reach are approached as far as the bones allow.
    """
    leg = body.thigh + body.shin
    hips = np.array([0, ANKLE_HEIGHT + STANDING * leg + HIP_DROP, 0]) + pose.hips * leg
    turn = _rotations(pose.trunk)
    spine = hips + turn @ np.array([0, body.loin, 0])
    neck = spine + turn @ np.array([0, body.chest, 0])
    joints = {
        "hip_center": hips,
        "spine": spine,
        "shoulder_center": neck,
        "head": neck + turn @ np.array([0, body.head, 0.03]),
    }
    for side, sign in (("left", -1), ("right", 1)):
        shoulder = neck + turn @ np.array([sign * body.shoulder, -0.06, 0])
        reach = getattr(pose, f"{side}_hand") * (body.upper_arm + body.forearm) * np.array([sign, 1, 1])
        elbow, wrist = _two_bones(
            shoulder,
            shoulder + np.einsum("tab,tb->ta", turn, reach),
            (body.upper_arm, body.forearm),
            turn @ np.array([sign * 0.5, -1.0, -0.6]),  # elbows point down, back and a little outwards
        )
        hip = hips + np.array([sign * body.hip, -HIP_DROP, 0])  # the pelvis stays level
        stand = np.array([sign * body.hip * 1.15, ANKLE_HEIGHT, 0]) + getattr(pose, f"{side}_foot") * leg * np.array(
            [sign, 1, 1]
        )
        knee, ankle = _two_bones(hip, stand, (body.thigh, body.shin), np.array([sign * 0.15, 0.1, 1.0]))
        joints |= {
            f"{side}_shoulder": shoulder,
            f"{side}_elbow": elbow,
            f"{side}_wrist": wrist,
            f"{side}_hand": wrist + _unit(wrist - elbow) * body.hand,
            f"{side}_hip": hip,
            f"{side}_knee": knee,
            f"{side}_ankle": ankle,
            f"{side}_foot": ankle + np.array([sign * 0.03, -0.05, body.foot]),
        }
    return np.stack([joints[name] for name in JOINT_NAMES])


def _two_bones(
    start: np.ndarray, target: np.ndarray, bones: tuple[float, float], pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Middle and end joint of two bones from `start` towards `target`, the middle joint bent towards `pole`."""
    first, second = bones
    towards = target - start + [0, -1e-9, 0]  # a target in the joint itself means straight down
    direction = _unit(towards)
    distance = np.linalg.norm(towards, axis=-1, keepdims=True)
    distance = np.clip(distance, abs(first - second) + 0.01, (first + second) * 0.999)
    along = (first**2 - second**2 + distance**2) / (2 * distance)
    across = np.sqrt(np.maximum(first**2 - along**2, 0))
    bend = _unit(pole - (pole * direction).sum(axis=-1, keepdims=True) * direction)
    return start + along * direction + across * bend, start + distance * direction


def _rotations(angles: np.ndarray) -> np.ndarray:
    """Rotation matrices, frames x 3 x 3: lean forward (about x), then right (about z), then turn right (about y)."""
    (forward, right, turn), one, nil = angles.T, np.ones(len(angles)), np.zeros(len(angles))
    x = [[one, nil, nil], [nil, np.cos(forward), -np.sin(forward)], [nil, np.sin(forward), np.cos(forward)]]
    z = [[np.cos(right), np.sin(right), nil], [-np.sin(right), np.cos(right), nil], [nil, nil, one]]
    y = [[np.cos(turn), nil, np.sin(turn)], [nil, one, nil], [-np.sin(turn), nil, np.cos(turn)]]
    about_x, about_z, about_y = (np.moveaxis(np.array(matrix), 2, 0) for matrix in (x, z, y))
    return about_y @ about_z @ about_x


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
