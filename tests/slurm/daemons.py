"""Starting and ending the processes of the throw-away cluster, each known by its process id and its start."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from configuration import FOLDER


def start(name: str, *command: str) -> None:
    """Start a daemon in the background; where `command` is only options, the program is called `name`."""
    argv = list(command) if not command[0].startswith("-") else [name, *command]
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("SLURM", "SBATCH"))}
    with (FOLDER / f"{name}.out").open("a") as out:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=clean, start_new_session=True, cwd="/"
        )
    (FOLDER / f"{name}.process").write_text(f"{process.pid} {_started(process.pid)}")


def stop(name: str) -> None:
    """End a daemon with SIGTERM, after 20 s with SIGKILL; nothing happens where it does not run."""
    pid = running(name)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 20
    while running(name) and time.monotonic() < deadline:
        _reap(pid)
        time.sleep(0.05)
    kill(pid)


def kill(pid: int) -> None:
    """End a process at once, if it still runs."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    _reap(pid)


def _reap(pid: int) -> None:
    """Let go of a child that has ended; one that another call started is not ours to wait for."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def running(name: str) -> int | None:
    """The process id of what `start` started under this name, if it (and not a later process of that id) still runs."""
    try:
        pid, started = (FOLDER / f"{name}.process").read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if str(_started(int(pid))) == started != "None" else None


def _started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def namespace(name: str) -> str | None:
    """The mount namespace that `name` lives in, if it runs in one of its own."""
    own, found = _mount_namespace(os.getpid()), _mount_namespace(running(name))
    return found if found != own else None


def processes_in(namespace: str | None) -> list[int]:
    """The process ids of everything in a mount namespace; nothing in None."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if namespace is not None and _mount_namespace(pid) == namespace]


def _mount_namespace(pid: int | None) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/mnt").readlink())
    except OSError:
        return None


def listens(port: int) -> bool:
    """Whether something accepts connections on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(*command: str) -> bool:
    """Whether a command ends well."""
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def run(*command: str) -> str:
    """What a command prints; RuntimeError with its complaint when it fails."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout


def wait(ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until `ready()` is true; RuntimeError that names `what` and where its log is when that takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not come up within {seconds:.0f} s; see {FOLDER}/*.log and *.out")
        time.sleep(0.1)
