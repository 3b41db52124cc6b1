"""A study that grew out of another one, on the cluster: what is there is regrouped, and one job trains the rest."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from skelnas.results.query import Benchmark
from skelnas.results.shard import read_shard

from .tiny_study import SHARDS, TinyStudy

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("accounting")]


def command(study: TinyStudy, *arguments: str) -> str:
    """What a subcommand of skelnas prints in the study's folder."""
    called = [sys.executable, "-m", "skelnas", *arguments]
    return subprocess.run(called, cwd=study.folder, check=True, capture_output=True, text=True).stdout


def test_a_study_that_grows_trains_only_what_is_new(copied: Callable[..., TinyStudy]) -> None:
    study = copied(trained=True)  # cells 0 to 11, in shards of 4; `grown` has 0 to 14, in shards of 6
    plan = command(study, "plan", "--study", "grown")
    assert "12 trainings are finished in other shards and are taken over" in plan
    assert "2 shards are there whole: `skelnas regroup grown` writes them without a job" in plan
    assert "2 shards written; 3 trainings of study grown are left to jobs" in command(study, "regroup", "grown")
    study.run("grown")
    jobs = [folder.name for folder in (study.folder / "logs/slurm/rule_train").iterdir()]
    assert jobs == ["synthetic_e4_777_00012-00014"]
    whole = read_shard(study.shard("00000-00005"))
    parts = [read_shard(study.shard(name)) for name in SHARDS[:2]]
    assert whole.top1.tolist() == [*parts[0].top1.tolist(), *parts[1].top1.tolist()][:6]
    with Benchmark(study.folder / "results/benchmark/grown/synthetic/e4.h5") as grown:
        assert grown.cells.tolist() == list(range(15))
    assert "15 of 15 trainings done" in command(study, "status", "--study", "grown")


def test_a_job_takes_what_is_there_and_trains_the_rest(copied: Callable[..., TinyStudy]) -> None:
    study = copied(trained=True)
    study.run("results/train/synthetic/e4/seed777/00010-00014.h5")
    [log] = study.logs("00010-00014")
    assert "2 of 5 cells are in other finished shards already" in log
    assert (
        read_shard(study.shard("00010-00014")).top1[1].tolist() == read_shard(study.shard(SHARDS[2])).top1[3].tolist()
    )
