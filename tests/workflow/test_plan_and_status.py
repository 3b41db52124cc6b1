"""`make plan`, `make status` and `make preflight` on a folder with the beginnings of a study."""

import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest
import yaml

from skelnas.training.heartbeat import heartbeat_path

from .checkout import SYNTHETIC, Checkout

pytestmark = pytest.mark.workflow

CONFIG = {
    "study": "small",
    "datasets": {"synthetic": SYNTHETIC | {"width": 68}},
    "recipes": {"e1": {"epochs": 1, "batch-size": 32}},
    "studies": {
        "small": {
            "runs": [{"dataset": "synthetic", "recipe": "e1", "seeds": [1], "cells": "0-3", "cells-per-shard": 2}]
        }
    },
    "training": {"device": "cpu"},
}
MANIFEST = {"fingerprint": "ab" * 32, "height": 60, "width": 68, "classes": ["x", "y"], "images": {"train": 10}}


@pytest.fixture
def checkout(tmp_path):
    """A folder where nothing has been done yet."""
    return Checkout.make(tmp_path, CONFIG)


def program(checkout, name, *arguments, succeeds=True):
    command = [sys.executable, "-m", "skelnas", name, *arguments]
    begun = time.monotonic()
    done = subprocess.run(command, cwd=checkout.folder, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == succeeds, done.stderr
    assert time.monotonic() - begun < 20  # 1 s on a machine with nothing else to do
    return done.stdout if succeeds else done.stderr


def test_plan_from_nothing_to_a_calibrated_rate(checkout):
    text = program(checkout, "plan")
    assert "synthetic/e1       2         0          4     0           0     4     unknown  unknown" in text
    assert "no rate is known before the images are made: snakemake --cores all results/images/synthetic.json" in text

    images = checkout.folder / "results/images"
    images.mkdir(parents=True)
    (images / "synthetic.json").write_text(json.dumps(MANIFEST))
    assert "`make bench` on the kind of machine that will train measures one" in program(checkout, "plan")

    rate = {"height": 60, "width": 68, "classes": 2, "samples": 10, "epochs": 1, "batch-size": 32, "seconds": 7200}
    rate |= {"precision": "fp32", "engine": "fused", "device": "GPU A", "cells": [0, 1, 2, 3]}
    (checkout.folder / "bench").mkdir()
    calibration = {"format": "skelnas calibration 1", "rates": [rate]}
    (checkout.folder / "bench/calibration.json").write_text(json.dumps(calibration))
    text = program(checkout, "plan", "--profile", "slurm")
    assert "synthetic/e1       2         0          4     0           0     4         2.0" in text
    assert "2 trainings per hour, from make bench on GPU A with 60 x 68 images in batches of 32" in text
    assert "Study small: 4 trainings left, 2.0 hours of one device; 64 jobs at a time from now on" in text
    assert "(in 1 h " in text  # two shards at a time

    for asks in ({"gpu": 4}, {"gres": "'gpu:a100:4'"}):
        profile = {"jobs": 1, "set-resources": {"train": {**asks, "runtime": 60}}}
        (checkout.folder / "nodes").mkdir(exist_ok=True)
        (checkout.folder / "nodes/config.yaml").write_text(yaml.safe_dump(profile))
        text = program(checkout, "plan", "--profile", "nodes")
        assert "2.0 hours of one device; one job of 4 GPUs at a time from now on" in text
        assert "(in 30 min 00 s)" in text


def test_mistakes_are_one_sentence(checkout):
    said = program(checkout, "plan", "--study", "big", succeeds=False)
    assert re.fullmatch(r"config.yaml, line \d+: there is no study 'big'; there are small\n", said)
    assert "the profile nowhere/config.yaml cannot be read" in program(
        checkout, "status", "--profile", "nowhere", succeeds=False
    )


def beat(checkout, shard, **values):
    """The heartbeat of a job that trains the shard, now, on this machine, in the process of this test."""
    path = heartbeat_path(checkout.folder / f"results/train/synthetic/e1/seed1/{shard}.h5")
    path.parent.mkdir(parents=True, exist_ok=True)
    here = {"state": "running", "host": socket.gethostname(), "process": os.getpid(), "job": "", "said": ""}
    path.write_text(json.dumps({"format": "skelnas heartbeat 1", "time": time.time(), **here, **values}))
    return path


def commands(checkout, monkeypatch, **answers):
    """Puts commands that print these answers in front of the PATH."""
    folder = checkout.folder / "commands"
    folder.mkdir(exist_ok=True)
    for name, answer in answers.items():
        (folder / name).write_text(f"#!/bin/sh\necho '{answer}'\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_status_tells_running_shards_from_stopped_ones(checkout):
    running = beat(checkout, "00000-00001")
    beat(checkout, "00002-00003", state="failed", said="training: device is cuda, but PyTorch sees no GPU here")
    text = program(checkout, "status")
    assert "Study small: 0 of 4 trainings done (0%), 0 in the last hour" in text
    assert "synthetic/e1       2         0        1        0          4     0          0" in text
    assert "Running: whose heartbeat is at most 150 s old" in text
    assert "Stopped: 1;" in text
    assert "seed1/00002-00003.h5, " in text
    assert "    training: device is cuda, but PyTorch sees no GPU here" in text

    gone = subprocess.Popen(["true"])
    gone.wait()
    beat(checkout, "00000-00001", process=gone.pid, said="1/2 cells (50%), 4 s gone, 4 s left")
    text = program(checkout, "status")
    assert "Stopped: 2;" in text
    assert f"killed without notice on {socket.gethostname()}; it said last: 1/2 cells (50%), 4 s gone" in text

    beat(checkout, "00000-00001", host="n1")
    assert "Stopped: 1;" in program(checkout, "status")
    os.utime(running, (time.time() - 200, time.time() - 200))
    text = program(checkout, "status")
    assert "Stopped: 2;" in text
    assert "    killed without notice on n1\n" in text


def test_status_believes_squeue(checkout, monkeypatch):
    lines = "skelnas_1|RUNNING|rule_train_wildcards_synthetic_e1_1_00000-00001\n"
    lines += "skelnas_1|PENDING|rule_train_wildcards_synthetic_e1_1_00002-00003"
    commands(checkout, monkeypatch, squeue=lines)
    text = program(checkout, "status", "--profile", "slurm")
    assert "synthetic/e1       2         0        1        1          4" in text
    assert "Running and waiting: as squeue says." in text


def test_a_job_that_the_queue_has_no_more_was_killed_and_sacct_says_how(checkout, monkeypatch):
    beat(checkout, "00000-00001", host="n1", job="12")  # a moment ago
    commands(checkout, monkeypatch, squeue="", sacct="12|OUT_OF_MEMORY")
    text = program(checkout, "status", "--profile", "slurm")
    assert "Stopped: 1;" in text
    assert "    killed without notice on n1 as job 12 (OUT_OF_MEMORY)" in text


def test_preflight_passes_and_names_what_does_not(checkout):
    said = checkout.snakemake("preflight")
    assert "ok      data/raw/synthetic/Skeleton.zip will be generated" in said
    assert "ok      training.device is cpu" in said
    report = json.loads((checkout.folder / "logs/preflight/small.json").read_text())
    assert report["login"]["versions"] == report["node"]["versions"]

    block = {"reader": "ntu", "sources": [{"file": "mine.zip", "register": "https://page.example"}]}
    config = {**CONFIG, "datasets": {"synthetic": {**CONFIG["datasets"]["synthetic"], **block}}}
    (checkout.folder / "config.yaml").write_text(yaml.safe_dump(config))
    said = checkout.snakemake("preflight", flags=["--forcerun", "preflight_login"], succeeds=False)
    assert "PROBLEM data/raw/mine.zip is missing: get it from https://page.example and put it there" in said
    assert "checks did not pass" in said
    assert not (checkout.folder / "logs/preflight/small.json").exists()
