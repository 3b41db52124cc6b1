"""The one loop around a training that goes on batch by batch: it resumes, saves now and then, and ends when asked."""

import sys
from pathlib import Path
from time import monotonic
from typing import Protocol

from skelnas.termination import asked, deferred, end_if_asked


class Training(Protocol):
    """The training of one job, or of a group in step; `batch` counts the batches of `epoch` that are done."""

    epoch: int
    batch: int

    def run_batch(self) -> None:
        """The next batch: one step of training, or a part of the evaluation; after an epoch's last begins another."""

    def save(self, folder: Path) -> None:
        """Write the checkpoint of each job, whole or not at all."""

    def restore(self, folder: Path) -> bool:
        """Go on from what `save` wrote; False, from the start, where nothing that fits is there."""


def run(training: Training, name: str, epochs: int, folder: Path | None, minutes: float) -> None:
    """Train until `epochs` are done, from the checkpoint in `folder` where there is one.

    Every `minutes` another is kept there, and on SIGTERM where this process defers it (see `termination`); they are
    left for the caller to remove. `name` is who goes on, for standard error.

    Raises:
        SystemExit: SIGTERM has come.
    """
    if folder and training.restore(folder):
        sys.stderr.write(f"{name} from epoch {training.epoch + 1}, batch {training.batch + 1}\n")
    saved = monotonic()
    with deferred():
        while training.epoch < epochs:
            training.run_batch()
            if folder and (asked() or monotonic() - saved >= 60 * minutes):
                training.save(folder)
                saved = monotonic()
            end_if_asked()
