"""The twelve actions of the synthetic data set, as key poses of the stick figure."""

from dataclasses import dataclass

import numpy as np

KeyPose = dict[str, tuple[float, float, float]]  # fields of Pose that differ from REST
REST: KeyPose = {
    "hips": (0, 0, 0),
    "trunk": (0.03, 0, 0),
    "right_hand": (0.15, -0.96, 0.1),
    "left_hand": (0.15, -0.96, 0.1),
    "right_foot": (0, 0, 0),
    "left_foot": (0, 0, 0),
}


@dataclass(frozen=True)
class Action:
    """Key poses that are gone through `repeats` times (least, most), `seconds` from one to the next."""

    name: str
    poses: tuple[KeyPose, ...]
    repeats: tuple[int, int]
    seconds: float


BENT: KeyPose = {
    "hips": (0, -0.02, -0.14),
    "trunk": (1.15, 0, 0),
    "right_hand": (0.1, -0.75, 0.6),
    "left_hand": (0.1, -0.75, 0.6),
}
CIRCLE = tuple(
    {"right_hand": (-0.15 + 0.42 * np.sin(angle), 0.1 + 0.42 * np.cos(angle), 0.75)}
    for angle in np.arange(8) * np.pi / 4
)
ACTIONS = (
    Action("wave", ({"right_hand": (0.62, 0.62, 0.2)}, {"right_hand": (0.0, 0.8, 0.3)}), (2, 4), 0.24),
    Action(
        "clap",
        (
            {"right_hand": (0.3, -0.1, 0.7), "left_hand": (0.3, -0.1, 0.7)},
            {"right_hand": (-0.33, -0.1, 0.7), "left_hand": (-0.33, -0.1, 0.7)},
        ),
        (2, 4),
        0.23,
    ),
    Action(
        "punch",
        (
            {"right_hand": (-0.2, 0.05, 0.96), "left_hand": (-0.1, -0.15, 0.4), "trunk": (0.1, 0, -0.35)},
            {"right_hand": (-0.1, -0.15, 0.4), "left_hand": (-0.2, 0.05, 0.96), "trunk": (0.1, 0, 0.35)},
        ),
        (2, 3),
        0.24,
    ),
    Action(
        "throw",
        (
            {"right_hand": (0.4, 0.45, -0.4), "trunk": (-0.1, 0.1, 0.45), "left_foot": (0, 0, 0.15)},
            {"right_hand": (0.1, 0.7, 0.6), "trunk": (0.15, 0, -0.2), "left_foot": (0, 0, 0.15)},
            {"right_hand": (-0.35, -0.5, 0.65), "trunk": (0.35, -0.1, -0.45), "left_foot": (0, 0, 0.15)},
        ),
        (1, 1),
        0.31,
    ),
    Action("draw circle", CIRCLE, (1, 2), 0.12),
    Action(
        "push",
        (
            {"right_hand": (-0.05, -0.15, 0.35), "left_hand": (-0.05, -0.15, 0.35)},
            {"right_hand": (-0.1, 0.02, 0.96), "left_hand": (-0.1, 0.02, 0.96), "trunk": (0.12, 0, 0)},
        ),
        (1, 3),
        0.31,
    ),
    Action(
        "raise arms",
        (
            {"right_hand": (0.95, 0.05, 0.1), "left_hand": (0.95, 0.05, 0.1)},
            {"right_hand": (0.1, 0.97, 0.05), "left_hand": (0.1, 0.97, 0.05)},
            {"right_hand": (0.95, 0.05, 0.1), "left_hand": (0.95, 0.05, 0.1)},
        ),
        (1, 2),
        0.31,
    ),
    Action(
        "kick",
        (
            {"right_foot": (0, 0.12, -0.35), "hips": (-0.06, 0, 0), "left_hand": (0.4, -0.8, 0.3)},
            {
                "right_foot": (0, 0.4, 0.75),
                "hips": (-0.06, 0, 0),
                "trunk": (-0.15, 0, 0),
                "left_hand": (0.4, -0.7, 0.5),
            },
        ),
        (1, 2),
        0.31,
    ),
    Action(
        "squat",
        (
            {
                "hips": (0, -0.42, -0.15),
                "trunk": (0.55, 0, 0),
                "right_hand": (0, 0.3, 0.9),
                "left_hand": (0, 0.3, 0.9),
            },
            {},
        ),
        (1, 2),
        0.5,
    ),
    Action(
        "jump",
        (
            {
                "hips": (0, -0.2, -0.08),
                "trunk": (0.35, 0, 0),
                "right_hand": (0.2, -0.8, -0.4),
                "left_hand": (0.2, -0.8, -0.4),
            },
            {
                "hips": (0, 0.28, 0),
                "right_foot": (0, 0.25, 0),
                "left_foot": (0, 0.25, 0),
                "right_hand": (0.1, 0.75, 0.5),
                "left_hand": (0.1, 0.75, 0.5),
            },
            {"hips": (0, -0.12, -0.05), "trunk": (0.2, 0, 0)},
        ),
        (1, 2),
        0.27,
    ),
    Action(
        "walk",
        (
            {"right_foot": (0, 0.3, 0.22), "left_hand": (0.1, -0.8, 0.45), "right_hand": (0.1, -0.85, -0.3)},
            {"left_foot": (0, 0.3, 0.22), "right_hand": (0.1, -0.8, 0.45), "left_hand": (0.1, -0.85, -0.3)},
        ),
        (2, 3),
        0.33,
    ),
    Action(
        "bow",
        (BENT, BENT),
        (1, 1),
        0.55,
    ),
)
