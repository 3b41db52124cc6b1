"""Work in forked processes, which may be killed within it."""

import os
import traceback
from collections.abc import Callable


def forked(*works: Callable[[], object]) -> list[int]:
    """Do every work in a process of its own, all at once; how each ended (a signal as a negative number)."""
    pids = []
    for work in works:
        pid = os.fork()
        if pid == 0:
            try:
                work()
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        pids.append(pid)
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
