"""Bad input ends in one sentence that says what to do, and leaves nothing half-written."""

import copy
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ..lacking import lacking
from .checkout import Checkout
from .recordings import pack, recordings

pytestmark = pytest.mark.workflow

SPLIT = {"rule": "subjects", "train": [1, 3, 5, 7], "valid": [7]}
CONFIG = {
    "study": "small",
    "datasets": {"good": {"reader": "utd_mhad", "sources": [{"file": "good.zip"}], "width": 12, "split": SPLIT}},
    "recipes": {"e1": {"epochs": 1, "batch-size": 4}},
    "studies": {"small": {"runs": [{"dataset": "good", "recipe": "e1", "seeds": [777], "cells": "0-1"}]}},
}

# Where the mistake is, what stands there, and what is said about it.
CONFIGURATIONS = {
    "an unknown key": (
        ("recipes", "e1", "epoch"),
        10,
        "recipes.e1 has an unknown key: epoch; known there are batch-size, epochs",
    ),
    "a wrong type": (
        ("recipes", "e1", "epochs"),
        "ten",
        "recipes.e1.epochs is 'ten', expected a whole number",
    ),
    "a range past the last cell": (
        ("studies", "small", "runs", 0, "cells"),
        "15620-15700",
        "studies.small.runs[0].cells: cells '15620-15700': there is no cell 15700; indices run from 0 to 15624",
    ),
    "a malformed cell": (
        ("studies", "small", "runs", 0, "cells"),
        "|nor_conv_9x9~0|",
        "studies.small.runs[0].cells: cells '|nor_conv_9x9~0|': '|nor_conv_9x9~0|' is not understood; "
        "give all, one-per-class",
    ),
    "an unknown study": (
        ("study",),
        "smal",
        "there is no study 'smal'; there are small",
    ),
}


@pytest.mark.parametrize("mistake", CONFIGURATIONS)
def test_configuration(mistake: str, tmp_path: Path) -> None:
    place, value, sentence = CONFIGURATIONS[mistake]
    config = copy.deepcopy(CONFIG)
    block = config
    for key in place[:-1]:
        block = block[key]
    block[place[-1]] = value
    checkout = Checkout.make(tmp_path, config)
    output = checkout.snakemake("small", succeeds=False)
    assert len(re.findall(rf"config\.yaml, line \d+: {re.escape(sentence)}", output)) == 1, output
    assert "Traceback" not in output
    assert checkout.files("results", "data") == []


def test_unknown_targets(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path, CONFIG)
    for target, sentence in {
        "smal": "smal",
        "results/train/good/e9/seed1/00000-00000.h5": "config.yaml: there is no recipe 'e9'; there are e1",
        "results/train/good/e1/seed1/15624-15625.h5": "there is no cell 15625; indices run from 0 to 15624",
    }.items():
        output = checkout.snakemake(target, succeeds=False)
        assert sentence in output
        assert "Traceback" not in output


def without_a_class_in_training() -> dict[str, np.ndarray]:
    return {name: array for name, array in recordings().items() if not re.match(r"a4_s[135]_", name)}


def with_one(skeleton: np.ndarray) -> dict[str, np.ndarray]:
    """Good recordings, and one that is not."""
    return recordings() | {"a2_s3_t1_skeleton.mat": skeleton}


def damage(archive: Path, member: bytes) -> None:
    """Change one byte in the middle of a member, which is stored as it is."""
    content = bytearray(archive.read_bytes())
    content[content.index(member) + 1000] ^= 0xFF
    archive.write_bytes(content)


def cut(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-1000])


