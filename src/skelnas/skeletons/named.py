"""Skeletons by name: the joints of common sensors and pose estimators, in the order in which their files have them.

Each is a tree, joint by joint: its name, and its parent's (None for the root). Left and right are the person's own.

Sources: Kinect v1 `NUI_SKELETON_POSITION_INDEX` and Kinect v2 `JointType` of Microsoft's SDKs; NTU RGB+D as its authors
number the joints, which is the order of Kinect v2; COCO key points (Lin et al. 2014, arXiv 1405.0312); OpenPose's
BODY_25 (Cao et al. 2019, arXiv 1812.08008, doc/02_output.md); MediaPipe's pose landmarks (Bazarevsky et al. 2020,
arXiv 2006.10204). COCO, OpenPose and MediaPipe have no tree of their own: theirs follow the drawn limbs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from skelnas.errors import InputError

Tree = dict[str, str | None]


def _limbs(names: str, trunk: Tree) -> Tree:
    """A tree from its trunk, with each `left_x` hanging like the `right_x` that `names` describes as child<parent."""
    pairs = [pair.split("<") for pair in names.split()]
    of_side = {
        f"{side}_{child}": parent if parent in trunk else f"{side}_{parent}"
        for side in ("left", "right")
        for child, parent in pairs
    }
    return {**trunk, **of_side}


def _ordered(tree: Tree, order: str) -> Tree:
    return {name: tree[name] for name in order.split()}


KINECT_V1 = _ordered(
    _limbs(
        "shoulder<shoulder_center elbow<shoulder wrist<elbow hand<wrist hip<hip_center knee<hip ankle<knee foot<ankle",
        {"hip_center": None, "spine": "hip_center", "shoulder_center": "spine", "head": "shoulder_center"},
    ),
    "hip_center spine shoulder_center head left_shoulder left_elbow left_wrist left_hand right_shoulder right_elbow "
    "right_wrist right_hand left_hip left_knee left_ankle left_foot right_hip right_knee right_ankle right_foot",
)
KINECT_V2 = _ordered(
    _limbs(
        "shoulder<spine_shoulder elbow<shoulder wrist<elbow hand<wrist hand_tip<hand thumb<hand_tip hip<spine_base "
        "knee<hip ankle<knee foot<ankle",
        {
            "spine_mid": None,
            "spine_base": "spine_mid",
            "spine_shoulder": "spine_mid",
            "neck": "spine_shoulder",
            "head": "neck",
        },
    ),
    "spine_base spine_mid neck head left_shoulder left_elbow left_wrist left_hand right_shoulder right_elbow "
    "right_wrist right_hand left_hip left_knee left_ankle left_foot right_hip right_knee right_ankle right_foot "
    "spine_shoulder left_hand_tip left_thumb right_hand_tip right_thumb",
)
COCO_17 = _ordered(
    _limbs(
        "eye<nose ear<eye shoulder<nose elbow<shoulder wrist<elbow hip<shoulder knee<hip ankle<knee", {"nose": None}
    ),
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist "
    "right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle",
)
OPENPOSE_25 = _ordered(
    _limbs(
        "eye<nose ear<eye shoulder<neck elbow<shoulder wrist<elbow hip<mid_hip knee<hip ankle<knee heel<ankle "
        "big_toe<ankle small_toe<big_toe",
        {"mid_hip": None, "neck": "mid_hip", "nose": "neck"},
    ),
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip right_hip right_knee "
    "right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear left_big_toe left_small_toe "
    "left_heel right_big_toe right_small_toe right_heel",
)
MEDIAPIPE_33 = _ordered(
    _limbs(
        "eye_inner<nose eye<eye_inner eye_outer<eye ear<eye_outer shoulder<nose elbow<shoulder wrist<elbow pinky<wrist "
        "index<wrist thumb<wrist hip<shoulder knee<hip ankle<knee heel<ankle foot_index<heel",
        {"nose": None},
    )
    | {"mouth_left": "nose", "mouth_right": "nose"},
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer left_ear right_ear "
    "mouth_left mouth_right left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist left_pinky "
    "right_pinky left_index right_index left_thumb right_thumb left_hip right_hip left_knee right_knee left_ankle "
    "right_ankle left_heel right_heel left_foot_index right_foot_index",
)


@dataclass(frozen=True)
class Skeleton:
    """The joints of one body: names, and each one's parent (-1 for a root; empty where the tree is not known)."""

    joint_names: tuple[str, ...]
    parents: tuple[int, ...] = ()

    def mirrored(self) -> tuple[int, ...]:
        """For each joint the one on the other side; itself where it is on neither."""
        names = {name: joint for joint, name in enumerate(self.joint_names)}
        return tuple(names.get(_other_side(name), joint) for joint, name in enumerate(self.joint_names))

    def stacked(self, bodies: int) -> "Skeleton":
        """Several bodies of these joints, one below the other, each a tree of its own."""
        if bodies == 1:
            return self
        joints, beside = len(self.joint_names), range(1, bodies)
        names = (f"{ORDINALS[body]}_{name}" for body in beside for name in self.joint_names)
        shifted = (p + body * joints if p >= 0 else -1 for body in beside for p in self.parents)
        return Skeleton((*self.joint_names, *names), (*self.parents, *shifted))


