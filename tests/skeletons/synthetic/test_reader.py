import numpy as np
import pytest

from skelnas.skeletons.readers import READERS
from skelnas.skeletons.synthetic.reader import ACTIONS, recording, write_archive
from skelnas.skeletons.utd_mhad import JOINT_NAMES


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("synthetic") / "Skeleton.zip"
    write_archive(path)
    return path


@pytest.fixture(scope="module")
def source(archive):
    return READERS["synthetic"].open([archive], {})


@pytest.fixture(scope="module")
def motions(source):
    """Coordinates of every recording, moved to their mean place and brought to 24 frames."""
    flat = []
    for sample in source.samples:
        coordinates = source.read(sample).coordinates
        frames = np.linspace(0, coordinates.shape[1] - 1, 24).round().astype(int)
        flat.append((coordinates - coordinates.mean(axis=(0, 1)))[:, frames].ravel())
    return np.array(flat)


def test_the_same_bytes_every_time(archive, tmp_path):
    write_archive(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_every_action_of_every_subject_is_there(source):
    assert len(source.samples) == 12 * 8 * 4
    assert source.class_names == tuple(action.name for action in ACTIONS)
    assert {(sample.label, sample.subject, sample.trial) for sample in source.samples} == {
        (label, subject, trial) for label in range(12) for subject in range(1, 9) for trial in range(1, 5)
    }


def test_archive_and_function_agree(source):
    sample = next(sample for sample in source.samples if sample.name == "a8_s3_t2")
    assert source.read(sample).coordinates == pytest.approx(recording(7, 3, 2), abs=1e-6)


def test_recordings_look_like_those_of_a_sensor(source):
    lengths = []
    for sample in source.samples:
        coordinates = source.read(sample).coordinates
        lengths.append(coordinates.shape[1])
        first = dict(zip(JOINT_NAMES, coordinates[:, 0], strict=True))
        assert 2 < first["hip_center"][2] < 3.6
        assert 1.1 < first["head"][1] - first["left_foot"][1] < 2
        assert first["right_shoulder"][0] > first["left_shoulder"][0]  # facing the sensor, x to the person's right
    assert 60 < np.mean(lengths) < 76
    assert 30 < min(lengths) < max(lengths) < 130


def test_some_people_are_left_handed():
    wave = next(number for number, action in enumerate(ACTIONS) if action.name == "wave")

    def highest(joint, subject):
        return recording(wave, subject, 1)[JOINT_NAMES.index(joint), :, 1].max()

    assert [highest("left_hand", subject) > highest("right_hand", subject) + 0.3 for subject in range(1, 9)] == [
        subject in (3, 6) for subject in range(1, 9)
    ]


def test_trials_differ(motions):
    assert len(np.unique(motions.round(3), axis=0)) == len(motions)


def test_actions_can_be_told_apart_but_not_trivially(source, motions):
    """Nearest neighbour among the other subjects: far above chance, 8 %, and far from perfect."""
    labels = np.array([sample.label for sample in source.samples])
    odd = np.array([sample.subject % 2 == 1 for sample in source.samples])
    known, asked = motions[odd], motions[~odd]
    distances = (known**2).sum(axis=1) - 2 * asked @ known.T  # less a constant per row
    accuracy = (labels[odd][distances.argmin(axis=1)] == labels[~odd]).mean()
    assert 0.6 < accuracy < 0.97
