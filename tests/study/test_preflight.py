"""Each check passes where all is well, and names fault and remedy where it is not."""

import os
import zipfile

import numpy as np
import pytest
import torch

from skelnas.images.image_set import ImageSet, sealed, write_image_set
from skelnas.study import preflight


@pytest.fixture
def tiny_images():
    """Two images for training, one for validation, one for testing, in two classes."""
    images, labels = np.arange(4 * 8 * 12 * 3, dtype=np.uint8).reshape(4, 8, 12, 3), np.array([0, 1, 0, 1])
    pool = {
        "pool_images": images[:3],
        "pool_labels": labels[:3],
        "pool_subjects": labels[:3],
        "pool_names": ("a", "b", "c"),
    }
    test = {"test_images": images[3:], "test_labels": labels[3:], "test_subjects": labels[3:], "test_names": ("d",)}
    index = {"train_index": np.array([0, 1]), "valid_index": np.array([2])}
    constants = {"mean": np.full(3, 100.0), "std": np.full(3, 50.0), "class_names": ("x", "y")}
    return sealed(ImageSet(name="a", encoding="swap-axes", fingerprint="", **pool, **test, **index, **constants))


def config(*sources, reader="ntu"):
    block = {"reader": reader, "sources": list(sources), "split": {"rule": "table"}}
    runs = [{"dataset": "a", "recipe": "r", "seeds": [1], "cells": "0", "cells-per-shard": 1}]
    return {
        "datasets": {"a": block},
        "recipes": {"r": {"epochs": 1, "batch-size": 2}},
        "studies": {"s": {"runs": runs, "analyses": []}},
    }


def only(checks):
    [check] = checks
    return check


def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path):
    assert preflight.writable(tmp_path / "results").passed
    assert list((tmp_path / "results").iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "results").touch()  # a file where the folder should be: refused to root, too
    check = preflight.writable(tmp_path / "results")
    assert not check.passed
    assert f"{tmp_path}/results/ cannot be written on {os.uname().nodename}: " in check.sentence


def test_disk():
    assert preflight.enough_disk(10, 10).passed
    check = preflight.enough_disk(2_000_000_000, 1_500_000_000)
    assert check == preflight.Check(
        False, "the study writes at most 2.0 GB more and 1.5 GB are free: make room (`make plan`)"
    )


@pytest.mark.parametrize(
    ("source", "passed", "words"),
    [
        ({"file": "x.zip", "register": "https://page"}, False, "x.zip is missing: get it from https://page and put it"),
        ({"file": "x.zip", "url": "https://page/x.zip"}, True, "will be downloaded by this machine from https://page"),
        ({"file": "x.zip", "url": "/no/such/file"}, False, "x.zip is missing: put it there, or say in config.yaml"),
        ({"file": "x.zip"}, False, "x.zip is missing"),
        ({"folder": "/no/such/folder"}, False, "the folder /no/such/folder is not there: correct `folder`"),
    ],
)
def test_sources_that_are_not_there(tmp_path, source, passed, words):
    check = only(preflight.data(config(source), "s", tmp_path))
    assert check.passed == passed
    assert words in check.sentence


def test_generated_and_copied_sources(tmp_path):
    assert only(preflight.data(config({"file": "x.zip"}, reader="synthetic"), "s", tmp_path)).passed
    (tmp_path / "mine.zip").touch()
    url = (tmp_path / "mine.zip").as_uri()
    assert only(preflight.data(config({"file": "x.zip", "url": url}), "s", tmp_path)).passed
    assert only(preflight.data(config({"folder": str(tmp_path)}), "s", tmp_path)).passed


def test_sources_that_are_there(tmp_path):
    path = tmp_path / "data/raw/x.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("names.txt", "a\n" * 1000)
    assert only(preflight.data(config({"file": "x.zip", "register": "https://page"}), "s", tmp_path)).passed
    check = only(preflight.data(config({"file": "x.zip", "sha256": "0" * 64}), "s", tmp_path))
    assert not check.passed
    assert "x.zip has not the SHA-256 that config.yaml expects" in check.sentence
    path.write_bytes(path.read_bytes()[:-30])
    check = only(preflight.data(config({"file": "x.zip"}), "s", tmp_path))
    assert not check.passed
    assert "x.zip is cut off or no zip archive" in check.sentence


