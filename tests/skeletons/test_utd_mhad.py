import io
import pickle
import zipfile
from collections import Counter

import numpy as np
import pytest
import scipy.io

from skelnas.errors import InputError
from skelnas.skeletons.readers import READERS, ArchiveOptions
from skelnas.skeletons.recording import BadRecording
from skelnas.skeletons.utd_mhad import CLASS_NAMES, JOINT_NAMES, PARENTS, open_source


@pytest.fixture(scope="module")
def original(real_data):
    return open_source([real_data / "utd_mhad/Skeleton.zip"], ArchiveOptions())


def mat(skeleton, name="d_skel", **options):
    stream = io.BytesIO()
    scipy.io.savemat(stream, {name: skeleton}, **options)
    return stream.getvalue()


def motion(frames=5, joints=20):
    return np.arange(joints * 3 * frames, dtype=float).reshape(joints, 3, frames)


def archive(path, members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def first_recording(path):
    source = READERS["utd_mhad"].open([path], {})
    return source.read(source.samples[0])


def test_the_original_archive(original):
    assert len(original.samples) == 861
    assert original.class_names == CLASS_NAMES
    assert len(set(CLASS_NAMES)) == 27
    names = [sample.name for sample in original.samples]
    assert names[:2] == ["a1_s1_t1", "a1_s1_t2"]
    assert names.index("a10_s1_t1") == names.index("a9_s8_t4") + 1
    assert names[-1] == "a27_s8_t3"
    missing = {(7, 1): 3, (22, 6): 3, (26, 8): 3}  # a8_s1_t4, a23_s6_t4 and a27_s8_t4 were never published
    for pair, trials in Counter((sample.label, sample.subject) for sample in original.samples).items():
        assert trials == missing.get(pair, 4)
    assert original.origin["file"] == "Skeleton.zip"
    assert original.origin["bytes"] == 14_723_954
    assert original.origin["recordings"] == 861


def test_lengths_of_the_original_recordings(original):
    frames = {}
    for sample in original.samples:
        recording = original.read(sample)
        assert recording.coordinates.shape[0] == 20
        assert recording.coordinates.shape[2] == 3
        assert recording.coordinates.dtype == np.float64
        frames[sample] = recording.coordinates.shape[1]
    assert (min(frames.values()), max(frames.values())) == (41, 125)
    pool = [length for sample, length in frames.items() if sample.subject % 2 == 1]
    assert len(pool) == 431
    assert np.mean(pool) == pytest.approx(67.75, abs=0.005)
    assert (min(pool), max(pool), np.median(pool)) == (47, 102, 67)


def test_coordinates_are_those_of_the_file(original, real_data):
    with zipfile.ZipFile(real_data / "utd_mhad/Skeleton.zip") as file:
        stored = scipy.io.loadmat(io.BytesIO(file.read("Skeleton/a3_s2_t1_skeleton.mat")))["d_skel"]
    sample = next(sample for sample in original.samples if sample.name == "a3_s2_t1")
    coordinates = original.read(sample).coordinates
    assert (sample.label, sample.subject, sample.trial) == (2, 2, 1)
    assert all(
        coordinates[joint, frame, axis] == stored[joint, axis, frame]
        for joint, frame, axis in [(0, 0, 0), (19, 5, 2), (7, 30, 1)]
    )


def test_the_joint_tree_has_the_shape_of_a_person(original):
    assert PARENTS.count(-1) == 1
    assert JOINT_NAMES[PARENTS.index(-1)] == "hip_center"
    coordinates = original.read(original.samples[0]).coordinates
    bones = {
        joint: np.linalg.norm(coordinates[place] - coordinates[parent], axis=1).mean()
        for place, (joint, parent) in enumerate(zip(JOINT_NAMES, PARENTS, strict=True))
        if parent >= 0
    }
    assert all(0.01 < length < 0.6 for length in bones.values())
    for limb in ("elbow", "wrist", "knee", "ankle"):
        assert bones[f"left_{limb}"] == pytest.approx(bones[f"right_{limb}"], rel=0.25)


def test_the_source_works_after_pickling(original):
    sample = original.samples[400]
    again = pickle.loads(pickle.dumps(original)).read(sample)
    assert np.array_equal(again.coordinates, original.read(sample).coordinates)


def test_content_is_checked(real_data, original):
    path = real_data / "utd_mhad/Skeleton.zip"
    assert len(open_source([path], ArchiveOptions(content=original.origin["content"])).samples) == 861
    with pytest.raises(InputError, match=r"content fingerprint [0-9a-f]{64}, the configuration expects 0000"):
        open_source([path], ArchiveOptions(content="0" * 64))


def test_a_folder_holds_the_same_source(tmp_path):
    for name in ("a2_s1_t1", "a1_s3_t4", "a10_s8_t2"):
        (tmp_path / f"{name}_skeleton.mat").write_bytes(mat(motion()))
    (tmp_path / ".DS_Store").write_bytes(b"")
    source = READERS["utd_mhad"].open([tmp_path], {})
    assert [sample.name for sample in source.samples] == ["a1_s3_t4", "a2_s1_t1", "a10_s8_t2"]
    assert np.array_equal(source.read(source.samples[0]).coordinates, motion().transpose(0, 2, 1))


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "a1_s9_t1_skeleton.mat", "a28_s1_t1_skeleton.mat", "a0_s1_t1_skeleton.mat", "a1_s1_t5_skeleton.mat"],
)
def test_alien_members(tmp_path, name):
    path = archive(tmp_path / "Skeleton.zip", {"a1_s1_t1_skeleton.mat": mat(motion()), f"x/{name}": mat(motion())})
    with pytest.raises(InputError, match=rf"Skeleton\.zip: member x/{name}"):
        open_source([path], ArchiveOptions())


