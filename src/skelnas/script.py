"""How a script of the workflow runs: its messages also in its log file, a user's mistake as one sentence."""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from skelnas.errors import InputError


class Stream(Protocol):
    """Where text can be written."""

    def write(self, text: str, /) -> int: ...

    def flush(self) -> None: ...


class Doubled:
    """A stream that writes to two others, such as the terminal and a log file."""

    def __init__(self, first: Stream, second: Stream) -> None:
        self._streams = (first, second)

    def write(self, text: str) -> int:
        for stream in self._streams:
            stream.write(text)
            stream.flush()
        return len(text)

    def flush(self) -> None:
        for stream in self._streams:
            stream.flush()

    def isatty(self) -> bool:
        return False


def run(function: Callable[..., object], log: str, **values: Any) -> None:
    """Call `function(**values)` with standard error doubled into `log`; end with status 1 on an error.

    A user's mistake is one sentence, everything else a traceback.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with Path(log).open("w", encoding="utf-8") as file:
        terminal = sys.stderr
        sys.stderr = Doubled(terminal, file)  # type: ignore[assignment]  # all that is ever asked of it
        try:
            function(**values)
        except InputError as error:
            sys.stderr.write(f"{error}\n")
            sys.exit(1)
        except Exception:
            traceback.print_exc()  # into the log as well
            sys.exit(1)
        finally:
            sys.stderr = terminal
