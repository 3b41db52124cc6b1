"""The group in whose company the GPU was lost: what a new process needs to know to find the job at fault.

An illegal memory access, for one, leaves a process without its GPU, so the search goes on from process to process: the
file `suspects.json` beside the checkpoints holds the group, and the next process trains its halves, last of all.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from skelnas.files import write_json
from skelnas.training.settings import Job

FILE = "suspects.json"


def suspect_groups(folder: Path | None, jobs: Sequence[Job]) -> list[list[Job]]:
    """Groups to be trained apart and last, as far as they are among `jobs`; none where there is no folder.

    First those that were suspect and have not been tried since, then the two halves of the one that failed.
    """
    if folder is None or not (folder / FILE).exists():
        return []
    failed, *untried = (
        [job for job in map(tuple, group) if job in set(jobs)]
        for group in json.loads((folder / FILE).read_text(encoding="utf-8"))
    )
    return [group for group in (*untried, failed[::2], failed[1::2]) if group]


def note_suspects(folder: Path | None, failed: Sequence[Job], untried: Sequence[Sequence[Job]]) -> None:
    """Remember the group that lost the GPU, and those of `suspect_groups` that have not been trained since."""
    if folder is not None:
        write_json(folder / FILE, [[list(job) for job in group] for group in (failed, *untried)])
