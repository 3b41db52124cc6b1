"""`skelnas inspect`: for each format the block that it prints makes an image set, as it stands."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from skelnas.commands import main
from skelnas.errors import InputError
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


def write_pairs(folder: Path) -> Path:
    """As ST-GCN writes them, with a stream of bones beside the joints."""
    folder.mkdir()
    for split, subjects in (("train", (1, 2, 3)), ("val", (4,))):
        poses = [formats.motion(label, subject) for label in range(2) for subject in subjects]
        data = np.array(poses, dtype=np.float32).transpose(0, 3, 1, 2)[..., None]
        for stream in ("bone", "joint"):
            np.save(folder / f"{split}_data_{stream}.npy", data)
        labels = np.repeat([0, 1], len(subjects)).tolist()
        (folder / f"{split}_label.pkl").write_bytes(pickle.dumps(([f"{split}{n}" for n in range(len(data))], labels)))
    return folder


@pytest.mark.parametrize(
    ("reader", "write", "name"),
    [
        ("pyskl", formats.write_pyskl, "a.pkl"),
        ("ctrgcn", formats.write_ctrgcn, "a.npz"),
        ("ctrgcn", write_pairs, "arrays"),
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
    files = [Path(one.get("folder", one.get("url"))) for one in block["sources"]]
    source = READERS[reader].open(files, block)
    image_set, _ = build_image_set("tiny", source, block)
    assert sum(image_set.counts.values()) == 8
    assert min(image_set.counts.values()) > 0


def test_what_is_not_known_says_what_was_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/a.bvh").write_text("HIERARCHY")
    assert main(["inspect", str(tmp_path / "clips")]) == 1
    seen, readers = capsys.readouterr().err.splitlines()
    assert seen.endswith("is of no format that is known: 1 x .bvh; the first: a.bvh")
    assert readers.startswith("There are the readers csv, ctrgcn, ntu, openpose, pyskl")
    assert main(["inspect", str(tmp_path / "nothing")]) == 1


def test_pairs_are_found_from_any_of_their_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_pairs(tmp_path / "arrays")
    for name in ("train_data_joint.npy", "val_label.pkl"):
        said, block = inspected(folder / name, capsys)
        names = [Path(one["url"]).name for one in block["sources"]]
        assert names == ["train_data_joint.npy", "train_label.pkl", "val_data_joint.npy", "val_label.pkl"]
        assert block["split"] == {"rule": "table", "valid-share": 0.25, "seed": 1, "by": "recording"}
        assert "split: the source states train and test" in said
    (folder / "train_label.pkl").rename(folder / "train_names.pkl")
    (folder / "val_label.pkl").rename(folder / "val_names.pkl")
    assert main(["inspect", str(folder / "val_data_bone.npy")]) == 1
    seen, reason, _ = capsys.readouterr().err.splitlines()
    assert seen.endswith("is of no format that is known: 1 x .npy; the first: val_data_bone.npy")
    assert "as ctrgcn: the reader ctrgcn needs one .npz, or for each .npy of recordings a file of labels" in reason


def test_lines_of_a_message_are_lines_and_what_files_are_called_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a\nb.bvh").write_text("HIERARCHY")
    assert main(["inspect", str(tmp_path)]) == 1
    seen, _ = capsys.readouterr().err.splitlines()
    assert seen.endswith("the first: a\\nb.bvh")
    again = pickle.loads(pickle.dumps(InputError("one\ntwo", "three")))
    assert str(again) == "one\\ntwo\nthree"
