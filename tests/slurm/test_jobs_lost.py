"""Jobs, nodes and disks that go away in the middle of a study: snakemake carries on by itself."""

import time

import cluster
import daemons
import pytest

from .conftest import Fault
from .tiny_study import BENCHMARK, TinyStudy, requeue, scancel

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("accounting")]


def test_scancel_and_requeue(untrained: TinyStudy, undisturbed: TinyStudy, fault: Fault) -> None:
    study, begun = untrained, time.monotonic()
    study.start(BENCHMARK)
    cancelled = study.job_with_progress()
    repeated = study.unrecorded_seconds(cancelled.shard)
    scancel(cancelled)
    requeued = study.job_with_progress(but=[cancelled])
    again = study.unrecorded_seconds(requeued.shard)
    requeue(requeued)
    study.finish()
    # SLURM starts a requeued job under its number, and appends to its log.
    assert [len(study.logs(job.shard)) for job in (cancelled, requeued)] == [2, 1]
    for job in (cancelled, requeued):
        assert "of 4 cells are in the journal already" in study.logs(job.shard)[-1]
    study.assert_same_results(undisturbed)
    fault("scancel of a running job", "carries on", repeated, time.monotonic() - begun)
    fault("scontrol requeue (preemption)", "carries on", again, time.monotonic() - begun)


@pytest.mark.parametrize(("partition", "ends"), [("gpu", "COMPLETED"), ("scavenge", "PREEMPTED")])
def test_preempted_by_an_urgent_job(
    untrained: TinyStudy, undisturbed: TinyStudy, fault: Fault, partition: str, ends: str
) -> None:
    """SLURM requeues what it preempts in one partition, and ends it in the other; the profile asks for the first."""
    study, begun = untrained, time.monotonic()
    study.start(BENCHMARK, flags=["--default-resources", f"slurm_partition={partition}", "runtime=60", "mem_mb=4000"])
    preempted = study.job_with_progress(on="n1")
    repeated = study.unrecorded_seconds(preempted.shard)
    urgent = ("--partition=urgent", "--nodelist=n1", "--gpus=1", "--mem=1000", "--time=1", "--output=/dev/null")
    daemons.run("sbatch", *urgent, "--wait", "--wrap=sleep 3")
    study.finish()
    said = study.logs(preempted.shard)
    assert len(said) == (1 if partition == "gpu" else 2)  # under its number again, or as a new job
    assert "of 4 cells are in the journal already" in said[-1]
    answer = daemons.run("sacct", "-X", "-n", "-P", "--format=State", f"--jobs={preempted.number}")
    assert answer.split() == [ends]
    study.assert_same_results(undisturbed)
    how = "requeued" if partition == "gpu" else "ended"
    fault(f"preempted by an urgent job, {how}", "carries on", repeated, time.monotonic() - begun)


def test_node_lost(untrained: TinyStudy, undisturbed: TinyStudy, fault: Fault) -> None:
    study, begun = untrained, time.monotonic()
    study.start(BENCHMARK)
    lost = study.job_with_progress(on="n2")
    repeated = study.unrecorded_seconds(lost.shard)
    cluster.kill_node("n2")
    try:
        study.wait("the node is down", lambda: cluster.node_state("n2").startswith("down"))
        study.finish()
        assert cluster.node_state("n2").startswith("down")
    finally:
        cluster.start_node("n2")
    assert "of 4 cells are in the journal already" in study.logs(lost.shard)[-1]
    study.assert_same_results(undisturbed)
    fault("node lost, slurmd and jobs killed", "carries on elsewhere", repeated, time.monotonic() - begun)


def test_disk_of_a_node_full(untrained: TinyStudy, undisturbed: TinyStudy, fault: Fault) -> None:
    study, begun = untrained, time.monotonic()
    folder = study.folder / "results/train/synthetic/e4/seed777"
    folder.mkdir(parents=True)
    cluster.fill_disk("n1", folder)
    try:
        study.start(BENCHMARK)
        study.finish()
    finally:
        cluster.free_disk("n1", folder)
    answer = daemons.run("sacct", "-X", "-n", "-P", "--format=State,NodeList,WorkDir")
    jobs = [line.split("|")[:2] for line in answer.splitlines() if line.endswith(f"|{study.folder}")]
    assert sorted({(node, state) for state, node in jobs}) == [("n1", "FAILED"), ("n2", "COMPLETED")]
    assert "No space left on device; make room" in study.said()
    study.assert_same_results(undisturbed)
    fault("disk of one node full", "carries on elsewhere", None, time.monotonic() - begun)
