"""Files laid out as those of public data sets, from made-up numbers, go in by a block alone: from file to image set.

None of the sets may be passed on, so their layouts and quirks are built here. The blocks are those of
docs/your-own-data.md.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from skelnas.errors import InputError
from skelnas.images.build import build_image_set, manifest
from skelnas.images.image_set import ImageSet
from skelnas.skeletons.readers import READERS
from skelnas.skeletons.recording import BadRecording, Source

PAGE = Path(__file__).resolve().parents[2] / "docs/your-own-data.md"


def block(name: str) -> dict:
    """The block that the page gives for a data set."""
    part = PAGE.read_text(encoding="utf-8").split(f"\n#### {name}\n")[1].split("\n###")[0]
    return yaml.safe_load(re.search(r"```\n(.*?)```", part, re.DOTALL)[1])


def opened(options: dict, *files: Path) -> Source:
    return READERS[options["reader"]].open(list(files), options)


def built(name: str, *files: Path, **more: object) -> tuple[Source, ImageSet, dict]:
    """The source, the image set and its manifest, of files laid out as those of `name`."""
    options = block(name) | more
    source = opened(options, *files)
    image_set, report = build_image_set("mine", source, options)
    return source, image_set, manifest(image_set, source, report)


def coordinates(source: Source) -> dict[str, np.ndarray]:
    return {sample.name: source.read(sample).coordinates for sample in source.samples}


def motion(seed: int, frames: int, joints: int) -> np.ndarray:
    """Made-up coordinates: frames x joints x 3, as they are read back from four decimals."""
    return np.random.default_rng(seed).normal(3, 1, (frames, joints, 3)).round(4)


def save(path: Path, lines: np.ndarray, form: str = "%.4f") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, lines, form)


def test_msr_action3d_has_a_line_for_each_joint_and_frames_of_zeros(tmp_path: Path) -> None:
    made = {}
    for action in (1, 13):
        for subject in (1, 2, 3, 5):
            pose = motion(action * 10 + subject, 9, 20)
            if (action, subject) == (13, 2):
                pose[4:6] = 0
            if (action, subject) == (13, 5):
                pose[1:8] = 0  # most of it, as in the recording of 936 frames
            made[f"a{action:02d}_s{subject:02d}_e01_skeleton3D.txt"] = pose
            lines = np.concatenate([pose, np.ones((9, 20, 1))], axis=2).reshape(-1, 4)
            save(tmp_path / f"msr/a{action:02d}_s{subject:02d}_e01_skeleton3D.txt", lines)
    source, images, facts = built("MSR-Action3D", tmp_path / "msr")
    assert (source.class_names, source.joint_names[3]) == (("01", "13"), "head")
    (excluded,) = facts["excluded"].items()
    assert excluded[0] == "a13_s05_e01_skeleton3D.txt"
    assert "7 of 9 frames are empty, more than most-missing allows (0.5)" in excluded[1]
    assert facts["frames-without-body"] == {"a13_s02_e01_skeleton3D.txt": 2}
    assert images.counts == {"train": 3, "valid": 2, "test": 2}
    lost = made["a13_s02_e01_skeleton3D.txt"]
    mended = source.read(next(sample for sample in source.samples if sample.name.startswith("a13_s02"))).coordinates
    np.testing.assert_allclose(mended[:, 4], lost[3] + (lost[6] - lost[3]) / 3)
    found = coordinates(opened(block("MSR-Action3D") | {"empty-frames": "keep", "most-missing": 1.0}, tmp_path / "msr"))
    assert found.keys() == made.keys()
    for name, pose in made.items():
        np.testing.assert_array_equal(found[name], pose.transpose(1, 0, 2))


@pytest.fixture
def utkinect(tmp_path: Path) -> tuple[Path, Path, dict[str, np.ndarray]]:
    """Takes with several actions each, a line for each frame with its number, which has gaps; and the labels."""
    takes = {}
    labels = []
    for subject in (1, 2, 3):
        take = f"s{subject:02d}_e01"
        takes[take] = motion(subject, 60, 20)
        numbers = 2 * np.arange(60) + 10  # every other number is not there
        lines = np.column_stack([numbers, takes[take].reshape(60, -1)])
        save(tmp_path / f"joints/joints_{take}.txt", lines, "%.4f")
        labels += [take, "walk: 10 40", "sitDown: 50  71", "carry: NaN NaN" if subject == 2 else "carry: 80 128"]
    (tmp_path / "actionLabel.txt").write_text("\n".join([*labels, "", ""]))
    return tmp_path / "joints", tmp_path / "actionLabel.txt", takes


def test_utkinect_has_several_actions_in_a_file_and_a_file_of_labels(utkinect: tuple) -> None:
    folder, labels, takes = utkinect
    source, images, facts = built("UTKinect", folder, labels)
    assert source.class_names == ("carry", "sitDown", "walk")
    assert facts["excluded"] == {"joints_s02_e01.txt:carry NaN-NaN": "actionLabel.txt line 8 has no frames: NaN NaN"}
    assert facts["source"]["table"] == "actionLabel.txt"
    assert images.counts == {"train": 3, "valid": 3, "test": 2}
    found = coordinates(source)
    assert len(found) == 8
    np.testing.assert_array_equal(found["joints_s03_e01.txt:sitDown 50-71"], takes["s03_e01"][20:31].transpose(1, 0, 2))
    np.testing.assert_array_equal(found["joints_s01_e01.txt:walk 10-40"], takes["s01_e01"][:16].transpose(1, 0, 2))
    assert {(s.subject, s.trial) for s in source.samples} == {(1, 1), (2, 1), (3, 1)}


def test_without_a_column_of_frames_labels_count_lines(tmp_path: Path) -> None:
    pose = motion(1, 20, 20)
    save(tmp_path / "joints/joints_s01_e01.txt", pose.reshape(20, -1))
    (tmp_path / "labels.txt").write_text("s01_e01\nwalk: 3 9\n")
    options = {key: value for key, value in block("UTKinect").items() if key != "leading"}
    (found,) = coordinates(opened(options, tmp_path / "joints", tmp_path / "labels.txt")).values()
    np.testing.assert_array_equal(found, pose[2:9].transpose(1, 0, 2))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("walk: 1 5\n", "line 1: 'walk: 1 5' is neither the name of a take nor `action: first last`"),
        ("s01_e01\nwalk: 1\n", "line 2: 'walk: 1' is neither the name of a take"),
        ("s09_e01\nwalk: 1 5\n", "line 1: no file is called s09_e01"),
        ("s01_e01\nwalk: 10 20\nwalk: 10 20\n", "line 3: joints_s01_e01.txt:walk 10-20 is there twice"),
    ],
)
def test_a_wrong_line_of_labels_is_told(utkinect: tuple, text: str, said: str) -> None:
    folder, labels, _ = utkinect
    labels.write_text(text)
    with pytest.raises(InputError) as caught:
        opened(block("UTKinect"), folder, labels)
    assert said in str(caught.value)


def test_labels_of_frames_that_are_not_there_make_a_bad_recording(utkinect: tuple) -> None:
    folder, labels, _ = utkinect
    labels.write_text("s01_e01\nwalk: 10 20\nsit: 900 950\n")
    source = opened(block("UTKinect"), folder, labels)
    with pytest.raises(BadRecording, match=r"sit 900-950: the file has no frames from 900 to 950; correct the labels"):
        source.read(source.samples[0])


def test_florence3d_is_one_file_with_a_column_for_recording_subject_and_label(tmp_path: Path) -> None:
    rows, made = [], {}
    for recording in range(1, 13):
        subject, label, pose = (recording - 1) % 4 + 1, (recording - 1) // 4 + 1, motion(recording, 8 + recording, 15)
        made[f"Florence_dataset_WorldCoordinates.txt:{recording}"] = label, subject, pose
        rows += [[recording, subject, label, *frame] for frame in pose.reshape(len(pose), -1)]
    save(tmp_path / "florence/Florence_dataset_WorldCoordinates.txt", np.array(rows))
    source, images, facts = built("Florence3D", tmp_path / "florence")
    assert source.class_names == ("1", "2", "3")
    assert facts["source"]["leading"] == ["recording", "subject", "label"]
    assert images.counts == {"train": 6, "valid": 3, "test": 3}
    found = coordinates(source)
    assert list(found) == list(made)  # in natural order: 2 before 10
    for sample in source.samples:
        label, subject, pose = made[sample.name]
        assert (source.class_names[sample.label], sample.subject) == (str(label), subject)
        np.testing.assert_array_equal(found[sample.name], pose.transpose(1, 0, 2))


def test_a_recording_with_two_labels_is_refused(tmp_path: Path) -> None:
    rows = [[1, 1, label, *range(45)] for label in (1, 2)]
    save(tmp_path / "all.txt", np.array(rows))
    with pytest.raises(InputError, match=r"all\.txt:1 has the labels 1, 2; a recording has one, correct `leading`"):
        opened(block("Florence3D"), tmp_path)


def test_nw_ucla_is_json_with_other_keys_and_a_camera_in_the_name(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    made = {}
    for action in (1, 2):
        for subject in (1, 2, 3, 4):
            for camera in (1, 2, 3):
                name = f"a{action:02d}_s{subject:02d}_e00_v{camera:02d}"
                made[f"{name}.json"] = pose = motion(action * 100 + subject * 10 + camera, 7 + camera, 20)
                values = {"file_name": name, "skeletons": pose.tolist(), "label": action}
                (tmp_path / f"all/{name}.json").write_text(json.dumps(values))
    source, images, _ = built("NW-UCLA", tmp_path / "all")
    assert images.counts == {"train": 12, "valid": 4, "test": 8}
    assert {name[-7:-5] for name in images.test_names} == {"03"}
    for name, found in coordinates(source).items():
        np.testing.assert_array_equal(found, made[name].transpose(1, 0, 2))


def test_sbu_has_two_people_a_frame_number_in_front_and_coordinates_in_shares_of_the_picture(tmp_path: Path) -> None:
    made = {}
    for pair in ("s01s02", "s02s03", "s03s04"):
        for label in ("01", "02"):
            pose = motion(len(made), 9, 30) / 10
            made[f"{pair}/{label}/001/skeleton_pos.txt"] = pose
            lines = np.column_stack([np.arange(1, 10), pose.reshape(9, -1)])
            path = tmp_path / f"sbu/{pair}/{label}/001/skeleton_pos.txt"
            path.parent.mkdir(parents=True)
            np.savetxt(path, lines, "%.6f", ",")
    source, images, facts = built("SBU", tmp_path / "sbu")
    assert (source.bodies, len(source.joint_names)) == (2, 30)
    assert facts["subjects"] == {"1": "s01s02", "2": "s02s03", "3": "s03s04"}
    assert images.counts == {"train": 2, "valid": 2, "test": 2}
    for name, found in coordinates(source).items():
        np.testing.assert_allclose(found, (made[name] * [2560, 1920, 1280]).transpose(1, 0, 2), rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"leading": ["time"]}, "leading: 'time' is not known; there are frame, recording, label, subject, camera, "),
        ({"leading": ["frame", "frame"]}, "leading: a column is named twice"),
        (
            {"leading": ["frame"], "axes": "joints frames xyz"},
            "leading: columns stand before lines of frames, but axes",
        ),
        ({"leading": ["recording"]}, "leading: where a column tells recordings apart, one has the `label`"),
        ({"scale": [1.0, 0.0, 1.0]}, "scale: give three factors that are not 0"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, options: dict, said: str) -> None:
    save(tmp_path / "a.txt", motion(1, 9, 5).reshape(9, -1))
    with pytest.raises(InputError) as caught:
        opened({"reader": "table", "axes": "frames joints*xyz", "pattern": "{label}", **options}, tmp_path)
    assert said in str(caught.value)
