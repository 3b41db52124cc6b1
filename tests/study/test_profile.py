"""GPUs are counted however a profile asks for them; what a node has beside them is said."""

import pytest

from skelnas.study.profile import Profile, asked_gpus
from skelnas.study.site import Nodes, devices, idle_gpus, nodes_of, small_shards


@pytest.mark.parametrize(
    ("resources", "gpus"),
    [
        ({"gpu": 1}, 1),
        ({"gpu": "4", "gpu_model": "a100"}, 4),
        ({"gpu_model": "a100"}, 1),
        ({"gres": "'gpu:1'"}, 1),
        ({"gres": "gpu:a100"}, 1),  # once counted as a hundred
        ({"gres": "'gpu:rtx_3090'"}, 1),
        ({"gres": "gpu:a100:4"}, 4),
        ({"gres": "gpu"}, 1),
        ({"gres": "shard:4"}, 0),
        ({"gres": "gpu:a100:2"}, 2),
        ({"gres": "gres/gpu:2"}, 2),
        ({"gres": "gpu:2080ti"}, 1),
        ({"gres": "gpu:2080ti:8"}, 8),
        ({"gres": "gpu:a100_3g.20gb"}, 1),
        ({"gres": "gpu:1g.10gb:2"}, 2),
        ({"gres": "lscratch:50,gpu:a100:1,gpu:h100:1"}, 2),
        ({"gres": "gpumem:4"}, 0),
        ({"gpu": 0, "slurm_extra": "'--gpus-per-node=2'"}, 2),
        ({"gpu": "'2'"}, 2),
        ({"gpu": 3, "gres": "gpu:1"}, 3),
        ({"slurm_extra": "'--gpus-per-node=4'"}, 4),
        ({"slurm_extra": "'--gpus-per-node=nvidia-a100:2 --signal=TERM@120'"}, 2),
        ({"slurm_extra": "'--tres-per-node=gres/gpu:3'"}, 3),
        ({"slurm_extra": "'--gpus-per-node=a100'"}, 1),  # once none
        ({"slurm_extra": "--gpus-per-node=a100:2"}, 2),
        ({"slurm_extra": "'--gpus-per-node a100:2'"}, 2),
        ({"slurm_extra": "--gpus-per-node='h100:2'"}, 2),
        ({"slurm_extra": '"--gpus-per-task=2 --exclusive"'}, 2),
        ({"slurm_extra": "'--gpus-per-socket=1'"}, 1),
        ({"slurm_extra": "'--gpus-per-node=a100:1,h100:1'"}, 2),
        ({"slurm_extra": "'--tres-per-task=cpu:4,gres/gpu:a100:2'"}, 2),
        ({"slurm_extra": "'--tres-per-node=gres:gpu:2'"}, 2),
        ({"slurm_extra": "'--tres-per-job=gres/gpu=2'"}, 2),
        ({"slurm_extra": "'--mail-type=FAIL -G 2'"}, 2),
        ({"slurm_extra": "'-Ga100:2'"}, 2),
        ({"slurm_extra": "'--gres=gpu:a100:2'"}, 2),
        ({"slurm_extra": "'--gres=lscratch:50'"}, 0),
        ({"slurm_extra": "'--mail-user=me@example.org --mail-type=FAIL'"}, 0),
        ({"slurm_extra": "'--gpu-bind=closest --gpu-freq=900'"}, 0),
        ({"slurm_extra": "'--comment=it''s --gpus-per-node=4"}, 4),
        ({"slurm_extra": "'--mem-per-gpu=20G'"}, 0),
        ({"cpus_per_task": 72}, 0),
        ({}, 0),
    ],
)
def test_asked_gpus(resources, gpus):
    assert asked_gpus(resources) == gpus
    profile = Profile({"default-resources": {"runtime": 60}, "set-resources": {"train": resources}})
    assert profile.devices == max(1, gpus)


def test_what_is_asked_for_all_jobs_counts_too():
    profile = Profile({"default-resources": {"gres": "gpu:2"}, "set-resources": {"train": {"runtime": 60}}})
    assert profile.asked_gpus == 2
    assert Profile({"default-resources": None, "set-resources": None}).asked_gpus == 0


@pytest.mark.parametrize(
    ("gres", "facts", "nodes"),
    [
        ("12|gpu:a100:4(S:0-1)\n1|gpu:a100:8\n", "PartitionName=p OverSubscribe=EXCLUSIVE", Nodes(4, True)),
        ("3|gpu:h100:4,lscratch:50", "PartitionName=p OverSubscribe=NO", Nodes(4, False)),
        ("3|gpu:2", "", Nodes(2, False)),
        ("3|gpu:2080ti:8(S:0,1)", "", Nodes(8, False)),
        ("3|gpu:1g.10gb:7,gpu:a100:1", "", Nodes(8, False)),
        ("2|gpu:a100:4(S:0),nvme:1(S:1)", "", Nodes(4, False)),
        ("3|(null)", "", None),
        ("", "", None),
    ],
)
def test_nodes_of_a_partition(gres, facts, nodes):
    assert nodes_of(gres.splitlines(), facts) == nodes


@pytest.mark.parametrize(
    ("train", "nodes", "said"),
    [
        ({"gpu": 1}, Nodes(4, True), True),
        ({"gpu": 4}, Nodes(4, True), False),
        ({"gpu": 1}, Nodes(4, False), False),
        ({"gpu": 1, "slurm_extra": "'--exclusive'"}, Nodes(4, False), True),
        ({"cpus_per_task": 72}, Nodes(4, True), False),  # nothing asked: the job uses what it sees
        ({"gpu": 1}, None, False),
    ],
)
def test_idle_gpus_of_whole_nodes_are_said(train, nodes, said):
    found = idle_gpus(Profile({"set-resources": {"train": train}}), nodes)
    assert bool(found) == said
    assert not said or "a whole node with 4 GPUs and asks for 1: the others idle" in found[0]


def test_gpus_of_whole_nodes_count_where_none_is_asked_for():
    nothing, one = Profile({"set-resources": {"train": {}}}), Profile({"set-resources": {"train": {"gpu": 1}}})
    assert devices(nothing, Nodes(4, True)) == 4
    assert devices(nothing, Nodes(4, False)) == devices(nothing, None) == devices(one, Nodes(4, True)) == 1


def test_shards_too_small_for_several_gpus():
    [sentence] = small_shards("ntu60_xsub/b256-e200", 32, 4, 32)
    assert sentence.startswith("ntu60_xsub/b256-e200: a shard of 32 cells has 8 for each of 4 GPUs")
    assert "cells-per-shard: 128" in sentence
    assert small_shards("a/b", 128, 4, 32) == small_shards("a/b", 5, 1, 32) == small_shards("a/b", 0, 4, 32) == []
