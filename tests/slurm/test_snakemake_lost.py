"""The main snakemake ends while its jobs run: calling it again finishes the study."""

import os
import signal
import time

import daemons
import pytest

from .conftest import Fault
from .tiny_study import BENCHMARK, TinyStudy, scancel

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("accounting")]


def test_killed_and_then_interrupted(untrained: TinyStudy, undisturbed: TinyStudy, fault: Fault) -> None:
    study, begun = untrained, time.monotonic()
    study.start(BENCHMARK)
    running = study.job_with_progress()
    daemons.run("scontrol", "suspend", running.number)  # or it would end too early on a fast machine
    study.main.kill()
    study.main.wait()
    # The jobs live on, and snakemake says itself what stands in the way of the next call.
    orphans = {job.number: job for job in study.jobs()}
    assert running.number in orphans
    # The others end before the next call looks at the shards: one that ended later would take its file away again.
    for other in orphans.keys() - {running.number}:
        scancel(orphans[other])
    while {job.number for job in study.jobs()} != {running.number}:
        assert time.monotonic() - begun < 300
        time.sleep(0.5)
    assert "--unlock" in study.run(BENCHMARK, succeeds=False)
    study.run(flags=["--unlock"])
    study.start(BENCHMARK)
    study.wait("a second job of the same shard", lambda: sum(job.shard == running.shard for job in study.jobs()) > 1)
    daemons.run("scontrol", "resume", running.number)
    fault("main snakemake killed (kill -9)", "--unlock, call again", None, time.monotonic() - begun)

    interrupted = study.job_with_progress(but=[running], older=orphans)
    repeated, begun = study.unrecorded_seconds(interrupted.shard), time.monotonic()
    os.killpg(study.main.pid, signal.SIGINT)
    study.finish(succeeds=False)
    seconds = time.monotonic() - begun
    while interrupted.number in {job.number for job in study.jobs()}:  # it may use its grace to save
        assert time.monotonic() - begun < seconds + 60
        time.sleep(1)
    study.run(BENCHMARK)
    study.assert_same_results(undisturbed)
    fault("Ctrl-C", f"call again (it ended after {seconds:.0f} s)", repeated, time.monotonic() - begun)
