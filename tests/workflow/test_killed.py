"""A study that is killed again and again, and ends with the same bytes as one that is left alone."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .checkout import Checkout
from .recordings import pack, recordings

pytestmark = pytest.mark.workflow

TARGET = "results/benchmark/small/small/e6.h5"
KILLS = 10
RETRIES = 3  # by snakemake, before it gives up and is called again
LONGEST_LIFE = 4.0  # seconds until a training process is killed: it starts, trains, or writes at that moment
CONFIG = {
    "study": "small",
    "datasets": {
        "small": {
            "reader": "utd_mhad",
            "sources": [{"file": "small.zip"}],
            "width": 12,
            "split": {"rule": "subjects", "train": [1, 3, 5, 7], "valid": [7]},
        }
    },
    "recipes": {"e6": {"epochs": 6, "batch-size": 4}},
    "studies": {
        "small": {
            "runs": [
                {"dataset": "small", "recipe": "e6", "seeds": [777, 888], "cells": "0-15", "cells-per-shard": 8},
            ],
        }
    },
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The small study, trained without any disturbance."""
    checkout = new_checkout(tmp_path_factory.mktemp("undisturbed"))
    checkout.snakemake(TARGET)
    return checkout


def new_checkout(folder: Path) -> Checkout:
    pack(folder / "data/raw/small.zip", recordings())
    return Checkout.make(folder, CONFIG)


def test_training_killed_at_ten_random_moments(undisturbed: Checkout, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"moments from random.Random({seed})")  # which pytest shows when the test fails
    moment, killed = random.Random(seed), 0
    checkout = new_checkout(tmp_path)
    while killed < KILLS:
        with (
            (tmp_path / "snakemake.txt").open("w") as output,
            checkout.start(TARGET, flags=["--retries", str(RETRIES)], output=output) as process,
        ):
            while killed < KILLS and (victim := training_process(tmp_path, process)):
                time.sleep(moment.uniform(0, LONGEST_LIFE))
                killed += kill(victim)
            status = process.wait()
        if status == 0:  # before the last kill: train everything once more
            shutil.rmtree(tmp_path / "results/train")
            shutil.rmtree(tmp_path / "results/benchmark")
    checkout.snakemake(TARGET)
    assert checkout.bytes_of_results() == undisturbed.bytes_of_results()


@pytest.mark.parametrize("jobs", ["live on", "have ended"])
def test_snakemake_itself_killed(undisturbed: Checkout, tmp_path: Path, jobs: str) -> None:
    checkout = new_checkout(tmp_path)
    with (tmp_path / "snakemake.txt").open("w") as output, checkout.start(TARGET, output=output) as process:
        assert training_process(tmp_path, process)
        time.sleep(2)
        process.kill()  # its jobs live on for a while, as after the loss of a terminal
    while jobs == "have ended" and any(training_processes(tmp_path)):
        time.sleep(0.05)
    assert "--unlock" in checkout.snakemake(TARGET, succeeds=False)
    checkout.snakemake(flags=["--unlock"])
    checkout.snakemake(TARGET)
    assert checkout.bytes_of_results() == undisturbed.bytes_of_results()


def training_process(folder: Path, snakemake: subprocess.Popen) -> int | None:
    """The number of a process that trains in `folder`; None when snakemake ends before there is one."""
    while snakemake.poll() is None:
        if found := next(training_processes(folder), None):
            return found
        time.sleep(0.05)
    return None


def training_processes(folder: Path) -> Iterator[int]:
    """The numbers of the Python processes that run the training script in `folder`."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            program, script = (process / "cmdline").read_bytes().split(b"\0")[:2]
            if b"python" in program and script.endswith(b"train.py") and (process / "cwd").readlink() == folder:
                yield int(process.name)
        except (OSError, ValueError):
            continue  # it ended meanwhile, or has no command line


def kill(process: int) -> bool:
    """Kill one process; whether it was still there."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
