import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas.skeletons.synthetic.stick_figure import Body, Pose, coordinates
from skelnas.skeletons.utd_mhad import JOINT_NAMES, PARENTS

BODY = Body()
UPRIGHT = {
    "hips": [0, 0, 0],
    "trunk": [0, 0, 0],
    "right_hand": [0, -0.95, 0],
    "left_hand": [0, -0.95, 0],
    "right_foot": [0, 0, 0],
    "left_foot": [0, 0, 0],
}


def joints(**changes):
    """Joint coordinates of one frame by name."""
    pose = Pose(**{field: np.array([value], dtype=float) for field, value in {**UPRIGHT, **changes}.items()})
    return dict(zip(JOINT_NAMES, coordinates(BODY, pose)[:, 0], strict=True))


def test_standing_upright():
    person = joints()
    assert 1.5 < person["head"][1] < 1.8
    assert person["left_ankle"][1] == pytest.approx(0.07)
    assert person["right_shoulder"][0] == pytest.approx(BODY.shoulder)
    for joint in ("shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "foot"):
        assert person[f"left_{joint}"] * [-1, 1, 1] == pytest.approx(person[f"right_{joint}"])


def test_hands_reach_their_target():
    arm = BODY.upper_arm + BODY.forearm
    person = joints(right_hand=[0.2, 0.5, 0.3], left_hand=[0.2, 0.5, 0.3])
    assert person["right_wrist"] - person["right_shoulder"] == pytest.approx(np.array([0.2, 0.5, 0.3]) * arm)
    assert person["left_wrist"] - person["left_shoulder"] == pytest.approx(np.array([-0.2, 0.5, 0.3]) * arm)


def test_the_trunk_turns_the_way_its_angles_say():
    upright = joints()
    assert joints(trunk=[0.5, 0, 0])["head"][2] > upright["head"][2] + 0.2
    assert joints(trunk=[0, 0.5, 0])["head"][0] > upright["head"][0] + 0.2
    turned = joints(trunk=[0, 0, 0.5])
    assert turned["left_shoulder"][2] > 0.05 > -0.05 > turned["right_shoulder"][2]


def test_knees_bend_forward_in_a_squat():
    person = joints(hips=[0, -0.4, 0])
    assert person["left_knee"][2] > 0.2
    assert person["left_ankle"] == pytest.approx(joints()["left_ankle"])


@given(st.lists(st.floats(-1.5, 1.5), min_size=18, max_size=18))
def test_bones_keep_their_lengths_in_any_pose(numbers):
    person = joints(**{field: numbers[3 * place : 3 * place + 3] for place, field in enumerate(UPRIGHT)})
    lengths = {
        joint: np.linalg.norm(person[joint] - person[JOINT_NAMES[parent]])
        for joint, parent in zip(JOINT_NAMES, PARENTS, strict=True)
        if parent >= 0
    }
    for side in ("left", "right"):
        assert lengths[f"{side}_elbow"] == pytest.approx(BODY.upper_arm)
        assert lengths[f"{side}_wrist"] == pytest.approx(BODY.forearm)
        assert lengths[f"{side}_hand"] == pytest.approx(BODY.hand)
        assert lengths[f"{side}_knee"] == pytest.approx(BODY.thigh)
        assert lengths[f"{side}_ankle"] == pytest.approx(BODY.shin)
    assert lengths["shoulder_center"] == pytest.approx(BODY.chest)
    assert lengths["spine"] == pytest.approx(BODY.loin)


def test_a_body_is_scaled_bone_by_bone():
    body = BODY.scaled({"thigh": 1.1}, size=0.9)
    assert body.thigh == pytest.approx(0.43 * 1.1 * 0.9)
    assert body.shin == pytest.approx(0.38 * 0.9)