GOOD = np.zeros((20, 3, 30), np.float32) + np.linspace(0, 1, 30, dtype=np.float32)
# By name of the data set: its members, and what is said about it.
ARCHIVES = {
    "truncated": (
        recordings,
        r"data/raw/truncated\.zip is truncated or no zip archive \(.*\); put a whole one in its place",
    ),
    "content": (
        recordings,
        r"data/raw/content\.zip has the content fingerprint [0-9a-f]{64}, the configuration expects 0{64}; download",
    ),
    "damaged": (
        recordings,
        r"data/raw/damaged\.zip: member a3_s1_t1_skeleton\.mat cannot be read \(Bad CRC-32.*\); download or pack",
    ),
    "alien": (
        lambda: recordings() | {"holiday.jpg": b"no skeleton"},
        r"data/raw/alien\.zip: member holiday\.jpg is no a<action>_s<subject 1-8>_t<trial 1-4>_skeleton\.mat; remove",
    ),
    "climbs": (
        lambda: recordings() | {"../a4_s8_t2_skeleton.mat": GOOD},
        r"data/raw/climbs\.zip: member \.\./a4_s8_t2_skeleton\.mat climbs out of the archive; pack",
    ),
    "nan": (
        lambda: with_one(np.where(GOOD > 0.5, np.nan, GOOD)),
        r"data/raw/nan\.zip: a2_s3_t1_skeleton\.mat: joint 1 of frame 16 has no finite x coordinate; mend it",
    ),
    "empty": (
        lambda: with_one(GOOD[:, :, :0]),
        r"data/raw/empty\.zip: a2_s3_t1_skeleton\.mat: the recording has no frames.*; mend it",
    ),
    "constant": (
        lambda: with_one(np.zeros_like(GOOD)),
        r"data/raw/constant\.zip: a2_s3_t1_skeleton\.mat: all coordinates equal 0.*; mend it",
    ),
    "joints": (
        lambda: with_one(GOOD[:19]),
        r"data/raw/joints\.zip: a2_s3_t1_skeleton\.mat: 19 joints, expected 20; mend it",
    ),
    "classless": (
        without_a_class_in_training,
        r"1 of 4 classes have no recording in train \(class 4 \(action 4\)\); change the split rule",
    ),
}
DOWNLOADS = {
    "missing": ({"url": "nowhere/Skeleton.zip"}, r"nowhere/Skeleton\.zip is not a file; correct `url` of missing\.zip"),
    "checksum": (
        {"url": "data/raw/good.zip", "sha256": "0" * 64},
        r"has the SHA-256 [0-9a-f]{64}, expected 0{64}; replace data/raw/good\.zip or correct `sha256`",
    ),
    "registered": (
        {"register": "https://rose1.ntu.edu.sg/dataset/actionRecognition/"},
        r"data/raw/registered\.zip is missing and cannot be downloaded without a registration: get it from "
        r"https://rose1\.ntu\.edu\.sg/dataset/actionRecognition/ and put it there",
    ),
}


@pytest.fixture(scope="module")
def bad_data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, str]:
    """A checkout in which one good and many bad data sets were asked for, and what snakemake said."""
    folder = tmp_path_factory.mktemp("bad_data")
    config = copy.deepcopy(CONFIG)
    for name in [*ARCHIVES, *DOWNLOADS]:
        source = {"file": f"{name}.zip", **DOWNLOADS.get(name, ({},))[0]}
        config["datasets"][name] = {**CONFIG["datasets"]["good"], "sources": [source]}
    config["datasets"]["content"]["content"] = "0" * 64
    pack(folder / "data/raw/good.zip", recordings())
    for name, (members, _) in ARCHIVES.items():
        pack(folder / f"data/raw/{name}.zip", members())
    cut(folder / "data/raw/truncated.zip")
    damage(folder / "data/raw/damaged.zip", b"a3_s1_t1_skeleton.mat")
    checkout = Checkout.make(folder, config)
    targets = [f"results/images/{name}.json" for name in config["datasets"]]
    return checkout, checkout.snakemake(*targets, flags=["--keep-going"], succeeds=False)


@pytest.mark.parametrize("name", [*ARCHIVES, *DOWNLOADS])
def test_data(name: str, bad_data: tuple[Checkout, str]) -> None:
    checkout, output = bad_data
    log = f"logs/image_set/{name}.log" if name in ARCHIVES else f"logs/download/{name}.zip.log"
    said = [line for line in (checkout.folder / log).read_text().splitlines() if " left" not in line]  # no progress
    assert len(said) == 1, said
    sentence = {**ARCHIVES, **DOWNLOADS}[name][1]
    assert re.search(sentence, said[0]), said[0]
    assert output.count(said[0]) == 1
    assert "Traceback" not in output


def test_bad_data_leaves_nothing_half_written(bad_data: tuple[Checkout, str]) -> None:
    checkout, _ = bad_data
    given = [f"data/raw/{name}.zip" for name in ("good", *ARCHIVES)]
    receipts = [f"results/sources/{name}.zip.json" for name in ("good", *ARCHIVES)]
    images = ["results/images/good.h5", "results/images/good.json"]
    assert checkout.files("results", "data") == sorted([*given, *receipts, *images])


