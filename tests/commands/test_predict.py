"""`skelnas predict`: actions with probabilities, tables that fit, JSON, and one sentence for what it cannot read."""

import dataclasses
import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from skelnas.commands import main
from skelnas.images.build import build_image_set
from skelnas.prediction.network import KeptNetwork, probabilities
from skelnas.results.weights import read_weights, write_weights
from skelnas.skeletons import open_source

from ..prediction.kept import facts_of, kept
from ..skeletons import formats

PAGE = (Path(__file__).resolve().parents[2] / "docs/networks.md").read_text(encoding="utf-8")
BLOCK = {
    "reader": "table",
    "axes": "frames joints xyz",
    "pattern": "{label}_P{subject}",
    "width": 12,
    "split": {"rule": "random-recordings", "seed": 1, "test-share": 0.25, "valid-share": 0.25},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder of eight clips, the image set that was made of it, and the file of a network."""
    folder = tmp_path_factory.mktemp("study")
    for label, action in enumerate(formats.LABELS):
        for subject in range(1, 5):
            (folder / "clips").mkdir(exist_ok=True)
            np.save(folder / f"clips/{action}_P{subject}.npy", formats.motion(label, subject))
    source = open_source([folder / "clips"], BLOCK)
    images, _ = build_image_set("gestures", source, BLOCK)
    write_weights(folder / "cell.safetensors", kept(facts_of(images, source, BLOCK)))
    return folder, images


def said(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main(["predict", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_probabilities_are_those_of_the_network_on_the_images_of_the_set(study, capsys):
    folder, images = study
    code, text, _ = said(capsys, folder / "cell.safetensors", folder / "clips", "--json", "--top", 2)
    answer = json.loads(text)
    expected = probabilities(KeptNetwork.of(read_weights(folder / "cell.safetensors")).logits(images.pool_images))
    found = {one["recording"]: one for one in answer["recordings"]}
    assert code == 0
    assert len(found) == 8
    for name, row in zip(images.pool_names, expected, strict=True):
        actions = {one["action"]: one["probability"] for one in found[name]["actions"]}
        np.testing.assert_allclose([actions[action] for action in images.class_names], row, rtol=1e-4)
        assert found[name]["actions"][0]["probability"] >= found[name]["actions"][1]["probability"]
        assert name.startswith(found[name]["stated"])
    assert answer["network"]["cell"] == 1462
    assert set(answer["seconds"]) == {"images", "network"}


def test_table_fits_the_width_and_counts_what_names_state(study, capsys, monkeypatch):
    folder, _ = study
    monkeypatch.setenv("COLUMNS", "48")
    clips = sorted((folder / "clips").iterdir())
    code, text, _ = said(capsys, folder / "cell.safetensors", folder / "clips", *clips[:2], "--top", 1, "--by-class")
    table = text.split("\n\n")[1].splitlines()
    assert code == 0
    assert len(table) == 2 + 10
    assert max(map(len, table)) <= 48
    assert table[-1].startswith("…")
    assert "of 8 as their names state" in text
    assert "10 recordings, " in text
    assert " s for each on one core: " in text
    by_class = text.split("\n\n")[2].splitlines()
    assert [line.split()[2] for line in by_class[2:]] == ["4", "4"]


def test_what_cannot_be_read_is_said_and_the_rest_is_named(study, capsys, tmp_path):
    folder, _ = study
    (tmp_path / "x.npy").write_bytes(b"no recording")
    np.save(tmp_path / "seven.npy", formats.motion(0, 1, 7))
    good = folder / "clips/bow_P1.npy"
    code, text, errors = said(capsys, folder / "cell.safetensors", tmp_path / "x.npy", good, tmp_path / "seven.npy")
    assert code == 1
    assert "bow" in text
    first, second = errors.splitlines()
    assert first.startswith(str(tmp_path / "x.npy"))
    assert "has 7 joints, the network was trained on 25" in second
    code, text, errors = said(capsys, folder / "cell.safetensors", tmp_path / "none.npy")
    assert (code, text) == (1, "")
    assert errors == f"{tmp_path / 'none.npy'} does not exist; correct the path of the recording\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--top", "0"], "--top 0 names nothing"),
        (["--option", "reader"], "give KEY=VALUE"),
        (["--option", "reader=video"], "the reader 'video' is not known; choose one of csv, ctrgcn"),
        (["--option", "min-confidence=high"], "min-confidence is 'high', expected a number"),
        (["--option", "classes=wave"], "classes is 'wave', expected a list"),
        (["--option", "reader=csv", "--option", "preset=x"], "preset is 'x', expected one of"),
        (["--option", "reader=csv", "--option", "columns=x"], "columns is 'x', expected a block"),
        (["--option", "axis=xyz"], "axis is no key of the reader table"),
    ],
)
def test_mistakes(study, capsys, arguments, words):
    folder, _ = study
    code, text, errors = said(capsys, folder / "cell.safetensors", folder / "clips", *arguments)
    assert (code, text) == (1, "")
    assert words in errors
    assert errors.count("\n") == 1


def test_a_damaged_model_is_one_sentence(study, capsys, tmp_path):
    folder, _ = study
    content = (folder / "cell.safetensors").read_bytes()
    (tmp_path / "half.safetensors").write_bytes(content[:500])
    code, text, errors = said(capsys, tmp_path / "half.safetensors", folder / "clips")
    assert (code, text) == (1, "")
    assert errors.startswith(f"{tmp_path / 'half.safetensors'} is cut off")
    weights = read_weights(folder / "cell.safetensors")
    facts = dataclasses.replace(weights.facts, encoding="later")
    write_weights(tmp_path / "later.safetensors", dataclasses.replace(weights, facts=facts))
    code, _, errors = said(capsys, tmp_path / "later.safetensors", folder / "clips")
    assert code == 1
    assert "the encoding 'later', which this skelnas does not know" in errors


def test_the_commands_of_the_page(study, capsys, tmp_path, monkeypatch):
    folder, _ = study
    shutil.copytree(folder / "clips", tmp_path / "clips")
    shutil.copy(folder / "cell.safetensors", tmp_path / "cell-01462.safetensors")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^skelnas (.+)$", PAGE, re.MULTILINE)
    assert len(commands) == 5
    for command in commands:
        assert main(shlex.split(command)) == 0
        assert capsys.readouterr().err == ""
    assert (tmp_path / "cell-01462.onnx").stat().st_size > 100_000
