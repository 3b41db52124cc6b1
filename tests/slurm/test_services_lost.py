"""SLURM itself goes away in the middle of a study, with and without accounting: snakemake waits and carries on."""

import time
from collections.abc import Callable

import cluster
import pytest

from .conftest import Fault
from .tiny_study import BENCHMARK, TinyStudy, scancel

pytestmark = pytest.mark.slurm

AWAY = 20  # seconds: snakemake asks in vain several times


@pytest.mark.usefixtures("accounting")
def test_database_away(untrained: TinyStudy, undisturbed: TinyStudy, fault: Fault) -> None:
    study, begun = untrained, time.monotonic()
    study.start(BENCHMARK)
    study.job_with_progress()
    cluster.stop_dbd()
    try:
        time.sleep(AWAY)
    finally:
        cluster.start_dbd()
    study.finish()
    study.assert_same_results(undisturbed)
    fault(f"slurmdbd away for {AWAY} s", "carries on", None, time.monotonic() - begun)


@pytest.mark.usefixtures("accounting")
def test_controller_away(untrained: TinyStudy, undisturbed: TinyStudy, fault: Fault) -> None:
    study, begun = untrained, time.monotonic()
    study.start(BENCHMARK)
    study.job_with_progress()
    away(AWAY)
    study.finish()
    study.assert_same_results(undisturbed)
    fault(f"slurmctld away for {AWAY} s", "carries on", None, time.monotonic() - begun)


def test_without_accounting(
    untrained: TinyStudy, undisturbed: TinyStudy, bring_up: Callable[[bool], None], fault: Fault
) -> None:
    bring_up(False)
    study, begun = untrained, time.monotonic()
    study.start(BENCHMARK)
    cancelled = study.job_with_progress()
    repeated = study.unrecorded_seconds(cancelled.shard)
    scancel(cancelled)
    study.job_with_progress(but=[cancelled])
    away(AWAY)
    study.finish()
    study.assert_same_results(undisturbed)
    fault("no accounting: scancel, slurmctld away", "carries on", repeated, time.monotonic() - begun)


def away(seconds: float) -> None:
    """Take the controller away for a while."""
    cluster.stop_controller()
    try:
        time.sleep(seconds)
    finally:
        cluster.start_controller()
