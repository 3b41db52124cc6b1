"""Caches lie with the results, for each job apart where NFS would let them race."""

from pathlib import Path

import pytest

from skelnas.caches import cache_variables, on_nfs, remove_own

MOUNTS = [
    "/dev/sda1 / ext4 rw 0 0",
    "filer:/proj /proj nfs4 rw,vers=4.2 0 0",
    "scratch /proj/fast lustre rw 0 0",
]


@pytest.mark.parametrize(
    ("path", "nfs"),
    [("/proj/me/results", True), ("/proj/fast/me", False), ("/home/me", False), ("/projs", False)],
)
def test_on_nfs(path, nfs):
    assert on_nfs(Path(path), MOUNTS) == nfs


def test_one_folder_for_all_jobs_where_that_is_safe():
    found = cache_variables(Path("/home/me/results"), {"SLURM_JOB_ID": "7"}, MOUNTS)
    assert found == {
        "XDG_CACHE_HOME": "/home/me/results/.cache",
        "MPLCONFIGDIR": "/home/me/results/.cache/matplotlib",
        "SKELNAS_CHECKED": "/home/me/results/.cache/checked",
        "NUMBA_CACHE_DIR": "/home/me/results/.cache/numba",
        "TRITON_CACHE_DIR": "/home/me/results/.cache/triton",
    }


def test_a_job_has_its_own_on_nfs_whatever_the_main_process_has_set(tmp_path):
    results = Path("/proj/me/results")
    main = cache_variables(results, {}, MOUNTS)
    assert main["TRITON_CACHE_DIR"] == "/proj/me/results/.cache/triton"
    job = cache_variables(results, {**main, "SLURM_JOB_ID": "7"}, MOUNTS)
    assert job["TRITON_CACHE_DIR"] == "/proj/me/results/.cache/job-7/triton"
    assert job["XDG_CACHE_HOME"] == "/proj/me/results/.cache"
    (tmp_path / "job-7/triton").mkdir(parents=True)
    remove_own({"SKELNAS_JOB_CACHE": str(tmp_path / "job-7")})
    assert list(tmp_path.iterdir()) == []


def test_what_a_person_has_set_stays():
    found = cache_variables(Path("/home/me/results"), {"TRITON_CACHE_DIR": "/local/triton"}, MOUNTS)
    assert "TRITON_CACHE_DIR" not in found
