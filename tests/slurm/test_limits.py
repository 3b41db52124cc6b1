"""Jobs that reach a limit, or contain a cell that cannot be trained."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import daemons
import pytest

from .conftest import Fault
from .tiny_study import BENCHMARK, CONFIG, SHARDS, TinyStudy

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("accounting")]

# Put on the jobs' search path as sitecustomize.py, it changes what a training does.
CHANGED = """
import sys
if any(argument.endswith("train.py") for argument in sys.orig_argv):
    import os, time
    from pathlib import Path
    from skelnas.cells import space
    from skelnas.training import seeding
    from skelnas.training.cpu.training import CpuTraining
    start, run_batch = seeding.start, CpuTraining.run_batch
"""
SLOW = """
    def slow(self):
        run_batch(self)
        with Path("batches.txt").open("a") as lines:
            lines.write(f"{{os.environ['SLURM_JOB_ID']}} {{self.epoch}} {{self.batch}}\\n")
        time.sleep({pause})
    CpuTraining.run_batch = slow
"""
CRASH = """
    def crashing(cell, *arguments):
        assert cell != space.cell(6), 'no luck with this cell'
        return start(cell, *arguments)
    seeding.start = crashing
"""
SECONDS = 100  # that four cells then take: SLURM ends a job half a minute after its limit at the latest


def test_time_and_memory_limits(
    copied: Callable[[], TinyStudy], undisturbed: TinyStudy, tmp_path: Path, fault: Fault
) -> None:
    timed, tight, begun = copied(), copied(), time.monotonic()
    total = 4 * CONFIG["recipes"]["e4"]["epochs"] * batches(undisturbed)
    pause = SECONDS / total
    timed.environment = changed(tmp_path, SLOW.format(pause=pause))
    timed.start(timed.target(SHARDS[0]), flags=train_resources("runtime=240", "mem_mb=8000"))
    tight.start(tight.target(SHARDS[1]), flags=train_resources("runtime=240", "mem_mb=attempt*250"))
    # Not before it has trained a cell, however busy this machine is; a minute is the shortest limit there is.
    daemons.run("scontrol", "update", f"JobId={timed.job_with_progress().number}", "TimeLimit=1")
    tight.finish()
    fault("killed for its memory", "carries on with more", None, time.monotonic() - begun)
    timed.finish()
    seconds = time.monotonic() - begun

    assert "TIMEOUT" in timed.said()
    first, second = timed.logs(SHARDS[0])
    assert "ended by SIGTERM; finished cells are kept" in first
    assert "cells are in the journal already" in second
    assert "goes on from epoch" in second
    assert "memory limit" in tight.logs(SHARDS[1])[0]
    for study, name in ((timed, SHARDS[0]), (tight, SHARDS[1])):
        assert study.shard(name).read_bytes() == undisturbed.shard(name).read_bytes()
    trained = (timed.folder / "batches.txt").read_text().splitlines()
    assert len({line.split()[0] for line in trained}) > 1
    repeated = len(trained) - total
    assert repeated == 0  # SIGTERM comes first: what the job was at is saved to the batch
    fault("time limit reached", "carries on", repeated * pause, seconds)


def test_cell_that_always_crashes(untrained: TinyStudy, undisturbed: TinyStudy, tmp_path: Path, fault: Fault) -> None:
    study, begun = untrained, time.monotonic()
    study.environment = changed(tmp_path, CRASH)
    said = study.run(BENCHMARK, flags=["--retries", "1"], succeeds=False)
    assert "training cell 6 with seed 777 crashed: AssertionError: no luck with this cell" in said
    assert "the other 3 cells of this shard are kept" in said
    assert f"`snakemake --cores all {study.target(SHARDS[1])}`" in said
    assert [study.shard(name).is_file() for name in SHARDS] == [True, False, True]
    study.environment = {}
    study.run(BENCHMARK)
    assert "3 of 4 cells are in the journal already" in study.logs(SHARDS[1])[-1]
    study.assert_same_results(undisturbed)
    fault("one cell always crashes", "the others finish; call again", None, time.monotonic() - begun)


def changed(folder: Path, change: str) -> dict[str, str]:
    """The environment of jobs whose trainings are changed so."""
    (folder / "sitecustomize.py").write_text(CHANGED + change)
    return {"PYTHONPATH": str(folder)}


def batches(study: TinyStudy) -> int:
    """Batches of one epoch of a cell: training in batches of 32, evaluation of test and valid in batches of 64."""
    counts = json.loads((study.folder / "results/images/synthetic.json").read_text())["images"]
    return sum(-(-counts[split] // size) for split, size in (("train", 32), ("test", 64), ("valid", 64)))


def train_resources(*changed: str) -> list[str]:
    """The option that replaces what the profile asks for `train`: all of it, not only what is changed."""
    return ["--set-resources", *(f"train:{resource}" for resource in ("gpu=1", "cpus_per_gpu=2", *changed))]
