"""SIGTERM as an orderly end: at once, or after a training loop has put what it has on the disk.

SLURM sends SIGTERM before SIGKILL, by default 30 seconds before (its KillWait), to every process of a job.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STATUS = 128 + signal.SIGTERM  # what a shell reports of a process that SIGTERM ended


class _State:
    asked = False  # SIGTERM has come
    deferred = False  # a loop looks at `asked` itself


@contextmanager
def ended_by_sigterm(last_words: str = "") -> Iterator[None]:
    """Within, SIGTERM raises SystemExit with status 143 and writes `last_words` to standard error.

    Files being written are removed on the way, worker processes ended. Outside the main thread it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def come(number: int, frame: FrameType | None) -> None:
        if last_words and not _State.asked:
            sys.stderr.write(f"{last_words}\n")
        _State.asked = True
        if not _State.deferred:
            raise SystemExit(STATUS)

    before = signal.signal(signal.SIGTERM, come)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        _State.asked = False


@contextmanager
def deferred() -> Iterator[None]:
    """Within, SIGTERM waits until the loop there calls `end_if_asked`, which it must do every few seconds."""
    end_if_asked()
    _State.deferred = True
    try:
        yield
    finally:
        _State.deferred = False


def asked() -> bool:
    """Whether SIGTERM has come: save what is to be kept, then call `end_if_asked`."""
    return _State.asked


def end_if_asked() -> None:
    """End this process if SIGTERM has come.

    Raises:
        SystemExit: with status 143.
    """
    if _State.asked:
        raise SystemExit(STATUS)
