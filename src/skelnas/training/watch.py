"""An end for processes whose GPU hangs: a step that never ends raises nothing, and its job waits until its limit."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from skelnas.processes import HUNG
from skelnas.progress import span

LONGEST = 600.0  # seconds without progress after which a GPU counts as hung; a step takes a second at most
LOOKS = 60  # in that time


@contextmanager
def watched(place: Callable[[], object]) -> Iterator[None]:
    """Within, this process ends with status `HUNG` once `place()` has not changed for `LONGEST` seconds.

    A process that is stopped and goes on later is not taken for one that hangs: it is looked at `LOOKS` times before.
    """
    over = threading.Event()

    def watch() -> None:
        seen, silent = place(), 0
        while not over.wait(LONGEST / LOOKS):
            now = place()
            seen, silent = now, 0 if now != seen else silent + 1
            if silent >= LOOKS:
                sys.stderr.write(f"no step ended for {span(LONGEST)}: the GPU hangs, and this process ends\n")
                sys.stderr.flush()
                os._exit(HUNG)  # the thread that hangs cannot be asked

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