FULL_DISK = """
mount -t tmpfs -o size=1m tmpfs disk
cp -a full/. disk
head -c 1m /dev/zero > disk/filler 2> /dev/null
"$@"
status=$?
cd disk && find . -type f ! -name filler | sort > ../left.txt
exit $status
"""


def test_full_disk(bad_data: tuple[Checkout, str], tmp_path: Path) -> None:
    alone = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]  # the mount ends with the call
    if subprocess.run([*alone, "true"], capture_output=True).returncode:
        lacking("a small disk: it takes root, or user namespaces, to mount one")
    checkout = bad_data[0].copy(tmp_path)
    pack(tmp_path / "data/raw/nan.zip", recordings())
    checkout.snakemake("results/sources/nan.zip.json")
    for folder in ("full", "disk"):
        (tmp_path / folder).mkdir()
    for folder in ("results", "data"):
        shutil.move(tmp_path / folder, tmp_path / "full" / folder)
        (tmp_path / folder).symlink_to(f"disk/{folder}")
    full = tmp_path / "full"
    for archive in (full / "data/raw").glob("*.zip"):
        if archive.name != "nan.zip":
            archive.unlink()
    for file in ("missing.zip", "nowhere/Skeleton.zip"):
        pack(tmp_path / file, recordings())
    before = sorted(f"./{file.relative_to(full)}" for file in full.rglob("*") if file.is_file())
    targets = {
        "data/raw/missing.zip": "data/raw/missing.zip",
        "results/images/nan.json": r"results/images/(nan\.h5|\.journal/nan/.*)",
        "results/train/good/e1/seed1/00000-00001.h5": r"results/train/good/e1/seed1/\.journal/\S*\.journal",
    }
    command = checkout.command(*targets, flags=["--keep-going"])
    done = subprocess.run(
        [*alone, "bash", "-c", FULL_DISK, "bash", *command], cwd=tmp_path, capture_output=True, text=True
    )
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    for file in targets.values():
        sentence = (
            rf"{file} cannot be written: No space left on device; make room or choose another folder, then run again"
        )
        assert len(re.findall(sentence, output)) == 1, output
    assert "Traceback" not in output
    assert (tmp_path / "left.txt").read_text().splitlines() == before


def test_values_of_every_file_are_what_is_typed(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path, CONFIG)
    (tmp_path / "more.yaml").write_text(
        "recipes: {no: {epochs: 1.0, batch-size: 4}}\n"
        "studies: {other: {runs: [{dataset: good, recipe: no, seeds: [008], cells: 00123}]}}\n"
    )
    (tmp_path / "bad.yaml").write_text("\nrecipes: {no: {epochs: .inf}}\n")
    pack(tmp_path / "data/raw/good.zip", recordings())
    flags = ["--configfile", "more.yaml", "--config", "study=other"]

    checkout.snakemake("results/train/good/no/seed8/00123-00123.h5", flags=flags)
    assert checkout.plan("results/train/good/no/seed8/00123-00123.h5", flags=flags) == {}
    output = checkout.snakemake("small", flags=["--configfile", "more.yaml", "bad.yaml"], succeeds=False)
    assert "bad.yaml, line 2: recipes.no.epochs is .inf; write a finite number" in output
    assert "Traceback" not in output


RESERVED = ("train", "noise", "download")


def test_a_study_with_the_name_of_a_rule(tmp_path: Path) -> None:
    for name in RESERVED:
        folder = tmp_path / name
        folder.mkdir()
        checkout = Checkout.make(folder, {**CONFIG, "study": name, "studies": {name: CONFIG["studies"]["small"]}})
        output = checkout.snakemake(succeeds=False)
        assert re.search(
            rf"config\.yaml, line \d+: studies\.{name} has the name of a rule of the workflow; give", output
        )
        assert "Traceback" not in output


def test_a_python_whose_path_has_a_blank(tmp_path: Path) -> None:
    (tmp_path / "checkout").mkdir()
    checkout = Checkout.make(tmp_path / "checkout", CONFIG)
    (tmp_path / "a b").symlink_to(sys.prefix)
    command = [str(tmp_path / "a b/bin/python"), *checkout.command("small")[1:]]
    done = subprocess.run(command, cwd=checkout.folder, capture_output=True, text=True)
    assert done.returncode != 0
    assert "a path with a blank, a quote or the like, at which Snakemake starts no script" in done.stderr + done.stdout
