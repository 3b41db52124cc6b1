"""Files below data/raw/ survive every flag; a receipt stands for each, and what is wanted follows from the receipts."""

import copy
import json
from pathlib import Path

import pytest
import yaml

from .checkout import Checkout
from .recordings import pack, recordings

pytestmark = pytest.mark.workflow

SPLIT = {"rule": "subjects", "train": [1, 3, 5, 7], "valid": [7]}
CONFIG = {
    "study": "small",
    "datasets": {
        "given": {"reader": "utd_mhad", "sources": [{"file": "given.zip"}], "width": 12, "split": SPLIT},
        "fetched": {
            "reader": "utd_mhad",
            "sources": [{"file": "deep/fetched.zip", "url": "elsewhere.zip"}],
            "width": 12,
            "split": SPLIT,
        },
    },
    "recipes": {"e1": {"epochs": 1, "batch-size": 4}},
    "studies": {"small": {"runs": [{"dataset": "given", "recipe": "e1", "seeds": [777], "cells": "0-1"}]}},
}
TARGETS = ("results/images/given.json", "results/images/fetched.json")
RAW = ("data/raw/given.zip", "data/raw/deep/fetched.zip")


def write_config(checkout: Checkout, **changes: object) -> None:
    """Change the source of `fetched` and write config.yaml anew."""
    config = copy.deepcopy(CONFIG)
    config["datasets"]["fetched"]["sources"][0].update(changes)
    (checkout.folder / "config.yaml").write_text(yaml.safe_dump(config))


def test_what_was_fetched_and_what_was_given(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path, CONFIG)
    pack(tmp_path / RAW[0], recordings())
    pack(tmp_path / "elsewhere.zip", recordings(trials=2))
    (tmp_path / "data/raw/table.csv").write_text("written by hand\n")
    checkout.snakemake(*TARGETS)
    assert checkout.plan(*TARGETS) == {}
    raw = {name: (tmp_path / name).read_bytes() for name in checkout.files("data")}
    assert sorted(raw) == sorted([*RAW, "data/raw/table.csv"])
    receipts = [
        json.loads((tmp_path / f"results/sources/{name}.json").read_text())
        for name in ("given.zip", "deep/fetched.zip")
    ]
    assert [receipt["whence"] for receipt in receipts] == ["was there", "elsewhere.zip"]
    manifest = json.loads((tmp_path / TARGETS[1]).read_text())
    assert manifest["sources"] == [{key: receipts[1][key] for key in ("file", "size", "sha256")}]

    def all_there() -> bool:
        return raw == {name: (tmp_path / name).read_bytes() for name in checkout.files("data")}

    # A call that names a raw file is answered with its receipt.
    output = checkout.snakemake(*RAW)
    assert f"{RAW[1]}: {len(raw[RAW[1]]):,} bytes, SHA-256 {receipts[1]['sha256']}, elsewhere.zip" in output
    for flags in (["--force"], ["--forceall"], ["--forcerun", "download"], ["--delete-all-output"]):
        checkout.snakemake(*RAW, *TARGETS, flags=flags)
        assert all_there(), flags
    (tmp_path / "elsewhere.zip").unlink()
    checkout.snakemake(*TARGETS)  # receipts were deleted, the files were not
    assert all_there()
    assert checkout.plan(*TARGETS) == {}

    # Without its recordings, a finished image set is still finished.
    (tmp_path / RAW[0]).rename(tmp_path / "away.zip")
    assert checkout.plan(*TARGETS) == {}
    (tmp_path / "away.zip").rename(tmp_path / RAW[0])

    # What goes wrong with a new address or a checksum leaves the file in place.
    for changes in ({"sha256": "0" * 64}, {"url": "nowhere.zip", "sha256": "0" * 64}):
        write_config(checkout, **changes)
        output = checkout.snakemake(TARGETS[1], succeeds=False)
        assert output.count(f"{RAW[1]} has the SHA-256") == 1, output
        assert "Traceback" not in output
        assert all_there()

    # A file that is put in the place of another is noticed.
    write_config(checkout)
    pack(tmp_path / RAW[0], recordings(actions=5))
    assert checkout.plan(TARGETS[0]) == {"download": 1, "image_set": 1, "total": 2}
    checkout.snakemake(*TARGETS)
    assert len(json.loads((tmp_path / TARGETS[0]).read_text())["classes"]) == 5
    assert checkout.plan(*TARGETS) == {}


def test_an_address_with_a_secret(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path, CONFIG)
    write_config(checkout, url="http://me:hunter2@127.0.0.1:1/a.zip?key=t0ken", sha256="0" * 64)
    pack(tmp_path / RAW[1], recordings())
    output = checkout.snakemake(TARGETS[1], flags=["--verbose"], succeeds=False)
    assert "or move it away to have it fetched from http://***@127.0.0.1:1/a.zip?***" in output
    for name in checkout.files("logs", "results", ".snakemake/metadata", ".snakemake/log"):
        output += (tmp_path / name).read_text(errors="replace")
    assert "hunter2" not in output
    assert "t0ken" not in output


def test_generated_recordings_survive(tmp_path: Path) -> None:
    checkout, file = Checkout.make(tmp_path), tmp_path / "data/raw/synthetic/Skeleton.zip"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"mine")
    checkout.snakemake("data/raw/synthetic/Skeleton.zip", flags=["--forceall"])
    assert file.read_bytes() == b"mine"
