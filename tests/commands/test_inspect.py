"""`skelnas inspect`: for each format the block that it prints makes an image set, as it stands."""

import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from skelnas.commands import main
from skelnas.images.build import build_image_set
from skelnas.skeletons.readers import READERS

sys.path.insert(0, str(Path(__file__).parents[1] / "skeletons"))

import formats


def inspected(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict]:
    """What is said, and the block."""
    assert main(["inspect", str(path)]) == 0
    said, _, block = capsys.readouterr().out.partition("\n\n")
    ((_, values),) = yaml.safe_load(block)["datasets"].items()
    return said, values


def write_arrays(folder: Path) -> Path:
    folder.mkdir()
    for label, name in enumerate(formats.LABELS):
        for subject in range(1, 5):
            np.save(folder / f"{name}_{subject}.npy", formats.motion(label, subject, 7, 10 + subject))
    return folder


@pytest.mark.parametrize(
    ("reader", "write", "name"),
    [
        ("pyskl", formats.write_pyskl, "a.pkl"),
        ("ctrgcn", formats.write_ctrgcn, "a.npz"),
        ("openpose", formats.write_openpose, "frames"),
        ("csv", formats.write_mediapipe, "clips"),
        ("csv", formats.write_kinect_v2, "clips"),
        ("table", write_arrays, "clips"),
    ],
)
def test_the_block_makes_an_image_set(
    reader: str, write, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / name)
    said, block = inspected(path, capsys)
    assert block["reader"] == reader
    assert "recordings: 8" in said
    assert "labels: 2" in said
    source = READERS[reader].open([path], block)
    image_set, _ = build_image_set("tiny", source, block)
    assert sum(image_set.counts.values()) == 8
    assert min(image_set.counts.values()) > 0


def test_what_is_not_known_says_what_was_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/a.bvh").write_text("HIERARCHY")
    assert main(["inspect", str(tmp_path / "clips")]) == 1
    said = capsys.readouterr().err
    assert "is of no format that is known. It has 1 x .bvh; the first: a.bvh" in said
    assert "There are the readers csv, ctrgcn, ntu, openpose, pyskl" in said
    assert main(["inspect", str(tmp_path / "nothing")]) == 1
