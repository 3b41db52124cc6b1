"""The formats that people have, from files made here: what is read, two people, missing joints, and bad files."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skelnas.errors import InputError
from skelnas.images.build import build_image_set
from skelnas.skeletons.pickles import load
from skelnas.skeletons.readers import READERS
from skelnas.skeletons.recording import BadRecording, Source
from skelnas.unpickling import ForeignError

from .formats import (
    motion,
    pyskl_annotations,
    write_ctrgcn,
    write_kinect_v2,
    write_mediapipe,
    write_openpose,
    write_pyskl,
)

PATTERN = {"pattern": "{label}_{subject}"}


def opened(reader: str, *files: Path, **options: Any) -> Source:
    return READERS[reader].open(list(files), {key.replace("_", "-"): value for key, value in options.items()})


def coordinates(source: Source, name: str) -> np.ndarray:
    (sample,) = [sample for sample in source.samples if sample.name == name]
    return source.read(sample).coordinates


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_pyskl_in_the_plane(tmp_path: Path, protocol: int) -> None:
    annotations = pyskl_annotations()
    annotations[0]["keypoint_score"][0, 4, 9] = 0.1
    annotations[0]["keypoint"][0, 6] = 0
    source = opened("pyskl", write_pyskl(tmp_path / "a.pkl", annotations, protocol), min_confidence=0.3)
    assert source.joint_names[9] == "left_wrist"
    assert source.parents[9] == source.joint_names.index("left_elbow")
    assert source.class_names == ("label 0", "label 1")
    first = source.samples[0]
    assert (first.name, first.subject, first.camera, first.split) == ("S001C001P001R001A001", 1, 1, "train")
    assert [sample.split for sample in source.samples if sample.subject == 4] == ["test", "test"]
    recording = source.read(first)
    whole = motion(0, 1, 17, dimensions=2).astype(np.float32).transpose(1, 0, 2)
    assert (recording.missing_joints, recording.frames_without_body) == (1, 1)
    assert np.allclose(recording.coordinates[9, 4, :2], (whole[9, 3] + whole[9, 5]) / 2)
    assert np.allclose(recording.coordinates[:, 6, :2], (whole[:, 5] + whole[:, 7]) / 2)
    others = [frame for frame in range(12) if frame not in (4, 6)]
    assert np.array_equal(recording.coordinates[:, others, :2], whole[:, others])
    assert not recording.coordinates[:, :, 2].any()
    rule = {"rule": "table", "valid-share": 0.3, "seed": 1, "by": "subject"}
    image_set, _ = build_image_set("tiny", source, {"split": rule})
    assert image_set.counts == {"train": 4, "valid": 2, "test": 2}


def test_pyskl_of_two_people(tmp_path: Path) -> None:
    path = write_pyskl(tmp_path / "a.pkl", pyskl_annotations(3, 25, people=2))
    pose = motion(0, 1).astype(np.float32).transpose(1, 0, 2)
    name = "S001C001P001R001A001"
    assert np.array_equal(coordinates(opened("pyskl", path), name), pose)
    two = opened("pyskl", path, bodies="stacked")
    assert two.joint_names[25] == "second_spine_base"
    assert two.parents.count(-1) == two.bodies == 2
    assert np.array_equal(coordinates(two, name)[:25], pose)
    assert np.allclose(coordinates(two, name)[25:], pose[:, :1] + 50)
    assert np.allclose(coordinates(opened("pyskl", path, bodies="averaged"), name), (pose + pose[:, :1] + 50) / 2)
    picked = opened("pyskl", path, bodies="stacked", joints=["left_wrist", "1"])
    assert picked.joint_names == ("left_wrist", "spine_mid", "second_left_wrist", "second_spine_mid")
    assert np.array_equal(coordinates(picked, name)[:2], pose[[6, 1]])
    assert picked.parents == (1, -1, 3, -1)


def test_what_a_pyskl_file_must_not_be(tmp_path: Path) -> None:
    path = write_pyskl(tmp_path / "a.pkl")
    with pytest.raises(InputError, match="has no protocol 'xset'; it has xsub"):
        opened("pyskl", path, protocol="xset")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"a\.pkl is truncated or no pickle"):
        opened("pyskl", path)
    annotations = pyskl_annotations()
    del annotations[2]["label"]
    with pytest.raises(InputError, match=r"annotation 3 \(S001C001P003R001A001\) has no label"):
        opened("pyskl", write_pyskl(path, annotations))
    annotations = pyskl_annotations()
    annotations[1]["keypoint"] = annotations[1]["keypoint"][:, :, :13]
    source = opened("pyskl", write_pyskl(path, annotations))
    with pytest.raises(BadRecording, match=r"keypoint has shape \(1, 12, 13, 2\), expected people x frames x 17"):
        source.read(source.samples[2])
    path.write_bytes(pickle.dumps({"names": [1, 2]}))
    with pytest.raises(InputError, match="is no file of PYSKL: it has no list of annotations"):
        opened("pyskl", path)


class Foreign:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("/tmp/never-made"),))


@pytest.mark.parametrize("value", [Foreign(), {"annotations": [Foreign()]}, pytest, np.sum])
def test_a_pickle_runs_nothing_that_it_names(tmp_path: Path, value: object) -> None:
    try:
        content = pickle.dumps(value)
    except TypeError:
        content = b"cpytest\nraises\n."
    with pytest.raises(ForeignError):
        load(content, "a.pkl")
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.pkl asks for .*, which data has no need of; nothing of it was run"):
        opened("pyskl", tmp_path / "a.pkl")
    assert not Path("/tmp/never-made").exists()


def test_ctrgcn_arrays_lose_their_padding(tmp_path: Path) -> None:
    source = opened("ctrgcn", write_ctrgcn(tmp_path / "NTU60.npz"))
    assert [sample.split for sample in source.samples] == ["train"] * 6 + ["test"] * 2
    assert [sample.label for sample in source.samples] == [0, 0, 0, 1, 1, 1, 0, 1]
    recording = source.read(source.samples[7])
    assert np.array_equal(recording.coordinates, motion(1, 4).astype(np.float32).transpose(1, 0, 2))
    assert (recording.padding, recording.missing_joints) == (48, 0)
    assert source.joint_names[0] == "spine_base"
    two = opened("ctrgcn", write_ctrgcn(tmp_path / "two.npz", people=2), bodies="stacked")
    pose = motion(1, 4).transpose(1, 0, 2)
    assert np.allclose(coordinates(two, "test-000001"), np.concatenate([pose, pose[:, :1] + np.ones_like(pose)]))


def test_stgcn_arrays_and_labels(tmp_path: Path) -> None:
    poses = np.zeros((4, 3, 30, 25, 2), dtype=np.float32)
    for row in range(4):
        poses[row, :, :12, :, 0] = motion(row % 2, row // 2).transpose(2, 0, 1)
    files = [tmp_path / name for name in ("train_data.npy", "train_label.pkl", "val_data.npy", "val_label.npy")]
    np.save(files[0], poses)
    files[1].write_bytes(pickle.dumps((["a", "b", "c", "d"], [0, 1, 0, 1])))
    np.save(files[2], poses[:2])
    np.save(files[3], np.array([0, 1]))
    source = opened("ctrgcn", *files, classes=["wave", "bow"])
    assert [sample.name for sample in source.samples] == ["a", "b", "c", "d", "valid-000000", "valid-000001"]
    assert coordinates(source, "a").shape == (25, 12, 3)
    assert source.class_names == ("wave", "bow")
    np.save(files[3], np.array([0, 1, 1]))
    with pytest.raises(InputError, match="valid has 2 recordings, and not as many labels"):
        opened("ctrgcn", *files)
    files[0].write_bytes(files[0].read_bytes()[:3000])
    with pytest.raises(InputError, match=r"train_data\.npy or train_label\.pkl cannot be read"):
        opened("ctrgcn", *files)


def test_what_ctrgcn_arrays_must_not_be(tmp_path: Path) -> None:
    path = write_ctrgcn(tmp_path / "a.npz")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"a\.npz cannot be read"):
        opened("ctrgcn", path)
    np.savez(path, poses=np.zeros(3))
    with pytest.raises(InputError, match="has no x_train and y_train, it has poses"):
        opened("ctrgcn", path)
    np.savez(path, x_train=np.zeros((2, 5, 7)), y_train=np.zeros(2, dtype=int))
    with pytest.raises(InputError, match=r"the array of train has shape \(2, 5, 7\)"):
        opened("ctrgcn", path)


def test_openpose_follows_people_and_mends_what_was_lost(tmp_path: Path) -> None:
    folder = write_openpose(tmp_path / "frames", people=2, lost=True)
    source = opened("openpose", folder, bodies="stacked", **PATTERN)
    assert source.class_names == ("bow", "wave")
    assert source.subject_names == {1: "P1", 2: "P2", 3: "P3", 4: "P4"}
    recording = source.read(next(sample for sample in source.samples if sample.name == "wave_P2"))
    pose = 100 * motion(0, 2, dimensions=2).transpose(1, 0, 2)
    bodies = [recording.coordinates[:25, :, :2], recording.coordinates[25:, :, :2]]
    first, second = sorted(bodies, key=lambda body: body.mean())
    seen = [frame for frame in range(12) if frame not in (5, 7)]
    assert np.allclose(first[:, seen], pose[:, seen])
    assert np.allclose(second[:, seen], pose[:, seen] + 300)
    assert np.allclose(first[3, 5], (pose[3, 4] + pose[3, 6]) / 2)
    assert (recording.frames_without_body, recording.missing_joints) == (1, 1)


def test_openpose_frames_that_cannot_be_used(tmp_path: Path) -> None:
    folder = write_openpose(tmp_path / "frames")
    frames = sorted((folder / "bow_P1").iterdir())
    text = frames[3].read_text()
    source = opened("openpose", folder, **PATTERN)
    for damaged, words in (
        (text[: len(text) // 2], "cannot be read"),
        ("{}", "lists no `people`"),
        (json.dumps({"people": [{"pose_keypoints_2d": [1.0] * 54}]}), "a person has not 25 joints of 3 numbers"),
    ):
        frames[3].write_text(damaged)
        with pytest.raises(BadRecording, match=rf"bow_P1/000000000003_keypoints\.json.*{words}"):
            source.read(source.samples[0])
    with pytest.raises(InputError, match=r"pattern: no recording in .* is called"):
        opened("openpose", folder, pattern="a{label}_s{subject}_e{trial}")


def test_mediapipe_and_kinect_v2_by_their_presets(tmp_path: Path) -> None:
    source = opened("csv", write_mediapipe(tmp_path / "m"), preset="mediapipe", min_confidence=0.5, **PATTERN)
    assert source.joint_names[15] == "left_wrist"
    recording = source.read(next(sample for sample in source.samples if sample.name == "wave_P3.csv"))
    pose = motion(0, 3, 33).transpose(1, 0, 2)
    assert recording.missing_joints == 1
    assert np.allclose(recording.coordinates[15, 4], (pose[15, 3] + pose[15, 5]) / 2, atol=1e-4)
    pose[15, 4] = recording.coordinates[15, 4]
    assert np.allclose(recording.coordinates, pose, atol=1e-5)
    kinect = opened("csv", write_kinect_v2(tmp_path / "k"), preset="kinect-v2", **PATTERN)
    assert np.allclose(coordinates(kinect, "bow_P2.csv"), motion(1, 2).transpose(1, 0, 2), atol=1e-5)


def test_columns_of_any_program(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    heading = "time,who,head X,head Y,hand X,hand Y,note"
    lines = [f"{t},{who},{t},1,{10 + t},2,x" for t in range(1, 6) for who in ("a", "b")]
    (tmp_path / "clips/wave_1.csv").write_text("\n".join([heading, *lines]))
    (tmp_path / "clips/wave_2.csv").write_text("\n".join([heading, *lines[:-1], lines[-1][:5]]))
    columns = {"x": "{joint} X", "y": "{joint} Y", "person": "who", "frame": "time"}
    source = opened("csv", tmp_path / "clips", columns=columns, bodies="stacked", **PATTERN)
    assert source.joint_names == ("head", "hand", "second_head", "second_hand")
    assert coordinates(source, "wave_1.csv")[:, :, 0].tolist() == [[1, 2, 3, 4, 5], [11, 12, 13, 14, 15]] * 2
    with pytest.raises(BadRecording, match=r"wave_2\.csv: line 11 has 3 cells, the first 7; it was cut off"):
        source.read(source.samples[1])
    alone = {key: column for key, column in columns.items() if key != "person"}
    source = opened("csv", tmp_path / "clips", columns=alone, **PATTERN)
    with pytest.raises(BadRecording, match="frame 1 is there twice; say which column is `person`"):
        source.read(source.samples[0])
    with pytest.raises(InputError, match=r"has no column \{joint\}_x; its columns are time, who, head X"):
        opened("csv", tmp_path / "clips", columns={"x": "{joint}_x", "y": "{joint}_y"}, **PATTERN)


def test_scores_are_told_whichever_reader_has_them(tmp_path: Path) -> None:
    annotations = pyskl_annotations()
    annotations[0]["keypoint_score"][0, 4, :2] = 0.1
    path = write_pyskl(tmp_path / "a.pkl", annotations)
    for least, missing in ((0.3, 2), (0.0, 0)):
        source = opened("pyskl", path, **{"min-confidence": least})
        recording = source.read(source.samples[0])
        assert (recording.unsure_joints, recording.missing_joints) == (missing, missing)
        assert recording.confidence == pytest.approx(0.9 - 2 * 0.8 / (12 * 17))
    rule = {"rule": "table", "valid-share": 0.3, "seed": 1, "by": "subject"}
    options = {"split": rule, "min-confidence": 0.3, "missing-joints": "interpolate"}
    _, report = build_image_set("tiny", opened("pyskl", path, **options), options)
    assert report["unsure-joints"] == report["missing-joints"] == {"S001C001P001R001A001": 2}
    assert report["confidence"] == {"mean": pytest.approx(0.9 - 2 * 0.8 / (8 * 12 * 17)), "least": 0.3}

    source = opened("csv", write_mediapipe(tmp_path / "clips"), preset="mediapipe", pattern="{label}_P{subject}")
    assert source.read(source.samples[0]).confidence == pytest.approx(0.9 - 0.85 / (12 * 33))
    source = opened("openpose", write_openpose(tmp_path / "frames", lost=True), pattern="{label}_P{subject}")
    recording = source.read(source.samples[0])
    assert (recording.confidence, recording.unsure_joints) == (pytest.approx(0.8), 0)
    assert recording.missing_joints == 1
    source = opened("ctrgcn", write_ctrgcn(tmp_path / "a.npz"))
    assert source.read(source.samples[0]).confidence == -1


def test_the_third_channel_of_an_array_may_be_confidence(tmp_path: Path) -> None:
    poses = np.zeros((2, 3, 30, 18, 1), dtype=np.float32)
    for row in range(2):
        poses[row, :2, :12, :, 0] = motion(row, 1, 18, dimensions=2).transpose(2, 0, 1)
        poses[row, 2, :12] = 0.75
    poses[1, 2, 5, 3] = 0.25
    files = [tmp_path / name for name in ("data.npy", "label.npy")]
    np.save(files[0], poses)
    np.save(files[1], np.array([0, 1]))
    source = opened("ctrgcn", *files, channels="xyc", **{"min-confidence": 0.5})
    recording = source.read(source.samples[1])
    assert (recording.padding, recording.missing_joints, recording.unsure_joints) == (18, 1, 1)
    assert recording.confidence == pytest.approx(0.75 - 0.5 / (12 * 18))
    assert not recording.coordinates[..., 2].any()
    assert np.array_equal(recording.coordinates[0, :, 0], poses[1, 0, :12, 0, 0])
