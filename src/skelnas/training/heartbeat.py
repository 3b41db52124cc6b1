"""The heartbeat of a job that trains a shard: who is at it, since when, and what it said last.

One small file in `.journal/` beside the shard, `{shard}.job.json`, written when the job begins, every 30 seconds and
when its state changes, each time as a whole. A job that succeeds removes it: the shard speaks for itself. One that is
killed without notice leaves the word `running`; whether that is true shows by its process, its age and SLURM's queue.
"""

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from skelnas.errors import InputError
from skelnas.files import write_json
from skelnas.script import Doubled

FORMAT = "skelnas heartbeat 1"
EVERY = 30.0  # seconds between two beats
SILENCE = 150.0  # seconds without a beat after which a job counts as gone; file systems show changes late


@dataclass(frozen=True)
class Heartbeat:
    """What the file says: `state` is running, failed (of itself) or ended (by a signal), `job` SLURM's number or empty.

    `time` is in seconds since 1970 by the clock of `host`; `said` is the job's last sentence.
    """

    state: str
    host: str
    process: int
    job: str
    time: float
    said: str = ""


def heartbeat_path(shard: Path | str) -> Path:
    """Where the heartbeat of a shard's job lies."""
    shard = Path(shard)
    return shard.parent / ".journal" / f"{shard.stem}.job.json"


def read_heartbeat(shard: Path | str) -> Heartbeat | None:
    """The heartbeat of a shard's last job; None where there is none, or none that can be read."""
    try:
        values = json.loads(heartbeat_path(shard).read_text(encoding="utf-8"))
        if values.pop("format") != FORMAT:
            return None
        return Heartbeat(**values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def is_beating(beat: Heartbeat, age: float) -> bool:
    """Whether the job runs, as far as this machine can tell; `age` is the file's, in seconds.

    Of a job of this machine its process must be there; any job must have written within `SILENCE`.
    """
    if beat.state != "running" or age > SILENCE:
        return False
    return beat.host != socket.gethostname() or _is_there(beat.process)


@contextlib.contextmanager
def heartbeat(shard: Path | str) -> Iterator[None]:
    """Within, this process is known to be training `shard`; whatever is written to standard error is its last sentence.

    A file that cannot be written (a full disk) stops no training.
    """
    beating = _Beating(heartbeat_path(shard))
    stream = sys.stderr
    sys.stderr = Doubled(stream, beating)  # type: ignore[assignment]  # all that is ever asked of it
    try:
        with beating:
            yield
    finally:
        sys.stderr = stream


class _Beating:
    """A thread that writes the file; also a stream, which keeps the last line written to it."""

    def __init__(self, path: Path) -> None:
        self._path, self._line = path, ""
        self._beat = Heartbeat("running", socket.gethostname(), os.getpid(), os.environ.get("SLURM_JOB_ID", ""), 0.0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).replace("\r", "\n").split("\n")
        if said := next((line.strip() for line in reversed([*lines, self._line]) if line.strip()), ""):
            self._beat = replace(self._beat, said=said)
        return len(text)

    def flush(self) -> None:
        """Nothing waits to be written."""

    def __enter__(self) -> None:
        self._write()  # before the thread begins, so that it never imports anything while a process is forked
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._over.set()
        self._thread.join()
        if kind is None:
            self._path.unlink(missing_ok=True)
            return
        if issubclass(kind, Exception):
            said = str(error) if isinstance(error, InputError) else f"{kind.__name__}: {error}"
            self._beat = replace(self._beat, state="failed", said=" ".join(said.split()))
        else:  # SystemExit, KeyboardInterrupt
            self._beat = replace(self._beat, state="ended")
        self._write()

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            self._write()

    def _write(self) -> None:
        self._beat = replace(self._beat, time=round(time.time(), 3))
        with contextlib.suppress(InputError, OSError):
            write_json(self._path, {"format": FORMAT, **asdict(self._beat)})


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's
        return True
    return True
