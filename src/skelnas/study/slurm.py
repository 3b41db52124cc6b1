"""What SLURM says of the jobs that the workflow submitted."""

import shutil
import subprocess
from collections.abc import Iterable

TIMEOUT = 10  # seconds for the controller to answer


def queued_jobs(prefix: str) -> dict[str, str] | None:
    """State (RUNNING, PENDING...) by comment of the jobs whose names begin with `prefix`; None where SLURM is not
    there or does not answer."""
    said = answer("squeue", "--me", "--noheader", "--format=%j|%T|%k")
    return None if said is None else states(said, prefix)


def states(lines: Iterable[str], prefix: str) -> dict[str, str]:
    """State by comment of lines `name|state|comment`; of two jobs with one comment, the running one counts."""
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, lines)):
        name, state, comment = line.split("|", 2)
        if name.startswith(prefix) and found.get(comment) != "RUNNING":
            found[comment] = state
    return found


def last_states(jobs: Iterable[str]) -> dict[str, str]:
    """The state in which SLURM's accounting has each job (TIMEOUT, OUT_OF_MEMORY...) by its number, where it knows."""
    numbers = sorted({job for job in jobs if job})
    if not numbers:
        return {}
    said = answer("sacct", "-X", "--noheader", "--parsable2", "--format=JobID,State", f"--jobs={','.join(numbers)}")
    found = (line.strip().partition("|") for line in said or [])
    return {number: state for number, _, state in found if state}


def answer(command: str, *arguments: str) -> list[str] | None:
    """The lines that a command of SLURM prints; None where it is not there or its daemon does not answer."""
    if shutil.which(command) is None:
        return None
    try:
        done = subprocess.run([command, *arguments], capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.splitlines()
