"""How a script of the workflow runs: its messages also in its log file, a user's mistake as one sentence."""

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TextIO

from skelnas.caches import remove_own
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


class _Log:
    """A log file that is given up where its disk takes no more: the terminal still says what happened."""

    def __init__(self, file: TextIO) -> None:
        self._file: TextIO | None = file

    def write(self, text: str) -> int:
        try:
            if self._file is not None:
                self._file.write(text)
                self._file.flush()
        except OSError:
            self._file = None
        return len(text)

    def flush(self) -> None:
        self.write("")


@contextlib.contextmanager
def _log(path: Path) -> Iterator[Stream]:
    """The log at `path`, open for writing; a stream to nowhere where it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w", encoding="utf-8", errors="backslashreplace")
    except OSError:
        yield io.StringIO()
        return
    try:
        yield _Log(file)
    finally:
        with contextlib.suppress(OSError):
            file.close()


def run(function: Callable[..., object], log: str, **values: Any) -> None:
    """Call `function(**values)` with standard error doubled into `log`; end with status 1 on an error.

    A user's mistake is one sentence, everything else a traceback.
    """
    with _log(Path(log)) as file:
        terminal = sys.stderr
        sys.stderr = Doubled(terminal, file)  # type: ignore[assignment]  # all that is ever asked of it
        try:
            function(**values)
        except InputError as error:
            sys.stderr.write(f"{error}\n")
            sys.exit(1)
        except KeyboardInterrupt:
            sys.stderr.write("stopped from the keyboard; run again to go on\n")
            sys.exit(130)
        except Exception:  # a fault of ours: Python would print it too, but past the log
            traceback.print_exc()
            sys.exit(1)
        finally:
            sys.stderr = terminal
            remove_own(os.environ)
