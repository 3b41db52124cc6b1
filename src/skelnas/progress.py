"""Progress of long work, with a time left, that reads well in a terminal and in a log file."""

import sys
import time
from typing import TextIO

from skelnas.text import span


class Progress:
    """Says how much of `total` is done, at what rate, and how long the rest will take.

    In a terminal one line is rewritten; in a log a line is added at most every `every` seconds, so that a log stays
    short. Work already done before the start (a journal) counts as done but not in the rate.
    """

    def __init__(
        self,
        what: str,
        total: float,
        unit: str = "",
        done: float = 0,
        every: float = 15.0,
        stream: TextIO | None = None,
    ) -> None:
        self.what, self.total, self.unit, self.done = what, total, unit, done
        self._before, self._stream = done, stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._every = 0.2 if self._terminal else every
        self._start = self._last = time.monotonic()

    def advance(self, amount: float = 1, note: str = "", before: bool = False) -> None:
        """Count `amount` more as done, and say so if it is time; `before`: it was done before the start."""
        self.done += amount
        self._before += amount if before else 0
        if self.total - self.done < 1e-9 * self.total:
            self.done = self.total  # however small parts were rounded
        now = time.monotonic()
        if now - self._last >= self._every or self.done >= self.total:
            self._last = now
            self._say(now - self._start, note)

    def _say(self, seconds: float, note: str) -> None:
        share = self.done / self.total if self.total else 1.0
        new = self.done - self._before
        left = span((self.total - self.done) * seconds / new) if new > 0 else "unknown"
        counts = f"{self.done:,.0f}/{self.total:,.0f}{' ' + self.unit if self.unit else ''}"
        line = f"{self.what}: {counts} ({share:.0%}), {span(seconds)} gone, {left} left{'; ' + note if note else ''}"
        if self._terminal:
            self._stream.write(f"\r\x1b[K{line}" + ("\n" if self.done >= self.total else ""))
        else:
            self._stream.write(line + "\n")
        self._stream.flush()