def test_image_sets_stand_in_for_their_sources(tmp_path, tiny_images):
    path = tmp_path / "results/images/a.h5"
    write_image_set(path, tiny_images)
    missing = config({"file": "x.zip", "register": "https://page"})
    check = only(preflight.data(missing, "s", tmp_path))
    assert check.passed
    assert check.sentence.endswith(f"a.h5 is intact: {sum(tiny_images.counts.values())} images")
    path.write_bytes(path.read_bytes()[:-100])
    check = only(preflight.data(missing, "s", tmp_path))
    assert not check.passed
    assert "a.h5 cannot be read as an image set" in check.sentence


WORKING = {"fault": "", "cuda": "13.0", "name": "GPU A", "memory": 150_000_000_000, "driver": "590.1", "count": 1}
MISSING = {"fault": "PyTorch 2 sees no GPU", "cuda": "13.0"}


@pytest.mark.parametrize(
    ("facts", "device", "in_job", "passed", "words"),
    [
        (WORKING, "auto", True, True, "has a working GPU A with 150 GB, driver 590.1"),
        (WORKING | {"count": 4}, "auto", True, True, "has 4 working GPUs, the first GPU A with 150 GB, driver"),
        (WORKING | {"driver": ""}, "cuda", False, True, "has a working GPU A with 150 GB"),
        (MISSING, "auto", True, False, "has no GPU to train on: PyTorch 2 sees no GPU; correct `train`"),
        (MISSING, "cuda", True, False, "has no GPU to train on"),
        (MISSING, "cuda", False, False, "PyTorch 2 sees no GPU; set it to auto or cpu"),
        (MISSING, "auto", False, True, "cells train on the processor"),
        (MISSING, "cpu", True, True, "no GPU is needed"),
    ],
)
def test_gpu(facts, device, in_job, passed, words):
    check = preflight.gpu(facts, device, in_job)
    assert check.passed == passed
    assert words in check.sentence


def test_versions():
    here = preflight.versions()
    assert only(preflight.same_versions(here, here, "n1")).passed
    there = {**here, "torch": "1.0", "h5py": ""}
    torch, h5py = preflight.same_versions(here, there, "n1")
    assert not torch.passed
    assert torch.sentence == f"torch is {here['torch']} here and 1.0 on n1: let both use one environment"
    assert "missing on n1" in h5py.sentence


@pytest.mark.parametrize(("seconds", "passed"), [(300, True), (120, True), (60, False), (2, False)])
def test_how_long_slurm_remembers_jobs(seconds, passed):
    answer = f"Configuration data as of 2026\nMaxTasksPerNode         = 512\nMinJobAge               = {seconds} sec\n"
    assert only(preflight.min_job_age(answer)).passed == passed


def test_a_short_memory_of_slurm_says_what_to_set():
    assert (
        "before-status-checks in slurm/config.yaml to 20 at most"
        in only(preflight.min_job_age("MinJobAge = 60 sec")).sentence
    )


def test_a_gpu_is_named_and_its_absence_too():
    facts = preflight.gpu_facts()
    if torch.cuda.is_available():
        assert facts["fault"] == ""
        assert facts["name"] == torch.cuda.get_device_name(0)
        assert facts["memory"] > 1e9
        assert facts["count"] == torch.cuda.device_count()
    else:
        why = "sees no GPU" if torch.version.cuda else "is a build for processors only"
        assert facts == {"fault": f"PyTorch {torch.__version__} {why}", "cuda": torch.version.cuda or ""}


def test_a_gpu_that_is_visible_and_does_not_work(monkeypatch):
    def refuse(*shape, device):
        if device == "cuda:0":
            return torch.full(shape, 1.0)
        raise RuntimeError("CUDA error: no kernel image is available\nfor this device")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch, "ones", refuse)
    assert preflight.gpu_facts()["fault"] == "GPU 1 cannot be used (CUDA error: no kernel image is available)"
