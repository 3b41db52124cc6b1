"""A recording is drawn for a network exactly as the image set drew it, whatever reads it."""

import dataclasses
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from bench.ntu_generate import write_archive as write_ntu
from skelnas.errors import InputError
from skelnas.images.build import build_image_set
from skelnas.prediction.recordings import drawn
from skelnas.results.weights import Facts
from skelnas.skeletons import open_source

from ..skeletons import formats
from .kept import facts_of

SPLIT = {"rule": "random-recordings", "seed": 1, "test-share": 0.25, "valid-share": 0.25}
PATTERN = {"pattern": "{label}_P{subject}"}


def mat(path: Path, label: int, subject: int) -> Path:
    scipy.io.savemat(path, {"d_skel": formats.motion(label, subject, 20).transpose(1, 2, 0)})
    return path


def make_utd_mhad(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "Skeleton.zip", "w") as archive:
        archive.writestr("class_names.txt", "wave\nbow\n")
        for label in range(2):
            for subject in range(1, 5):
                name = f"a{label + 1}_s{subject}_t1_skeleton.mat"
                archive.write(mat(folder / "one.mat", label, subject), name)
    return folder / "Skeleton.zip"


def make_ntu(folder: Path) -> Path:
    names = [f"S001C001P{subject:03d}R001A{label:03d}" for label in (1, 2) for subject in (1, 2, 3, 5)]
    write_ntu(folder / "ntu.zip", names)
    return folder / "ntu.zip"


def make_table(folder: Path) -> Path:
    for label, action in enumerate(formats.LABELS):
        for subject in range(1, 5):
            np.save(folder / f"{action}_P{subject}.npy", formats.motion(label, subject))
    return folder


