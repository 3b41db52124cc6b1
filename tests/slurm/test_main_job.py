"""The main process in a job of its own: near its limit it hands itself in again, and the study goes on."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import daemons
import pytest

from ..workflow.checkout import IMPATIENT
from .tiny_study import BENCHMARK, PROFILE, SHARDS, TinyStudy

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("accounting")]

NOTICE = 120  # seconds before its limit that the job asks for, in place of 15 minutes


def test_the_main_process_hands_itself_in_again(untrained: TinyStudy, undisturbed: TinyStudy) -> None:
    study = untrained
    program = study.folder / ".venv/bin/snakemake"  # where the script looks first
    program.parent.mkdir(parents=True)
    program.write_text(f"#!{sys.executable}\n{IMPATIENT}")
    program.chmod(0o755)
    options = ["--partition=gpu", "--time=60", "--mem=2G", f"--signal=B:INT@{NOTICE}"]
    command = ["sbatch", "--parsable", *options, "slurm/main-job.sh", *PROFILE[2:], "--", BENCHMARK]
    submitted = subprocess.run(command, cwd=study.folder, capture_output=True, text=True, check=True)
    main = submitted.stdout.strip()
    log = study.folder / f"main-process-{main}.log"

    def said() -> str:
        with suppress(FileNotFoundError):
            return log.read_text(errors="replace")
        return ""

    def until(what: str, found: Callable[[], object], seconds: float = 400) -> None:
        deadline = time.monotonic() + seconds
        while not found():
            assert time.monotonic() < deadline, f"waited in vain: {what}\n{said()}"
            time.sleep(1)

    until("a job with a finished cell", lambda: any(0 < len(study.recorded(job.shard)) < 4 for job in study.jobs()))
    daemons.run("scontrol", "update", f"JobId={main}", "TimeLimit=2")
    until("the notice before the limit", lambda: "handed in again, the study goes on" in said())
    daemons.run("scontrol", "update", f"JobId={main}", "TimeLimit=60")
    until("the end of all its jobs", lambda: not any(job.shard in SHARDS for job in study.jobs()))

    until("the study", lambda: state(main) == "COMPLETED")
    assert said().count("handed in again") == 1
    logs = [text for shard in SHARDS for text in study.logs(shard)]
    assert any("cells are in the journal already" in text for text in logs)
    study.assert_same_results(undisturbed)


def state(job: str) -> str:
    """What SLURM's accounting says of a job's last start."""
    return daemons.run("sacct", "-X", "-n", "-P", "-j", job, "--format=State").strip().splitlines()[-1]
