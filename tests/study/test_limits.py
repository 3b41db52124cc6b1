"""Limits as sacctmgr, scontrol and file systems print them."""

import pytest

from skelnas.study import limits

PARTITION = "PartitionName=gpu AllowGroups=ALL MaxTime=1-00:00:00 QoS=gpuqos OverSubscribe=NO"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("2-00:00:00", 2880), ("04:00:00", 240), ("30:00", 30), ("UNLIMITED", None), ("", None), ("1-02:30:00", 1590)],
)
def test_minutes(text, minutes):
    assert limits.minutes(text) == minutes


def test_wall_time_of_the_partition():
    [check] = limits.wall_time({"runtime": 240}, "gpu", PARTITION)
    assert check.passed
    [check] = limits.wall_time({"runtime": 4320}, "gpu", PARTITION)
    assert not check.passed
    assert check.sentence == "jobs of partition gpu may take 1440 minutes, and runtime is 4320: lower it"
    assert limits.wall_time({"runtime": "attempt * 60"}, "gpu", PARTITION) == limits.wall_time({}, "", "") == []


def test_account_to_the_letter():
    mine = ["def-me_gpu|20|normal", "def-me_cpu||normal"]
    assert limits.account({"slurm_account": "def-me_gpu"}, mine)[0].passed
    [check] = limits.account({"slurm_account": "def-me"}, mine)
    assert not check.passed
    assert check.sentence.endswith("write one of def-me_cpu, def-me_gpu into the profile")
    assert limits.account({}, mine) == limits.account({"slurm_account": "x"}, []) == []


@pytest.mark.parametrize(
    ("associations", "qos", "limit"),
    [
        (["mine|20|normal"], [], 20),
        (["mine||normal"], ["normal|40", "gpuqos|8"], 8),
        (["mine||normal", "other|1|normal"], ["normal|40"], 40),
        (["mine||"], [], None),
    ],
)
def test_submitted_jobs(associations, qos, limit):
    found = limits.submitted({"slurm_account": "mine"}, PARTITION, associations, qos, jobs=64)
    assert [check.passed for check in found] == ([] if limit is None else [True])  # what does not fit waits
    assert limit is None or f"takes {limit} of your jobs at a time, and the profile says jobs: 64" in found[0].sentence


LUSTRE = "     /scratch 5000000  0 8000000       -  990000  1000000 1100000       -\n"
NFS = """Disk quotas for user me (uid 1000):
     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace
 /home 51000000* 50000000 52000000 1700000000   1000       0       0       0
"""


def test_quotas():
    [check] = limits.quotas("lfs quota", LUSTRE, 20_000)
    assert "/scratch has 990,000 of 1,000,000 files, and the study needs 20,000 more" in check.sentence
    assert limits.quotas("lfs quota", LUSTRE, 1000) == []
    [check] = limits.quotas("quota", NFS, 20_000)
    assert check.sentence == "quota: /home has 52.2 GB of 51.2 GB: make room"
    assert limits.quotas("quota", "quota: no quotas\n", 5) == []


def test_room_for_files(tmp_path):
    [check] = limits.files(tmp_path / "not" / "yet", 10)
    assert check.passed