def _skeleton(tree: Tree) -> Skeleton:
    names = tuple(tree)
    return Skeleton(names, tuple(-1 if parent is None else names.index(parent) for parent in tree.values()))


ORDINALS = ("first", "second", "third", "fourth")
SKELETONS = {
    "kinect-v1": _skeleton(KINECT_V1),
    "kinect-v2": _skeleton(KINECT_V2),
    "ntu-25": _skeleton(KINECT_V2),
    "coco-17": _skeleton(COCO_17),
    "openpose-25": _skeleton(OPENPOSE_25),
    "mediapipe-33": _skeleton(MEDIAPIPE_33),
}


def skeleton_of(name: str, joints: int) -> Skeleton:
    """The skeleton of that name, which must have so many joints (0: any); nameless joints where the name is empty.

    Raises:
        InputError: no such skeleton, or it has another number of joints.
    """
    if not name:
        return Skeleton(tuple(f"joint {number}" for number in range(1, joints + 1)))
    if name not in SKELETONS:
        raise InputError(f"skeleton {name!r} is not known; choose one of {', '.join(SKELETONS)}")
    found = SKELETONS[name]
    if joints and len(found.joint_names) != joints:
        fit = [other for other, one in SKELETONS.items() if len(one.joint_names) == joints]
        remedy = f"choose {' or '.join(fit)}" if fit else "leave `skeleton` out"
        raise InputError(f"skeleton {name} has {len(found.joint_names)} joints, the recordings have {joints}; {remedy}")
    return found


def picked(joint_names: Sequence[str], wanted: Sequence[str | int]) -> list[int]:
    """The numbers of the wanted joints, in the order wanted: by name, or counted from 0.

    Raises:
        InputError: a joint that is not there, or that is named twice.
    """
    places = {name: joint for joint, name in enumerate(joint_names)}
    found = []
    for one in wanted:
        joint = int(one) if str(one).isdigit() else places.get(str(one), -1)
        if not 0 <= joint < len(joint_names):
            raise InputError(f"joints: there is no joint {one!r}; there are {', '.join(joint_names)}")
        if joint in found:
            raise InputError(f"joints: {joint_names[joint]} is there twice; name it once")
        found.append(joint)
    return found


def parents_of(picked_joints: Sequence[int], parents: Sequence[int]) -> tuple[int, ...]:
    """The parents of picked joints among them: the nearest joint on the way to the root that was picked as well.

    Joints without any are roots: there are several where the root itself was not picked.
    """
    if not parents:
        return ()
    places = {joint: place for place, joint in enumerate(picked_joints)}
    found = []
    for joint in picked_joints:
        above = parents[joint]
        while above >= 0 and above not in places:
            above = parents[above]
        found.append(places.get(above, -1))
    return tuple(found)


def _other_side(name: str) -> str:
    for side, other in (("left", "right"), ("right", "left")):
        if side in name.split("_"):
            return "_".join(other if word == side else word for word in name.split("_"))
    return name
