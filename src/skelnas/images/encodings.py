"""Encodings: one recording's coordinates become one image.

An encoding is a pure function of the coordinates (float64, joints x frames x 3, metres) and of each joint's parent (-1
for a root, empty where the tree is unknown). It gives a uint8 image, rows x frames x 3. Values are truncated to whole
grey levels, as the original study did, not rounded.
"""

from collections.abc import Callable

import numpy as np

from skelnas.errors import InputError
from skelnas.skeletons.recording import BadRecording

Encoding = Callable[[np.ndarray, tuple[int, ...]], np.ndarray]

MOTION_FRAMES = (5, 10, 15)  # SkeleMotion's temporal scales, one per channel


def swap_axes(coordinates: np.ndarray, parents: tuple[int, ...] = ()) -> np.ndarray:
    """Joints as rows, frames as columns, x, y, z as red, green, blue; joints x frames x 3.

    One minimum and one maximum over all joints, frames and axes of the recording become 0 and 255. This is the image of
    the original study (SL-DML, Memmesheimer et al. 2021, arXiv 2004.11085).
    """
    return _grey_levels(coordinates)


def skeleton_dml(coordinates: np.ndarray, parents: tuple[int, ...] = ()) -> np.ndarray:
    """Each joint's row holds all its x, then all y, then all z, three samples per pixel; joints x frames x 3.

    The left third of the image is x, the middle y, the right z, at a third of the frame rate; scaled as `swap_axes`
    (Skeleton-DML, Memmesheimer et al. 2022, arXiv 2012.13823).
    """
    joints, frames, _ = coordinates.shape
    return _grey_levels(coordinates.transpose(0, 2, 1).reshape(joints, frames, 3))


def translation_scale_invariant(coordinates: np.ndarray, parents: tuple[int, ...] = ()) -> np.ndarray:
    """As `swap_axes`, but each axis starts at its own minimum and all share the widest range; joints x frames x 3.

    Moving or scaling the whole recording does not change the image, and its aspect is kept (Li et al. 2017,
    arXiv 1704.05645).
    """
    return _grey_levels(coordinates - coordinates.min(axis=(0, 1)))


def tree_structure(coordinates: np.ndarray, parents: tuple[int, ...]) -> np.ndarray:
    """As `swap_axes`, but the rows follow a walk around the joint tree, so that neighbours are neighbouring joints.

    The order is that of `tree_walk`: 2 joints - 1 rows x frames x 3 for a joint tree with one root (tree structure
    skeleton image, Yang et al. 2018, arXiv 1801.10304).

    Raises:
        InputError: the joint tree is unknown or is no tree.
    """
    return swap_axes(coordinates)[_rows(coordinates, parents)]


def skele_motion(coordinates: np.ndarray, parents: tuple[int, ...]) -> np.ndarray:
    """How far each joint moves in the next 5, 10 and 15 frames (the three channels), up to 1 m; rows along the tree.

    2 joints - 1 rows x frames x 3; black where the later frame lies behind the end (magnitude image of SkeleMotion,
    Caetano et al. 2019, arXiv 1907.13025).

    Raises:
        InputError: the joint tree is unknown or is no tree.
    """
    distances = np.zeros(coordinates.shape)
    for channel, later in enumerate(MOTION_FRAMES):
        moved = coordinates[:, later:] - coordinates[:, :-later]
        distances[:, : moved.shape[1], channel] = np.sqrt((moved**2).sum(axis=2))
    return (np.minimum(distances, 1) * 255).astype(np.uint8)[_rows(coordinates, parents)]


ENCODINGS: dict[str, Encoding] = {
    "swap-axes": swap_axes,
    "skeleton-dml": skeleton_dml,
    "translation-scale-invariant": translation_scale_invariant,
    "tree-structure": tree_structure,
    "skele-motion": skele_motion,
}


def tree_walk(parents: tuple[int, ...]) -> tuple[int, ...]:
    """The joints met on a depth-first walk around the joint tree, from the root and back, each step to a neighbour.

    Of several children the one comes first whose branch ends in the lowest joint number (for NTU RGB+D: head, left arm,
    right arm, left leg, right leg). Several roots (two bodies) are walked one after the other.

    Raises:
        InputError: there is no joint tree, or `parents` does not describe one.
    """
    if not parents:
        raise InputError(
            "this encoding needs to know each joint's parent, which the source does not tell;"
            " state the joint tree or choose the encoding swap-axes"
        )
    children: dict[int, list[int]] = {joint: [] for joint in range(-1, len(parents))}
    for joint, parent in enumerate(parents):
        if parent not in children:
            raise InputError(f"joint {joint} has the parent {parent}, which is not one of the {len(parents)} joints")
        children[parent].append(joint)

    def branch(joint: int) -> tuple[int, list[int]]:
        """The lowest end joint of the branch from `joint`, and the walk around it."""
        branches = sorted(branch(child) for child in children[joint])
        walk = [joint]
        for _, steps in branches:
            walk += [*steps, joint]
        return (branches[0][0] if branches else joint), walk

    order = [joint for root in children[-1] for joint in branch(root)[1]]
    if len(set(order)) < len(parents):
        raise InputError("some joints hang on no root: the joints' parents form a circle; correct the joint tree")
    return tuple(order)


def _rows(coordinates: np.ndarray, parents: tuple[int, ...]) -> list[int]:
    if parents and len(parents) != len(coordinates):
        raise InputError(f"the joint tree has {len(parents)} joints, the recording {len(coordinates)}; make them agree")
    return list(tree_walk(parents))


def _grey_levels(values: np.ndarray) -> np.ndarray:
    """Scale linearly so that the smallest value becomes 0 and the largest 255, and cut off what follows the point."""
    values = values - values.min()
    largest = values.max()
    if largest == 0:
        raise BadRecording("all values to be drawn are equal, so there is no motion to encode")
    return (values / largest * 255).astype(np.uint8)
