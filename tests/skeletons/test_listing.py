"""Patterns and names of subjects; the layouts of public data sets, with their quirks, go in without a script."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skelnas.errors import InputError
from skelnas.images.build import build_image_set, manifest
from skelnas.skeletons.listing import listed_by_pattern
from skelnas.skeletons.readers import READERS
from skelnas.skeletons.recording import BadRecording, Source

from .formats import motion


def opened(folder: Path, **options: Any) -> Source:
    return READERS["table"].open([folder], {key.replace("_", "-"): value for key, value in options.items()})


def test_patterns() -> None:
    names = ["a13_s09_e03_skeleton3D.txt", "x/a2_s10_e01_skeleton3D.txt", "readme.txt"]
    listing = listed_by_pattern("a{label}_s{subject}_e{trial}_*", names, (), "clips")
    assert listing.class_names == ("2", "13")
    assert [(s.name, s.label, s.subject, s.trial) for s in listing.samples] == [
        (names[0], 1, 9, 3),
        (names[1], 0, 10, 1),
    ]
    assert listing.unlisted == {"readme.txt": "not called a{label}_s{subject}_e{trial}_*"}
    folders = listed_by_pattern("{label}/{subject}/*", ["wave/P02/1.npy", "bow/P10/1.npy"], (), "clips")
    assert folders.subject_names == {1: "P02", 2: "P10"}
    assert [s.subject for s in folders.samples] == [2, 1]
    digits = listed_by_pattern("{subject}_{label}", ["s1_wave.npy", "s2_wave2.npy"], (), "clips")
    assert digits.class_names == ("wave", "wave2")  # a label at the end of the name may end in digits
    for pattern, words in (
        ("s{subject}", "must have {label} once"),
        ("{label}_{label}", "must have {label} once"),
        ("{label}_{person}", "{person} is not known; there are label, subject"),
        ("b{label}", "no recording in clips is called 'b{label}'; the first is a13"),
    ):
        with pytest.raises(InputError, match=words.replace("{", r"\{")):
            listed_by_pattern(pattern, names, (), "clips")


def test_msr_action3d(tmp_path: Path) -> None:
    """Lines of x y z confidence, joint by joint and frame by frame, among them frames of zeros; one is mostly empty."""
    for label in (1, 2):
        for subject in (1, 2, 3, 4):
            pose = np.concatenate([motion(label % 2, subject, 20), np.full((12, 20, 1), 0.9)], axis=2)
            if (label, subject) == (2, 1):
                pose[4:6] = 0
            if (label, subject) == (2, 4):
                pose[2:11] = 0
            np.savetxt(tmp_path / f"a{label:02d}_s{subject:02d}_e01_skeleton3D.txt", pose.reshape(-1, 4), "%.5f")
    pattern = "a{label}_s{subject}_e{trial}_skeleton3D"
    source = opened(
        tmp_path, pattern=pattern, axes="frames*joints xyzc", skeleton="kinect-v1", empty_frames="interpolate"
    )
    block = {"split": {"rule": "leave-subjects-out", "valid": [3], "test": [4]}, "on-bad-recording": "exclude"}
    image_set, report = build_image_set("msr", source, block)
    described = manifest(image_set, source, report)
    assert described["frames-without-body"] == {"a02_s01_e01_skeleton3D.txt": 2}
    (why,) = described["excluded"].values()
    assert "9 of 12 frames are empty, more than most-missing allows" in why
    assert described["joints"][0] == "hip_center"
    first = source.read(source.samples[0]).coordinates
    assert np.allclose(first, motion(1, 1, 20).transpose(1, 0, 2), atol=1e-5)
    with pytest.raises(BadRecording, match="joints share an axis with frames; say how many there are"):
        opened(tmp_path, pattern=pattern, axes="frames*joints xyzc")


def test_nw_ucla(tmp_path: Path) -> None:
    """JSON objects of frames x joints x 3 beside other values; the split is by camera."""
    for label in (1, 2):
        for camera in (1, 2, 3):
            for subject in (1, 2, 3):
                value = {"file_name": "x", "skeletons": motion(label % 2, subject, 20).tolist(), "label": label}
                (tmp_path / f"a{label:02d}_s{subject:02d}_e01_v{camera:02d}.json").write_text(json.dumps(value))
    source = opened(
        tmp_path, pattern="a{label}_s{subject}_e{trial}_v{camera}", axes="frames joints xyz", key="skeletons"
    )
    for rule, counts in (
        ({"valid": [2]}, {"train": 6, "valid": 6, "test": 6}),
        ({"valid-share": 0.34, "seed": 1, "by": "subject"}, {"train": 8, "valid": 4, "test": 6}),
    ):
        image_set, _ = build_image_set("ucla", source, {"split": {"rule": "cameras", "test": [3], **rule}})
        assert image_set.counts == counts


def test_sbu(tmp_path: Path) -> None:
    """Two bodies in a line, labels in the names of folders; two roots, so that there are tree encodings."""
    tree = [-1, 0, 1]
    for label in (1, 2):
        for pair in ("s01s02", "s02s03", "s03s04"):
            folder = tmp_path / f"{pair}/{label:02d}/001"
            folder.mkdir(parents=True)
            pose = np.concatenate([motion(label % 2, 1, 3), motion(label % 2, 2, 3)], axis=1)
            np.savetxt(folder / "skeleton_pos.txt", pose.reshape(len(pose), -1), "%.5f", ",")
    source = opened(
        tmp_path,
        pattern="{subject}/{label}/{trial}/skeleton_pos",
        axes="frames joints*xyz",
        **{"joint-tree": [*tree, *[parent + 3 if parent >= 0 else -1 for parent in tree]]},
    )
    assert source.bodies == 2
    assert source.subject_names == {1: "s01s02", 2: "s02s03", 3: "s03s04"}
    rule = {"rule": "leave-one-subject-out", "subject": "s03s04", "valid": ["s02s03"]}
    image_set, report = build_image_set("sbu", source, {"split": rule, "encoding": "tree-structure"})
    assert image_set.counts == {"train": 2, "valid": 2, "test": 2}
    assert image_set.height == 12  # 2 x (2 x 3 - 1) rows, brought up to a multiple of 4
    assert manifest(image_set, source, report)["subjects"] == {"1": "s01s02", "2": "s02s03", "3": "s03s04"}
    with pytest.raises(InputError, match="the split rule names the subject 's09'; the source has s01s02, s02s03"):
        build_image_set("sbu", source, {"split": {**rule, "subject": "s09"}})
