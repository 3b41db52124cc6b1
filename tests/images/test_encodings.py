import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skelnas.errors import InputError
from skelnas.images.encodings import ENCODINGS, tree_walk
from skelnas.skeletons.recording import BadRecording

# The Kinect v2 joint tree of NTU RGB+D and the order of rows in the authors' tree structure images (49 of 25 joints).
NTU_PARENTS = (1, -1, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 7, 21, 11, 23)
NTU_WALK = [
    *(1, 20, 2, 3, 2, 20, 4, 5, 6, 7, 21, 22, 21, 7, 6, 5, 4, 20, 8, 9, 10, 11, 23, 24, 23, 11, 10, 9, 8, 20),
    *(1, 0, 12, 13, 14, 15, 14, 13, 12, 0, 16, 17, 18, 19, 18, 17, 16, 0, 1),
]
CHAIN = (-1, 0, 1)

recordings = arrays(
    np.float64, st.tuples(st.just(3), st.integers(2, 30), st.just(3)), elements=st.floats(-5, 5, width=32)
)


def moving(coordinates: np.ndarray) -> bool:
    return float(np.ptp(coordinates)) > 1e-3


@given(recordings.filter(moving))
def test_swap_axes_is_the_original_formula(coordinates: np.ndarray) -> None:
    image = ENCODINGS["swap-axes"](coordinates, ())
    low, span = coordinates.min(), (coordinates - coordinates.min()).max()
    for joint, frame, axis in np.ndindex(coordinates.shape):
        assert image[joint, frame, axis] == int((coordinates[joint, frame, axis] - low) / span * 255)
    assert image.min() == 0
    assert image.max() == 255


def test_swap_axes_truncates() -> None:
    coordinates = np.array([[[0.0, 0.999, 1.0]]])
    assert ENCODINGS["swap-axes"](coordinates, ()).tolist() == [[[0, 254, 255]]]


def test_skeleton_dml_rereads_each_row() -> None:
    coordinates = np.arange(18.0).reshape(1, 6, 3)  # frame t holds x = 3t, y = 3t + 1, z = 3t + 2
    expected = np.array([[0, 3, 6], [9, 12, 15], [1, 4, 7], [10, 13, 16], [2, 5, 8], [11, 14, 17]])
    image = ENCODINGS["skeleton-dml"](coordinates, ())
    assert image.tolist() == [(expected / 17 * 255).astype(int).tolist()]


@given(recordings.filter(moving), st.sampled_from([0.25, 2.0, 8.0]), st.integers(-64, 64))
def test_translation_and_scale_do_not_matter(coordinates: np.ndarray, scale: float, shift: int) -> None:
    coordinates = np.round(coordinates * 1024) / 1024  # so that shifting and scaling round nothing
    if not np.ptp(coordinates, axis=(0, 1)).any():
        return
    encode = ENCODINGS["translation-scale-invariant"]
    image = encode(coordinates, ())
    assert np.array_equal(image, encode((coordinates + np.array([shift, -shift, 0])) * scale, ()))
    assert image.min(axis=(0, 1)).tolist() == [0, 0, 0]


def test_the_walk_of_ntu_is_that_of_the_paper() -> None:
    assert len(NTU_WALK) == 49
    assert list(tree_walk(NTU_PARENTS)) == NTU_WALK


@given(st.lists(st.integers(0, 10**6), max_size=30), st.randoms())
def test_any_walk_goes_around_its_tree(numbers: list[int], shuffling: object) -> None:
    joints = len(numbers) + 1
    parents = [-1, *(number % (joint + 1) for joint, number in enumerate(numbers))]
    names = list(range(joints))
    shuffling.shuffle(names)  # the root may have any number
    renamed = [0] * joints
    for joint, parent in enumerate(parents):
        renamed[names[joint]] = -1 if parent < 0 else names[parent]
    walk = tree_walk(tuple(renamed))
    assert len(walk) == 2 * joints - 1
    assert set(walk) == set(range(joints))
    assert walk[0] == walk[-1] == names[0]
    assert all(renamed[a] == b or renamed[b] == a for a, b in itertools.pairwise(walk))


def test_two_bodies_are_walked_one_after_the_other() -> None:
    assert tree_walk((-1, 0, -1, 2)) == (0, 1, 0, 2, 3, 2)


def test_tree_structure_repeats_the_rows_of_swap_axes() -> None:
    coordinates = np.random.default_rng(1).normal(size=(25, 9, 3))
    image = ENCODINGS["tree-structure"](coordinates, NTU_PARENTS)
    assert image.shape == (49, 9, 3)
    assert np.array_equal(image, ENCODINGS["swap-axes"](coordinates, ())[NTU_WALK])


def test_skele_motion_measures_the_way_of_each_joint() -> None:
    coordinates = np.zeros((3, 12, 3))
    coordinates[1, :, 0] = np.arange(12) * 0.03  # 3 and 4 cm per frame: 5 cm together
    coordinates[1, :, 1] = np.arange(12) * 0.04
    coordinates[2, 11, 2] = 7  # farther than 1 m counts as 1 m
    image = ENCODINGS["skele-motion"](coordinates, CHAIN)
    assert image.shape == (5, 12, 3)
    assert image[0].max() == 0
    assert image[1, :7, 0].tolist() == [int(0.25 * 255)] * 7
    assert image[1, :2, 1].tolist() == [int(0.5 * 255)] * 2
    assert image[1, 7:, 0].max() == image[:, 2:, 1].max() == image[..., 2].max() == 0
    assert image[2, 6, 0] == 255


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_gives_an_image_of_all_frames_and_leaves_its_input_alone(name: str) -> None:
    coordinates = np.random.default_rng(2).normal(size=(25, 40, 3))
    before = coordinates.copy()
    image = ENCODINGS[name](coordinates, NTU_PARENTS)
    assert image.dtype == np.uint8
    assert image.shape[1:] == (40, 3)
    assert np.array_equal(coordinates, before)


@pytest.mark.parametrize("name", ["tree-structure", "skele-motion"])
def test_without_a_joint_tree_the_remedy_is_named(name: str) -> None:
    with pytest.raises(InputError, match=r"joint's parent.*swap-axes"):
        ENCODINGS[name](np.random.default_rng(3).normal(size=(3, 9, 3)), ())
    with pytest.raises(InputError, match="joint tree has 3 joints, the recording 4"):
        ENCODINGS[name](np.random.default_rng(3).normal(size=(4, 9, 3)), CHAIN)


@pytest.mark.parametrize(("parents", "message"), [((-1, 2, 1), "circle"), ((-1, 0, 7), "parent 7")])
def test_what_is_no_tree_is_refused(parents: tuple[int, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        tree_walk(parents)


@pytest.mark.parametrize("name", ["swap-axes", "skeleton-dml", "translation-scale-invariant"])
def test_a_recording_without_motion_is_bad(name: str) -> None:
    with pytest.raises(BadRecording, match="no motion"):
        ENCODINGS[name](np.full((3, 5, 3), 1.5), ())
