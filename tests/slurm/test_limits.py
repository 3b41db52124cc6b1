"""Jobs that reach a limit, or contain a cell that cannot be trained."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import daemons
import pytest

from .conftest import Fault
from .tiny_study import BENCHMARK, SHARDS, TinyStudy

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("accounting")]

# Put on the jobs' search path as sitecustomize.py, it changes how a training starts.
CHANGED_START = """
import sys
if any(argument.endswith("train.py") for argument in sys.orig_argv):
    import time
    from pathlib import Path
    from skelnas.cells import space
    from skelnas.training import streams
    resumed = any(Path("results/train").rglob("*.cell"))
    start = streams.start
    def changed(cell, *arguments):
        {change}
        return start(cell, *arguments)
    streams.start = changed
"""
# Four cells then need more than the minute and a half after which SLURM notices that a minute is over.
SLOW = "time.sleep(0 if resumed else 28)"
CRASH = "assert cell != space.cell(6), 'no luck with this cell'"


def test_time_and_memory_limits(
    copied: Callable[[], TinyStudy], undisturbed: TinyStudy, tmp_path: Path, fault: Fault
) -> None:
    timed, tight, begun = copied(), copied(), time.monotonic()
    timed.environment = changed_start(tmp_path, SLOW)
    timed.start(timed.target(SHARDS[0]), flags=train_resources("runtime=1", "mem_mb=8000"))
    tight.start(tight.target(SHARDS[1]), flags=train_resources("runtime=240", "mem_mb=attempt*250"))
    tight.finish()
    fault("killed for its memory", "carries on with more", None, time.monotonic() - begun)
    timed.finish()
    seconds = time.monotonic() - begun

    assert "TIMEOUT" in timed.said()
    assert "cells are in the journal already" in timed.logs(SHARDS[0])[1]
    assert "memory limit" in tight.logs(SHARDS[1])[0]
    for study, name in ((timed, SHARDS[0]), (tight, SHARDS[1])):
        assert study.shard(name).read_bytes() == undisturbed.shard(name).read_bytes()
    fault("time limit reached", "carries on", repeated_after_time_limit(timed), seconds)


def test_cell_that_always_crashes(untrained: TinyStudy, undisturbed: TinyStudy, tmp_path: Path, fault: Fault) -> None:
    study, begun = untrained, time.monotonic()
    study.environment = changed_start(tmp_path, CRASH)
    said = study.run(BENCHMARK, flags=["--retries", "1"], succeeds=False)
    assert "training cell 6 with seed 777 crashed: AssertionError: no luck with this cell" in said
    assert "the other 3 cells of this shard are kept" in said
    assert f"`snakemake --cores all {study.target(SHARDS[1])}`" in said
    assert [study.shard(name).is_file() for name in SHARDS] == [True, False, True, True]
    study.environment = {}
    study.run(BENCHMARK)
    assert "3 of 4 cells are in the journal already" in study.logs(SHARDS[1])[-1]
    study.assert_same_results(undisturbed)
    fault("one cell always crashes", "the others finish; call again", None, time.monotonic() - begun)


def changed_start(folder: Path, change: str) -> dict[str, str]:
    """The environment of jobs in which every training starts with the statement `change`."""
    (folder / "sitecustomize.py").write_text(CHANGED_START.format(change=change))
    return {"PYTHONPATH": str(folder)}


def train_resources(*changed: str) -> list[str]:
    """The option that replaces what the profile asks for `train`: all of it, not only what is changed."""
    return ["--set-resources", *(f"train:{resource}" for resource in ("gpu=1", "cpus_per_gpu=2", *changed))]


def repeated_after_time_limit(study: TinyStudy) -> float:
    """Seconds between the last cell that the killed job recorded and its end."""
    answer = daemons.run("sacct", "-X", "-n", "-P", "--format=State,End,WorkDir")
    jobs = [line.split("|") for line in answer.splitlines() if line.endswith(f"|{study.folder}")]
    end = min(datetime.fromisoformat(end).astimezone() for state, end, _ in jobs if state == "TIMEOUT")
    cells = json.loads(study.shard(SHARDS[0]).with_suffix(".timing.json").read_text())["cells"].values()
    finished = [datetime.fromisoformat(cell["finished"]) for cell in cells]
    return (end - max(moment for moment in finished if moment <= end)).total_seconds()
