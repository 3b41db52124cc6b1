"""The main process in a job: it is interrupted before the limit, hands itself in again, and goes on.

With a stand-in for snakemake and SLURM.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .fake_slurm import Site

SCRIPT = Path(__file__).resolve().parents[2] / "slurm/main-job.sh"
SNAKEMAKE = f"""#!{sys.executable} -SE
import sys, time
with open("called.txt", "a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
if "--unlock" in sys.argv or "short" in sys.argv:
    sys.exit(0)
try:
    open("running", "w").close()
    time.sleep(60)
except KeyboardInterrupt:
    open("interrupted", "w").close()
    sys.exit(1)
"""


def start(folder: Path, *arguments: str, **environment: str) -> tuple[Site, subprocess.Popen]:
    site = Site(folder / "site")
    program = site.folder / "snakemake"
    program.write_text(SNAKEMAKE)
    program.chmod(0o755)
    own = site.environment(SLURM_JOB_ID="77", SLURM_SUBMIT_DIR=str(folder), SLURM_JOB_PARTITION="cpu", **environment)
    # Where tests run in the background, Ctrl-C is ignored, and that would be inherited.
    heed = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # noqa: E731
    return site, subprocess.Popen(["bash", str(SCRIPT), *arguments], env=own, start_new_session=True, preexec_fn=heed)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "again"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_before_its_limit_it_hands_itself_in_again(tmp_path: Path, number: int, again: bool) -> None:
    site, job = start(tmp_path, "thesis")
    wait_for(tmp_path / "running")
    os.kill(job.pid, number)  # to the batch shell alone, as --signal=B: does
    assert job.wait(60) == 1
    assert (tmp_path / "interrupted").exists()
    assert site.calls("scontrol") == ([["scontrol", "requeue", "77"]] if again else [])
    assert (tmp_path / "called.txt").read_text() == "--profile slurm thesis\n"


def test_when_it_starts_again_it_unlocks_first(tmp_path: Path) -> None:
    site, job = start(tmp_path, "short", SLURM_RESTART_COUNT="1", PROFILE="slurm-gres")
    assert job.wait(60) == 0
    assert site.calls("scontrol") == []
    said = (tmp_path / "called.txt").read_text()
    assert said == "--profile slurm-gres --unlock\n--profile slurm-gres short\n"
