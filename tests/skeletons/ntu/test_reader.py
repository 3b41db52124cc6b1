import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.ntu_generate import BESIDE, FIGURE, FIRST_ID, recording_text, write_archive
from skelnas.errors import InputError
from skelnas.images.conversion import Conversion, convert
from skelnas.images.encodings import tree_walk
from skelnas.skeletons.ntu.names import CLASS_NAMES, JOINT_NAMES, PARENTS
from skelnas.skeletons.ntu.reader import missing_samples, open_source
from skelnas.skeletons.readers import READERS, NtuOptions
from skelnas.skeletons.recording import BadRecording

NAME = "S001C002P003R002A050"
PERSON = np.column_stack([FIGURE, np.full(25, 3.0)])
STEP = np.array([0.125, 0.0, 0.0])


def two_people(frames: int = 4) -> bytes:
    """A person who stands, listed first, and one who walks."""
    return recording_text(
        [[(FIRST_ID, PERSON), (FIRST_ID + 1, PERSON + BESIDE + STEP * frame)] for frame in range(frames)]
    )


def folder(path: Path, texts: dict[str, bytes]) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in texts.items():
        (path / f"{name}.skeleton").write_bytes(text)
    return path


def test_what_a_name_says_and_what_is_read(tmp_path: Path) -> None:
    source = open_source([folder(tmp_path, {NAME: two_people(), "S001C002P003R001A051": two_people()})], NtuOptions())
    assert [sample.name for sample in source.samples] == ["S001C002P003R001A051", NAME]
    sample = source.samples[1]
    assert (sample.setup, sample.camera, sample.subject, sample.trial, sample.label) == (1, 2, 3, 2, 49)
    assert source.class_names[sample.label] == "punching/slapping other person"
    recording = source.read(sample)
    assert recording.coordinates.shape == (25, 4, 3)
    assert np.array_equal(recording.coordinates[:, 2], PERSON)
    assert recording.frames_without_body == 0


def test_the_body_option(tmp_path: Path) -> None:
    files = [folder(tmp_path, {NAME: two_people()})]
    walker = [1.0 * 0.8 + 0.125 * frame for frame in range(4)]
    for body, rows, first in (("first-listed", 25, [0.0] * 4), ("main-actor", 25, walker), ("both", 50, walker)):
        source = open_source(files, NtuOptions(body=body))
        coordinates = source.read(source.samples[0]).coordinates
        assert coordinates.shape == (rows, 4, 3)
        assert coordinates[1, :, 0].tolist() == pytest.approx(first)
        assert len(source.joint_names) == len(set(source.joint_names)) == len(source.parents) == rows
    assert np.array_equal(coordinates[25:, 0], PERSON)
    assert source.parents[25:] == tuple(parent + 25 if parent >= 0 else -1 for parent in PARENTS)


def test_the_names_of_classes_and_joints(oracle: Callable[[str], dict]) -> None:
    assert list(CLASS_NAMES) == oracle("ntu")["class_names"]
    assert (len(JOINT_NAMES), JOINT_NAMES[20], JOINT_NAMES[PARENTS[7]]) == (25, "spine_shoulder", "left_wrist")
    assert len(tree_walk(PARENTS)) == 49


def test_zip_and_folder_give_the_same_and_workers_read_from_both_archives(tmp_path: Path) -> None:
    names = [
        f"S{setup:03}C001P00{subject}R001A00{action}" for setup in (1, 18) for subject in (1, 2) for action in (1, 2, 3)
    ]
    archives = [tmp_path / "nturgbd_skeletons_s001_to_s017.zip", tmp_path / "nturgbd_skeletons_s018_to_s032.zip"]
    write_archive(archives[0], names[:6])
    write_archive(archives[1], names[6:])
    for archive in archives:
        zipfile.ZipFile(archive).extractall(tmp_path / "unpacked")
    source = open_source(archives, NtuOptions())
    unpacked = open_source([tmp_path / "unpacked"], NtuOptions())
    assert [sample.name for sample in source.samples] == names
    conversion = Conversion(source, "swap-axes", 28, 84)
    images = [converted.image for converted in convert(conversion, source.samples, workers=2)]
    assert len(images) == 12
    for sample, other, image in zip(source.samples, unpacked.samples, images, strict=True):
        recording = source.read(sample)
        assert np.array_equal(recording.coordinates, unpacked.read(other).coordinates)
        assert np.array_equal(conversion.one(sample).image, image)
    again = pickle.loads(pickle.dumps(source))
    assert np.array_equal(again.read(again.samples[3]).coordinates, source.read(source.samples[3]).coordinates)
    assert source.origin["recordings"] == 12
    assert (len(source.class_names), len(open_source(archives[:1], NtuOptions()).class_names)) == (120, 60)
    assert [one["file"] for one in source.origin["files"]] == [archive.name for archive in archives]
    assert source.origin["files"][0]["bytes"] == archives[0].stat().st_size


