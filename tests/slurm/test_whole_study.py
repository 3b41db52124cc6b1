"""A study on the cluster, through the profile that users get: undisturbed, again with nothing to do, and in part."""

import time
from collections.abc import Callable

import pytest

from .conftest import Fault
from .tiny_study import SHARDS, TinyStudy

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("accounting")]


def test_every_shard_is_a_job_with_a_gpu(first_run: tuple[TinyStudy, str]) -> None:
    undisturbed, answer = first_run
    jobs = [line.split("|") for line in answer.splitlines() if line.endswith(f"|{undisturbed.folder}")]
    trained = [(node, state) for state, resources, node, _ in jobs if "gres/gpu=1" in resources]
    assert len(jobs) == len(SHARDS) + 1  # and one for the image set
    assert len(trained) == len(SHARDS)
    assert set(trained) == {("n1", "COMPLETED"), ("n2", "COMPLETED")}
    assert (undisturbed.folder / "results/archive/tiny.zip").is_file()


def test_rerun_with_nothing_to_do(undisturbed: TinyStudy, fault: Fault) -> None:
    begun = time.monotonic()
    assert "Nothing to be done" in undisturbed.run("tiny")
    seconds = time.monotonic() - begun
    fault("the whole study again", "no job", None, seconds)


def test_deleted_shard_comes_back_alone(copied: Callable[..., TinyStudy], undisturbed: TinyStudy, fault: Fault) -> None:
    study, begun = copied(trained=True), time.monotonic()
    kept = {name: study.shard(name).stat().st_mtime for name in SHARDS[1:]}
    study.shard(SHARDS[0]).unlink()
    study.start(study.target(SHARDS[0]))
    [environment] = study.wait("a training process", study.environments).values()
    assert environment["CUDA_VISIBLE_DEVICES"] == "0"
    assert environment["SLURMD_NODENAME"] in ("n1", "n2")
    study.finish()
    assert {name: study.shard(name).stat().st_mtime for name in SHARDS[1:]} == kept
    assert study.shard(SHARDS[0]).read_bytes() == undisturbed.shard(SHARDS[0]).read_bytes()
    fault("one shard deleted", "trained alone", None, time.monotonic() - begun)


def test_a_job_may_have_several_gpus(copied: Callable[..., TinyStudy], undisturbed: TinyStudy) -> None:
    study = copied(trained=True)
    study.shard(SHARDS[1]).unlink()
    asked = ("gpu=2", "nodes=1", "cpus_per_gpu=2", "runtime=60", "mem_mb=4000")
    study.start(study.target(SHARDS[1]), flags=["--set-resources", *(f"train:{resource}" for resource in asked)])
    [environment] = study.wait("a training process", study.environments).values()
    assert environment["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert environment["SLURMD_NODENAME"] == "n2"
    study.finish()
    assert study.shard(SHARDS[1]).read_bytes() == undisturbed.shard(SHARDS[1]).read_bytes()
