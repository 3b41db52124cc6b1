"""Bodies that are too large, joints that jump, and sides that change places: found where planted, and only there."""

import numpy as np
import pytest

from skelnas.skeletons.named import SKELETONS
from skelnas.skeletons.plausibility import Measures, implausible, measured

KINECT = SKELETONS["kinect-v1"]
MIRRORED = KINECT.mirrored()
LEFT_WRIST, RIGHT_WRIST = (KINECT.joint_names.index(f"{side}_wrist") for side in ("left", "right"))


def walk(frames: int = 20, metres: float = 1.0) -> np.ndarray:
    """Joints x frames x 3 of somebody who walks on, the left of the body at x > 0."""
    random = np.random.default_rng(3)
    pose = random.normal(0, 0.3, (20, 1, 3)) + np.array([0, 0, 3])
    for joint, name in enumerate(KINECT.joint_names):
        pose[joint, 0, 0] = {"l": 0.4, "r": -0.4}.get(name[0], 0) if "_" in name else 0
    onward = 0.05 * np.arange(frames)[None, :, None] * np.array([0, 0, 1])
    return metres * (pose + onward + random.normal(0, 0.005, (20, frames, 3)))


def test_a_body_that_walks_is_likely_whatever_its_unit():
    one, large = measured(walk(), MIRRORED), measured(walk(metres=1000), MIRRORED)
    assert large.size == pytest.approx(1000 * one.size)
    assert large.jump == pytest.approx(one.jump)
    assert one.jump < 0.2
    assert one.exchanged == -1
    assert implausible({"a": one, "b": one}, KINECT.joint_names) == {}


def test_a_joint_that_jumps_is_named_with_its_frame():
    coordinates = walk()
    coordinates[LEFT_WRIST, 12] += [0, 2, 0]
    found = measured(coordinates, MIRRORED)
    assert (found.joint, found.frame) in ((LEFT_WRIST, 12), (LEFT_WRIST, 13))
    assert found.jump * found.size == pytest.approx(2, abs=0.1)
    assert "left_wrist jumps by" in implausible({"a": found}, KINECT.joint_names)["a"]


def test_what_is_missing_at_zero_is_no_jump():
    coordinates = walk()
    coordinates[LEFT_WRIST, 12] = 0
    coordinates[:, 15] = 0
    found = measured(coordinates, MIRRORED)
    assert found.jump < 0.2
    assert measured(np.zeros((20, 5, 3)), MIRRORED) == Measures()


def test_sides_that_change_places_are_told_with_the_first_frame():
    coordinates = walk()
    coordinates[:, 7:9] = coordinates[list(MIRRORED)][:, 7:9]
    found = measured(coordinates, MIRRORED)
    assert found.exchanged == 7
    assert implausible({"a": found}, KINECT.joint_names) == {"a": "left and right change places at frame 8"}
    assert measured(coordinates).exchanged == -1


def test_a_body_of_another_size_than_the_rest():
    usual, giant = measured(walk()), measured(walk(metres=4))
    assert implausible({"a": usual, "b": usual, "c": giant}, KINECT.joint_names) == {
        "c": "the body is 4 times as large as is usual in this set"
    }


def test_two_bodies_are_measured_each_by_itself():
    coordinates = walk()
    two = measured(np.concatenate([coordinates, coordinates + np.array([50, 0, 0])]), bodies=2)
    assert two.size == pytest.approx(measured(coordinates).size)
    alone = measured(np.concatenate([coordinates, np.zeros_like(coordinates)]), bodies=2)
    assert alone.size == pytest.approx(two.size)