def test_the_lists_of_missing_samples(oracle: Callable[[str], dict], tmp_path: Path) -> None:
    official = oracle("ntu")["missing"]
    (tmp_path / "official.txt").write_text("\n".join(official))
    assert list(missing_samples(tmp_path / "official.txt")) == official
    assert (len(official), sum(name < "S018" for name in official)) == (535, 302)
    stated = tmp_path / "missing.txt"
    stated.write_text(f"2 of the captured samples have no skeleton.\r\n\r\n{NAME}\r\nS009C001P001R001A001.skeleton\r\n")
    other = NAME.replace("R002", "R001")
    source = open_source(
        [folder(tmp_path / "recordings", {NAME: two_people(), other: two_people()}), stated], NtuOptions()
    )
    assert [sample.name for sample in source.samples] == [other]
    assert source.excluded == {
        NAME: "on the official list of samples with missing or incomplete skeletons (missing.txt)"
    }
    assert source.origin["recordings"] == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nothing but an introduction\n", "names no sample"),
        (f"{NAME}\nS001C001\n", "line 2: 'S001C001' is no sample name"),
    ],
)
def test_a_list_that_is_none(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "missing.txt").write_text(text)
    with pytest.raises(InputError, match=sentence):
        missing_samples(tmp_path / "missing.txt")


def refused(files: list[Path], body: str = "first-listed") -> str:
    with pytest.raises(InputError) as raised:
        open_source(files, NtuOptions(body))
    return str(raised.value)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    whole = tmp_path / "whole.zip"
    write_archive(whole, [NAME])
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole.read_bytes()[:-100])
    assert "cut.zip is truncated or no zip archive" in refused([cut])
    unpacked = folder(tmp_path / "unpacked", {NAME: two_people()})
    assert f"unpacked: {NAME}.skeleton is the same recording as" in refused([whole, unpacked])
    assert "no recordings" in refused([folder(tmp_path / "empty", {})])
    assert "does not exist" in refused([tmp_path / "absent.zip"])
    strange = folder(tmp_path / "strange", {NAME + "_hand": b"1\n"})
    assert f"{NAME}_hand.skeleton is no SsssCcccPpppRrrrAaaa.skeleton; remove it" in refused([strange])
    (tmp_path / "avi").mkdir()
    (tmp_path / "avi" / f"{NAME}.avi").write_bytes(b"")
    assert f"{NAME}.avi is no SsssCcccPpppRrrrAaaa.skeleton" in refused([tmp_path / "avi"])
    beyond = folder(tmp_path / "beyond", {NAME.replace("A050", "A121"): two_people()})
    assert "A121.skeleton is of action 121, and NTU RGB+D has 120; remove it" in refused([beyond])
    assert "choose one of first-listed, main-actor, both" in refused([unpacked], "tallest")


def with_nan(frames: int = 3) -> bytes:
    return two_people(frames).replace(b" 3 ", b" NaN ", 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (lambda: recording_text([[], [], []]), "no body in any of the 3 frames"),
        (lambda: b"0\n", "no body in any of the 0 frames"),
        (lambda: two_people(1), "a single frame"),
        (lambda: recording_text([[(FIRST_ID, np.zeros((25, 3)))]] * 3), "all coordinates equal 0"),
        (with_nan, "joint 1 of frame 1 has no finite z coordinate"),
        (
            lambda: two_people(3).replace(b"3\n", b"4\n", 1),
            "ends where the number of bodies in frame 4 of 4 should follow",
        ),
        (lambda: two_people(3).replace(b"\n25\n", b"\n20\n", 1), "line 4: a body has 20 joints, expected 25"),
        (lambda: two_people(3).replace(b" 3 ", b" three ", 1), "line 5: 'three' where a coordinate in metres"),
        (lambda: b"0.1 0.2 0.3\n" * 22, "line 1: 3 values where the number of frames should stand"),
    ],
)
def test_a_recording_that_cannot_be_used(tmp_path: Path, text: Callable[[], bytes], sentence: str) -> None:
    source = READERS["ntu"].open([folder(tmp_path, {NAME: text()})], {})
    with pytest.raises(BadRecording) as raised:
        source.read(source.samples[0])
    assert sentence in str(raised.value)
    assert f"{NAME}.skeleton" in str(raised.value)


def test_a_damaged_member_is_a_bad_recording(tmp_path: Path) -> None:
    path = tmp_path / "damaged.zip"
    write_archive(path, [NAME, NAME.replace("R002", "R001")])
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(content)
    source = open_source([path], NtuOptions())
    sound, damaged = source.samples
    assert source.read(sound).coordinates.shape[0] == 25
    with pytest.raises(BadRecording, match=f"damaged.zip: member nturgb.d_skeletons/{NAME}.skeleton cannot be read"):
        source.read(damaged)


def test_a_part_of_the_classes_and_the_mean_of_two_people(tmp_path: Path) -> None:
    texts = {f"S001C002P003R002A{action:03d}": two_people() for action in (7, 50, 51)}
    source = READERS["ntu"].open([folder(tmp_path, texts)], {"classes": ["A50", "throw"], "body": "averaged"})
    assert source.class_names == ("punching/slapping other person", "throw")
    assert [(sample.name[-4:], sample.label) for sample in source.samples] == [("A007", 1), ("A050", 0)]
    both = READERS["ntu"].open([tmp_path], {"body": "both"})
    two, mean = (one.read(one.samples[0]).coordinates for one in (both, source))
    assert np.allclose(mean, (two[:25] + two[25:]) / 2)
    with pytest.raises(InputError, match="classes: 'A121' is no action of NTU RGB"):
        READERS["ntu"].open([tmp_path], {"classes": ["A121"]})
