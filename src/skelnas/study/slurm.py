"""What SLURM's queue says of the jobs that the workflow submitted."""

import shutil
import subprocess
from collections.abc import Iterable

TIMEOUT = 10  # seconds for the controller to answer


def queued_jobs(prefix: str) -> dict[str, str] | None:
    """State (RUNNING, PENDING...) by comment of the jobs whose names begin with `prefix`; None where SLURM is not
    there or does not answer."""
    if shutil.which("squeue") is None:
        return None
    command = ["squeue", "--me", "--noheader", "--format=%j|%T|%k"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return states(answer.stdout.splitlines(), prefix)


def states(lines: Iterable[str], prefix: str) -> dict[str, str]:
    """State by comment of lines `name|state|comment`; of two jobs with one comment, the running one counts."""
    found: dict[str, str] = {}
    for line in lines:
        name, state, comment = line.strip().split("|", 2)
        if name.startswith(prefix) and found.get(comment) != "RUNNING":
            found[comment] = state
    return found
