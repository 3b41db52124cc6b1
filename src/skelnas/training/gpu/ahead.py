"""The next group's initial values are drawn on the CPU while this one trains: the GPU need not wait for them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Drawn = TypeVar("Drawn")


class Later(Generic[Drawn]):
    """What a thread is drawing; `result` is None until it is drawn, and if that failed or was called off."""

    result: Drawn | None = None


@contextmanager
def drawing(draw: Callable[[Callable[[], bool]], Drawn | None]) -> Iterator[Later[Drawn]]:
    """Within, `draw` runs in a thread of its own; on leaving it is waited for, or called off where something failed.

    `draw` is given a function that says whether it is still wanted, which it asks every now and then. An error in it is
    left for whoever draws again.
    """
    later, off = Later[Drawn](), threading.Event()

    def run() -> None:
        try:
            later.result = draw(lambda: not off.is_set())
        except Exception:  # whatever it is, it comes again where the group draws for itself, and is told there
            later.result = None

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield later
    except BaseException:
        off.set()
        raise
    finally:
        thread.join()
