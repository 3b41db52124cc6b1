"""Missing joints and empty frames: what is found in recordings made by hand, and what each policy makes of it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas.skeletons.gaps import gaps_of, treated
from skelnas.skeletons.readers import MENDED, READERS, GapOptions
from skelnas.skeletons.recording import BadRecording, Recording, Sample

SAMPLE = Sample("clip", 0, 1)


def line(joints: int = 3, frames: int = 8, planar: bool = False) -> np.ndarray:
    """Joint j of frame f at (1 + 10 j + f, 1, 2 + j): all on straight lines, so that interpolation finds them again."""
    coordinates = np.ones((joints, frames, 3)) * [1.0, 1.0, 0.0 if planar else 2.0]
    coordinates[:, :, 0] = 1 + 10 * np.arange(joints)[:, None] + np.arange(frames)
    coordinates[:, :, 2] += 0 if planar else np.arange(joints)[:, None]
    return coordinates


def treat(coordinates: np.ndarray, bodies: int = 1, **policy: Any) -> Recording:
    return treated(Recording(SAMPLE, coordinates), GapOptions(**policy), bodies, ("hip", "hand", "foot") * bodies)


def test_the_originals_recordings_stay_as_they_are() -> None:
    coordinates = line()
    coordinates[:, [0, 3, 7]] = 0  # nobody was seen
    coordinates[1, 4] = 0
    recording = treat(coordinates)
    assert np.array_equal(recording.coordinates, coordinates)
    assert (recording.frames_without_body, recording.missing_joints, recording.padding) == (3, 1, 1)
    assert READERS["ntu"].gaps == READERS["utd_mhad"].gaps == READERS["synthetic"].gaps == GapOptions()


@pytest.mark.parametrize("mark", [0.0, np.nan])
def test_empty_frames_are_dropped_or_bridged(mark: float) -> None:
    coordinates = line()
    coordinates[:, [0, 3, 4, 7]] = mark
    dropped = treat(coordinates, empty_frames="drop")
    assert np.array_equal(dropped.coordinates, line()[:, [1, 2, 5, 6]])
    bridged = treat(coordinates, empty_frames="interpolate")
    assert np.allclose(bridged.coordinates, line()[:, 1:7])
    for recording in (dropped, bridged):
        assert (recording.frames_without_body, recording.padding, recording.missing_joints) == (4, 1, 0)


def test_missing_joints_are_interpolated_or_make_the_recording_bad() -> None:
    coordinates = line()
    coordinates[1, 2:4] = np.nan
    coordinates[2, 0] = np.nan
    recording = treat(coordinates, missing_joints="interpolate")
    expected = line()
    expected[2, 0] = expected[2, 1]  # before it was first seen it stands there
    assert np.allclose(recording.coordinates, expected)
    assert recording.missing_joints == 3
    for policy in ("keep", "bad"):
        with pytest.raises(BadRecording, match=r"clip: joint (2 of frame 3|3 of frame 1) has no finite x"):
            treat(coordinates, missing_joints=policy)


def test_a_joint_at_zero_in_the_plane_is_lost_and_in_space_only_suspected() -> None:
    planar, space = line(planar=True), line()
    planar[1, 2] = space[1, 2] = 0
    with pytest.raises(BadRecording, match="clip: joint 2 of frame 3 is missing, it lies at zero; set missing-joints"):
        treat(planar, missing_joints="bad")
    assert np.array_equal(treat(space, missing_joints="bad").coordinates, space)
    for coordinates, whole in ((planar, line(planar=True)), (space, line())):
        mended = treat(coordinates, missing_joints="interpolate")
        assert np.allclose(mended.coordinates, whole)
        assert mended.missing_joints == 1


def test_data_centred_on_a_joint_have_it_at_zero_and_lack_nothing() -> None:
    centred = line() - line()[:1]  # on the first joint in every frame
    assert gaps_of(centred).missing() == 0
    first = line() - line()[0, 0]  # where the first joint is in the first frame, as CTR-GCN does
    assert gaps_of(first).missing() == 0
    planar = line(planar=True)
    assert gaps_of(planar - planar[:1] * [1, 1, 0] - [0, 0.5, 0] * (np.arange(3) > 0)[:, None, None]).missing() == 0
    planar[1] = 0  # among pixels, which are never negative, a joint that is always at zero was never found
    assert gaps_of(planar).missing() == 8


def test_a_joint_that_is_never_seen_is_named() -> None:
    planar = line(planar=True)
    planar[2] = 0
    with pytest.raises(BadRecording, match=r"clip: joint 3 \(foot\) is never seen; choose with joints those that are"):
        treat(planar, missing_joints="interpolate")


@pytest.mark.parametrize("policy", ["keep", "interpolate"])
def test_a_recording_that_is_mostly_empty_is_bad(policy: str) -> None:
    coordinates = line(frames=10)
    coordinates[:, 2:8] = 0
    with pytest.raises(BadRecording, match="clip: 6 of 10 frames are empty, more than most-missing allows"):
        treat(coordinates, empty_frames=policy, most_missing=0.5)
    assert treat(coordinates, empty_frames="drop", most_missing=0.5).coordinates.shape[1] == 4
    coordinates = line()
    coordinates[:2, 1:] = np.nan
    with pytest.raises(BadRecording, match="14 of 24 joints are missing, more than most-missing allows"):
        treat(coordinates, missing_joints="interpolate", most_missing=0.5)


def test_padding_is_not_held_against_a_recording() -> None:
    coordinates = np.concatenate([line(frames=5), np.zeros((3, 295, 3))], axis=1)
    recording = treated(Recording(SAMPLE, coordinates), MENDED)
    assert np.array_equal(recording.coordinates, line(frames=5))
    assert (recording.padding, recording.frames_without_body) == (295, 295)
    with pytest.raises(BadRecording, match="295 of 300 frames are empty"):
        treat(coordinates, most_missing=0.5)


def test_nobody_at_all_is_a_sentence() -> None:
    with pytest.raises(BadRecording, match="clip: all coordinates equal 0"):
        treated(Recording(SAMPLE, np.zeros((3, 4, 3))), MENDED)
    with pytest.raises(BadRecording, match="clip: joint 1 of frame 1 has no finite x"):
        treated(Recording(SAMPLE, np.full((3, 4, 3), np.nan)), MENDED)


def test_a_second_body_that_is_not_there_lacks_no_joints() -> None:
    two = np.concatenate([line(), line() + 5])
    two[3:, :4] = np.nan
    two[:, 6] = np.nan
    recording = treat(two, bodies=2, empty_frames="interpolate", missing_joints="interpolate")
    assert not recording.coordinates[3:, :4].any()
    assert np.allclose(recording.coordinates[:3], line())
    assert np.allclose(recording.coordinates[3:, 4:], line()[:, 4:] + 5)
    assert (recording.missing_joints, recording.frames_without_body) == (0, 1)


@given(st.data())
def test_whatever_is_lost_on_straight_lines_is_found_again(data: st.DataObject) -> None:
    frames = data.draw(st.integers(3, 30))
    coordinates, whole = line(frames=frames), line(frames=frames)
    lost = data.draw(st.sets(st.tuples(st.integers(0, 2), st.integers(1, frames - 2)), max_size=10))
    for joint, frame in lost:
        coordinates[joint, frame] = np.nan
    recording = treat(coordinates, empty_frames="interpolate", missing_joints="interpolate")
    assert np.allclose(recording.coordinates, whole)
    empty = {frame for frame in range(frames) if all((joint, frame) in lost for joint in range(3))}
    assert recording.missing_joints == len(lost) - 3 * len(empty)
    assert recording.frames_without_body == len(empty)