FORMATS = {
    "csv": (lambda folder: formats.write_kinect_v2(folder / "k"), {"preset": "kinect-v2", **PATTERN}),
    "ctrgcn": (lambda folder: formats.write_ctrgcn(folder / "a.npz"), {}),
    "ntu": (make_ntu, {"classes": ["A1", "A2"]}),
    "openpose": (lambda folder: formats.write_openpose(folder / "o"), PATTERN),
    "pyskl": (lambda folder: formats.write_pyskl(folder / "a.pkl"), {"protocol": "xsub", "classes": ["wave", "bow"]}),
    "table": (make_table, {"axes": "frames joints xyz", **PATTERN}),
    "utd_mhad": (make_utd_mhad, {}),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Makes, once, the recordings of a format, and the image set and facts of a network that was trained on them."""
    known: dict[str, tuple] = {}

    def one(reader: str, **more: object) -> tuple[Path, dict[str, np.ndarray], Facts]:
        if reader not in known or more:
            path = FORMATS[reader][0](tmp_path_factory.mktemp(reader))
            block = {"reader": reader, "split": SPLIT, **FORMATS[reader][1], **more}
            source = open_source([path], block)
            images, _ = build_image_set(reader, source, block)
            names = [*images.pool_names, *images.test_names]
            of_name = dict(zip(names, [*images.pool_images, *images.test_images], strict=True))
            found = path, of_name, facts_of(images, source, block)
            if more:
                return found
            known[reader] = found
        return known[reader]

    return one


@pytest.mark.parametrize("reader", FORMATS)
def test_images_are_those_of_the_image_set(made, reader):
    path, images, facts = made(reader)
    found = list(drawn(path, facts, {}))
    assert {one.name for one in found} == set(images)
    for one in found:
        assert one.converted.reason == ""
        assert np.array_equal(one.converted.image, images[one.name])


@pytest.mark.parametrize("encoding", ["tree-structure", "skele-motion"])
def test_other_encodings_and_sizes(made, encoding):
    path, images, facts = made("utd_mhad", encoding=encoding, height=12, width=20)
    for one in drawn(path, facts, {}):
        assert np.array_equal(one.converted.image, images[one.name])


def test_a_single_file_under_any_name(made, tmp_path):
    _, images, facts = made("utd_mhad")
    for name, action in (("a2_s3_t1_skeleton.mat", ""), ("my dance.mat", "")):
        [one] = drawn(mat(tmp_path / name, 1, 3), facts, {})
        assert (one.name, one.stated) == (str(tmp_path / name), action)
        assert np.array_equal(one.converted.image, images["a2_s3_t1"])
    folder, images, facts = made("table")
    (tmp_path / "who knows.npy").write_bytes((folder / "bow_P2.npy").read_bytes())
    [one] = drawn(tmp_path / "who knows.npy", facts, {})
    assert np.array_equal(one.converted.image, images["bow_P2.npy"])
    archive, images, facts = made("ntu")
    with zipfile.ZipFile(archive) as opened:
        [member, *_] = [name for name in opened.namelist() if name.endswith(".skeleton")]
        (tmp_path / "somebody.skeleton").write_bytes(opened.read(member))
    [one] = drawn(tmp_path / "somebody.skeleton", facts, {})
    assert np.array_equal(one.converted.image, images[Path(member).stem])


def test_what_names_state_is_told_and_what_they_do_not_state_is_not(made, tmp_path):
    path, _, facts = made("utd_mhad")
    assert {(one.name, one.stated) for one in drawn(path, facts, {})} >= {("a1_s1_t1", "wave"), ("a2_s1_t1", "bow")}
    folder, _, facts = made("table")
    assert {one.stated for one in drawn(folder, facts, {})} == {"wave", "bow"}
    assert [one.stated for one in drawn(folder / "bow_P2.npy", facts, {})] == [""]  # one name is not all classes


def test_another_reader_of_the_same_joints(made):
    kinect, _, trained = made("csv")
    _, _, facts = made("table")
    facts = dataclasses.replace(facts, joints=trained.joints, parents=trained.parents)
    found = list(drawn(kinect, facts, {"reader": "csv", "preset": "kinect-v2"}))
    assert len(found) == 8
    assert all(one.converted.image.shape == (facts.height, facts.width, 3) for one in found)


def test_another_skeleton_is_refused(made, tmp_path):
    _, _, facts = made("table")
    np.save(tmp_path / "seven.npy", formats.motion(0, 1, 7))
    with pytest.raises(InputError, match=r"seven.npy: its skeleton has 7 joints, the network was trained on 25"):
        list(drawn(tmp_path / "seven.npy", facts, {}))
    _, _, kinect = made("csv")
    with pytest.raises(InputError, match="its skeleton has joint 1 in place of spine_base"):
        list(drawn(made("table")[0], kinect, {"reader": "table", "axes": "frames joints xyz"}))
    with pytest.raises(InputError, match="its skeleton has another joint tree"):
        list(drawn(made("csv")[0], dataclasses.replace(kinect, parents=[]), {}))


@pytest.mark.parametrize("content", [b"", b"no recording", b"\x93NUMPY\x01\x00"])
@pytest.mark.parametrize(("reader", "name"), [("table", "x.npy"), ("utd_mhad", "x.mat"), ("ntu", "x.skeleton")])
def test_what_is_no_recording_is_one_sentence_with_its_own_path(made, tmp_path, reader, name, content):
    _, _, facts = made(reader)
    (tmp_path / name).write_bytes(content)
    try:
        [one] = drawn(tmp_path / name, facts, {})
        reason = one.converted.reason
    except InputError as error:
        reason = str(error)
    assert reason.startswith(str(tmp_path / name))
    assert reason.count(str(tmp_path)) == 1
    assert "S001C001" not in reason
    assert "a1_s1" not in reason


def test_what_nothing_opens(made, tmp_path):
    _, _, facts = made("utd_mhad")
    with pytest.raises(InputError, match="does not exist; correct the path"):
        list(drawn(tmp_path / "none.mat", facts, {}))
    (tmp_path / "x.zip").write_bytes(b"PK no")
    with pytest.raises(InputError, match="no zip archive"):
        list(drawn(tmp_path / "x.zip", facts, {}))
    with pytest.raises(InputError, match="does not know"):
        list(drawn(tmp_path, dataclasses.replace(facts, encoding="later"), {}))
