import pytest

from skelnas.errors import InputError
from skelnas.images.encodings import tree_walk
from skelnas.skeletons import utd_mhad
from skelnas.skeletons.named import SKELETONS, parents_of, picked, skeleton_of
from skelnas.skeletons.ntu import names as ntu


@pytest.mark.parametrize(("name", "joints"), [
    ("kinect-v1", 20), ("kinect-v2", 25), ("ntu-25", 25), ("coco-17", 17), ("openpose-25", 25), ("mediapipe-33", 33),
])  # fmt: skip
def test_each_is_one_tree_with_two_sides(name: str, joints: int) -> None:
    skeleton = SKELETONS[name]
    assert len(skeleton.joint_names) == len(set(skeleton.joint_names)) == joints
    assert skeleton.parents.count(-1) == 1
    assert set(tree_walk(skeleton.parents)) == set(range(joints))
    mirror = skeleton.mirrored()
    assert [mirror[other] for other in mirror] == list(range(joints))
    for joint, other in enumerate(mirror):
        words = skeleton.joint_names[joint].split("_")
        assert (joint != other) == ("left" in words or "right" in words)
        parent = skeleton.parents[joint]
        assert parent < 0 or mirror[parent] == skeleton.parents[other]


def test_they_agree_with_the_readers_of_before() -> None:
    assert SKELETONS["ntu-25"].joint_names == ntu.JOINT_NAMES
    assert SKELETONS["ntu-25"].parents == ntu.PARENTS
    kinect = SKELETONS["kinect-v1"]
    assert set(kinect.joint_names) == set(utd_mhad.JOINT_NAMES)  # which has them in an order of its own
    assert kinect.joint_names[:4] == ("hip_center", "spine", "shoulder_center", "head")
    assert SKELETONS["coco-17"].joint_names[9] == "left_wrist"
    assert SKELETONS["openpose-25"].joint_names[8] == "mid_hip"
    assert SKELETONS["mediapipe-33"].joint_names[15] == "left_wrist"


def test_picked_joints_keep_their_nearest_parent() -> None:
    skeleton = SKELETONS["coco-17"]
    joints = picked(skeleton.joint_names, ["right_wrist", "nose", "6", "left_wrist"])
    assert joints == [10, 0, 6, 9]
    assert parents_of(joints, skeleton.parents) == (2, -1, 1, 1)
    for wanted, words in (
        (["tail"], "there is no joint 'tail'; there are nose"),
        (["0", "nose"], "nose is there twice"),
    ):
        with pytest.raises(InputError, match=words):
            picked(skeleton.joint_names, wanted)


def test_a_skeleton_of_another_size_is_refused_with_those_that_fit() -> None:
    with pytest.raises(InputError, match="skeleton coco-17 has 17 joints, the recordings have 25; choose kinect-v2 or"):
        skeleton_of("coco-17", 25)
    with pytest.raises(InputError, match="skeleton 'kinect' is not known; choose one of kinect-v1"):
        skeleton_of("kinect", 20)
    assert skeleton_of("", 2).joint_names == ("joint 1", "joint 2")
