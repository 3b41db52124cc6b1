"""What the stand-ins for SLURM's commands (slurm/bin, slurm/conf-bin) must know of the main process.

It is told when the Snakefile is read: later the executor deletes every SLURM_* variable when it runs inside a job.
"""

import fcntl
import os
import signal
import stat
from collections.abc import Mapping
from pathlib import Path


def search_path(checkout: Path, environment: Mapping[str, str]) -> str:
    """PATH with the stand-ins first; those that only give SLURM_CONF back are on it where that variable is set."""
    folders = [str(checkout / "slurm/bin")]
    if conf_file(environment):
        folders.append(str(checkout / "slurm/conf-bin"))
    before = [folder for folder in environment.get("PATH", "").split(os.pathsep) if folder not in folders]
    return os.pathsep.join(filter(None, [*folders, *before]))


def conf_file(environment: Mapping[str, str]) -> str:
    """The configuration file that SLURM's commands are to read; empty where they find it themselves."""
    return environment.get("SLURM_CONF") or environment.get("SKELNAS_SLURM_CONF", "")


def main_process() -> dict[str, str]:
    """Variables by which sbatch's stand-in finds this process, its standard error and the signals it got.

    SKELNAS_SIGNALS is a file descriptor of this process that holds one byte, its number, for every signal that Python
    handled; nothing is put into it where a thread other than the main one asks, or outside Linux.
    """
    found = {"SKELNAS_MAIN": str(os.getpid())}
    append_to_standard_error()
    try:
        signals = os.memfd_create("signals", os.MFD_CLOEXEC)
        os.set_blocking(signals, False)
        signal.set_wakeup_fd(signals, warn_on_full_buffer=False)
    except (AttributeError, OSError, ValueError):
        return found
    return {**found, "SKELNAS_SIGNALS": str(signals)}


def append_to_standard_error() -> None:
    """Where standard error is a file, let every writer add at its end, so that none writes over another's lines."""
    try:
        if stat.S_ISREG(os.fstat(2).st_mode):
            fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) | os.O_APPEND)
    except OSError:
        return