def test_the_same_recording_in_two_folders(tmp_path):
    member = "a1_s1_t1_skeleton.mat"
    path = archive(tmp_path / "Skeleton.zip", {f"x/{member}": mat(motion()), f"y/{member}": mat(motion())})
    with pytest.raises(InputError, match=r"x/a1_s1_t1_skeleton\.mat and y/a1_s1_t1_skeleton\.mat are the same"):
        open_source([path], ArchiveOptions())


def test_another_joint_order(tmp_path):
    text = "".join(f"{place}. {joint};\n" for place, joint in enumerate(reversed(JOINT_NAMES), start=1))
    members = {"a1_s1_t1_skeleton.mat": mat(motion()), "Skeleton_joint_order.txt": text}
    with pytest.raises(InputError, match=r"Skeleton_joint_order\.txt states another order"):
        open_source([archive(tmp_path / "Skeleton.zip", members)], ArchiveOptions())


def test_an_archive_without_recordings_and_a_wrong_number_of_files(tmp_path):
    path = archive(tmp_path / "Skeleton.zip", {})
    with pytest.raises(InputError, match="no recordings"):
        open_source([path], ArchiveOptions())
    with pytest.raises(InputError, match="2 files were given"):
        open_source([path, path], ArchiveOptions())


def test_class_names_of_an_archive_in_the_same_form(tmp_path):
    members = {"a1_s1_t1_skeleton.mat": mat(motion()), "class_names.txt": "bow\nwave\n"}
    assert open_source([archive(tmp_path / "own.zip", members)], ArchiveOptions()).class_names == ("bow", "wave")
    for text in ("", "bow\nbow\n", "bow\n\nwave\n"):
        with pytest.raises(InputError, match=r"class_names\.txt must list each class name once"):
            open_source([archive(tmp_path / "own.zip", {**members, "class_names.txt": text})], ArchiveOptions())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (mat(motion(joints=25)), "25 joints, expected 20"),
        (mat(motion().transpose(0, 2, 1)), r"shape \(20, 5, 3\), expected joints x 3 x frames"),
        (mat(motion(frames=0)), "no frames"),
        (mat(motion(frames=1)[:, :, 0]), "a single frame"),  # MATLAB drops the third axis
        (mat(np.where(motion() == 65, np.nan, motion())), r"joint 5 of frame 1 has no finite y"),
        (mat(np.full((20, 3, 5), 2.5)), "all coordinates equal 2.5"),
        (mat(motion(), name="skeleton"), "no numeric variable d_skel"),
        (mat(np.array(["text"])), "no numeric variable d_skel"),
        (b"", "no readable MATLAB 5 file"),
        (b"<html>" * 100, "no readable MATLAB 5 file"),
    ],
)
def test_bad_recordings(tmp_path, content, words):
    path = archive(tmp_path / "Skeleton.zip", {"a1_s1_t1_skeleton.mat": content})
    with pytest.raises(BadRecording, match=rf"Skeleton\.zip: a1_s1_t1_skeleton\.mat.*{words}"):
        first_recording(path)


def test_truncated_recordings_are_refused(tmp_path):
    for compressed in (False, True):
        content = mat(motion(), do_compression=compressed)
        for length in range(0, len(content) - 8, 37):
            path = archive(tmp_path / "Skeleton.zip", {"a1_s1_t1_skeleton.mat": content[:length]})
            with pytest.raises(BadRecording, match=r"a1_s1_t1_skeleton\.mat"):
                first_recording(path)


def test_a_damaged_member_is_a_bad_recording(tmp_path):
    path = archive(tmp_path / "Skeleton.zip", {"a1_s1_t1_skeleton.mat": mat(motion())})
    source = open_source([path], ArchiveOptions())
    content = bytearray(path.read_bytes())
    content[400] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(BadRecording, match=r"a1_s1_t1_skeleton\.mat cannot be read"):
        pickle.loads(pickle.dumps(source)).read(source.samples[0])
