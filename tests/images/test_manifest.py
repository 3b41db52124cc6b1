import json
from pathlib import Path

import pytest

from skelnas.errors import InputError
from skelnas.images.build import build_image_set, manifest
from skelnas.images.manifest import read_manifest, write_manifest

from .small import RULE, small_source


@pytest.fixture
def path(tmp_path: Path) -> Path:
    source = small_source()
    image_set, report = build_image_set("small", source, {"split": RULE})
    write_manifest(tmp_path / "small.json", manifest(image_set, source, report))
    return tmp_path / "small.json"


def test_a_manifest_comes_back_and_is_plain_json(path: Path) -> None:
    values = read_manifest(path)
    assert (values["height"], values["width"], values["classes"]) == (8, 12, ["wave", "clap", "wink \u00f1"])
    assert {**values, "checksum": json.loads(path.read_text())["checksum"]} == json.loads(path.read_text())


@pytest.mark.parametrize(
    ("key", "value"), [("height", 12), ("classes", ["a"]), ("fingerprint", "ab" * 32), ("mean", [0])]
)
def test_what_was_changed_by_hand_is_refused(path: Path, key: str, value: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(InputError, match=r"small.json was changed after it was written; get it again"):
        read_manifest(path)


def test_every_flipped_bit_is_noticed_or_changes_no_value(path: Path) -> None:
    content, values = path.read_bytes(), read_manifest(path)
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            found = read_manifest(path)
        except InputError:
            continue
        assert found == values


@pytest.mark.parametrize("content", [b"", b"[1]", b"{}", b"[" * 99_999, b"\xff\xfe", b'{"height": NaN}'])
def test_what_is_no_manifest_is_a_sentence(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"small.json is no manifest of an image set"):
        read_manifest(path)


def test_a_missing_manifest_is_named(path: Path) -> None:
    path.unlink()
    with pytest.raises(InputError, match=r"small.json: there is no such manifest of an image set"):
        read_manifest(path)
