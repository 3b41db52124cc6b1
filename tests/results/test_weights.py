"""Files of weights: what is written is read, and what is damaged, foreign or changed is one sentence."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from skelnas.cells import space
from skelnas.errors import InputError
from skelnas.network import Network
from skelnas.results.weights import Facts, Weights, read_weights, shapes, write_weights

CELL = 3
FACTS = Facts(
    cell=CELL,
    architecture=space.text(space.cell(CELL)),
    seed=777,
    role="best",
    recipe_name="short",
    recipe={"epochs": 2, "batch_size": 4, "precision": "fp32"},
    engine="fused",
    dataset="gestures",
    options={"reader": "table", "axes": "frames joints xyz"},
    encoding="swap-axes",
    height=20,
    width=68,
    mean=[100.25, 90.0, 80.1],
    std=[50.0, 40.5, 1 / 3],
    classes=["wave", "wink ñ"],
    joints=["hip", "head"],
    parents=[-1, 0],
    right={"train": 3, "valid": 2, "test": 1},
    samples={"train": 4, "valid": 4, "test": 4},
    fingerprint="ab" * 32,
    benchmark="cd" * 32,
    licence="MIT",
)


def tensors() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: random.random(shape, dtype=np.float32) for name, shape in shapes(space.cell(CELL), 2).items()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_weights(tmp_path / "cell.safetensors", Weights(FACTS, tensors()))
    return tmp_path / "cell.safetensors"


def described(path: Path) -> dict:
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["skelnas"])


@pytest.mark.parametrize("cell", [0, 3, 1462, 11472, 15624])
def test_shapes_are_those_of_the_network(cell: int) -> None:
    state = Network(space.cell(cell), 7).state_dict()
    assert shapes(space.cell(cell), 7) == {
        name: tuple(value.shape) for name, value in state.items() if not name.endswith("num_batches_tracked")
    }


def test_what_is_written_is_read_and_the_bytes_are_the_same_every_time(path: Path, tmp_path: Path) -> None:
    found = read_weights(path)
    assert found.facts == FACTS
    assert all(np.array_equal(found.tensors[name], array) for name, array in tensors().items())
    backwards = Weights(FACTS, dict(reversed(tensors().items())))
    write_weights(tmp_path / "again.safetensors", backwards)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    (tmp_path / "any").touch()
    assert path.stat().st_mode == (tmp_path / "any").stat().st_mode  # others may read it where they may read any file


def refused(path: Path, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_weights(path)
    assert str(caught.value).startswith(str(path))


def test_damaged_files_are_told_from_foreign_ones(path: Path, tmp_path: Path) -> None:
    content, other = path.read_bytes(), tmp_path / "other.safetensors"
    length = struct.unpack("<Q", content[:8])[0]
    for cut in (length // 2, length + 8, len(content) - 1):
        other.write_bytes(content[:cut])
        refused(other, "is cut off|is no whole safetensors file")
    for text in (b"", b"{}", b"\x89HDF\r\n\x1a\n" + bytes(50), b"a picture of somebody"):
        other.write_bytes(text)
        refused(other, "is no safetensors file")
    other.write_bytes(struct.pack("<Q", 5_000_000_000) + b"{" + bytes(100))
    refused(other, r"its header would have 5\.0 GB")
    other.write_bytes(struct.pack("<Q", 100) + b"{" + b"x" * 99 + bytes(10))
    refused(other, "is no whole safetensors file")
    changed = bytearray(content)
    changed[-3] ^= 1
    other.write_bytes(changed)
    refused(other, "was changed after it was written")
    refused(tmp_path / "none.safetensors", "there is no such file of weights")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda found: found.pop("norm.weight"), "lacks the tensor norm.weight of cell 3"),
        (lambda found: found.update(more=np.zeros(2, np.float32)), "has the tensor more, which cell 3 has not"),
        (
            lambda found: found.update({"classifier.bias": np.zeros(3, np.float32)}),
            r"the tensor classifier.bias is F32 \(3,\), and cell 3 needs F32 \(2,\)",
        ),
        (
            lambda found: found.update({"norm.bias": np.zeros(64, np.float64)}),
            r"the tensor norm.bias is F64 \(64,\), and cell 3 needs F32 \(64,\)",
        ),
        (lambda found: found["norm.bias"].__setitem__(0, 9), "was changed after it was written"),
    ],
)
def test_other_tensors(path: Path, tmp_path: Path, change, words: str) -> None:
    found = tensors()
    change(found)
    save_file(found, tmp_path / "other.safetensors", {"skelnas": json.dumps(described(path))})
    refused(tmp_path / "other.safetensors", words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "skelnas weights 2"}, "is of the format 'skelnas weights 2', this skelnas reads skelnas weights 1"),
        ({"seed": 888}, "was changed after it was written"),
        ({"height": 10**9}, "images of 1000000000x68"),
        ({"std": [1, 0, 1]}, "the normalisation is"),
        ({"cell": 99999}, "there is no cell 99999"),
        ({"classes": "wave"}, "classes is 'wave'"),
        ({"classes": [1, 2]}, "classes and joints are no names"),
        ({"parents": [0]}, "1 parents of 2 joints"),
        ({"architecture": "|none~0|"}, "cell 3 is not"),
        ({"unheard-of": 1}, "does not say what its weights are of"),
        ({"recipe": {"epoch": 1}}, "does not say what its weights are of"),
    ],
)
def test_other_facts(path: Path, tmp_path: Path, change: dict, words: str) -> None:
    text = json.dumps({**described(path), **change})
    save_file(tensors(), tmp_path / "other.safetensors", {"skelnas": text})
    refused(tmp_path / "other.safetensors", words)


@pytest.mark.parametrize("entry", [{}, {"skelnas": "[" * 10_000}, {"skelnas": "[]"}, {"skelnas": "null"}])
def test_weights_of_another_program(tmp_path: Path, entry: dict) -> None:
    save_file(tensors(), tmp_path / "other.safetensors", entry)
    refused(tmp_path / "other.safetensors", "another program|does not say what its weights are of")
