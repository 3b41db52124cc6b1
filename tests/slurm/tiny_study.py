"""A study of twelve cells in three shards, one for each GPU, and what can be seen and done while it runs."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import daemons

from skelnas.training.journal_file import journal_files, marks

from ..workflow.checkout import IMPATIENT, SYNTHETIC, Checkout

BENCHMARK = "results/benchmark/tiny/synthetic/e4.h5"
SHARDS = ("00000-00003", "00004-00007", "00008-00011")
CONFIG = {
    "study": "tiny",
    "datasets": {"synthetic": SYNTHETIC},
    "recipes": {"e4": {"epochs": 4, "batch-size": 32}},
    "studies": {
        "tiny": {
            "runs": [
                {"dataset": "synthetic", "recipe": "e4", "seeds": [777], "cells": "0-11", "cells-per-shard": 4},
            ],
            "analyses": ["accuracy-distribution"],
        },
        "grown": {
            "runs": [
                {"dataset": "synthetic", "recipe": "e4", "seeds": [777], "cells": "0-14", "cells-per-shard": 6},
            ],
            "analyses": ["accuracy-distribution"],
        },
    },
    # There is no GPU behind the cluster's devices.
    "training": {"device": "cpu"},
}
# The users' profile, only less patient.
PROFILE = ("--profile", "slurm", "--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "5")
LONGEST_RUN = 800  # seconds; what takes longer hangs


@dataclass(frozen=True)
class Job:
    """One line of squeue, for a job that trains a shard."""

    number: str
    state: str
    node: str
    shard: str


@dataclass
class TinyStudy:
    """A folder in which snakemake runs through the profile, one main process at a time."""

    checkout: Checkout
    environment: dict[str, str] = field(default_factory=dict)
    main: subprocess.Popen | None = None

    @classmethod
    def new(cls, folder: Path, config: dict = CONFIG) -> "TinyStudy":
        """The study in an empty folder."""
        return cls(Checkout.make(folder, config))

    def copy(self, folder: Path, trained: bool) -> "TinyStudy":
        """A copy in another folder; unless `trained`, with sources and images only."""
        copy = TinyStudy(self.checkout.copy(folder))
        for part in ("train", "benchmark", "analysis", "archive"):
            if not trained:
                shutil.rmtree(folder / "results" / part)
        shutil.rmtree(folder / "logs")
        return copy

    @property
    def folder(self) -> Path:
        """Where it runs."""
        return self.checkout.folder

    # --- the main process -------------------------------------------------------------------------------------------

    def start(self, *targets: str, flags: Iterable[str] = ()) -> None:
        """Call snakemake as users do; what it prints goes to main.txt."""
        with (self.folder / "main.txt").open("w") as output:
            self.main = subprocess.Popen(
                [sys.executable, "-c", IMPATIENT, *PROFILE, *flags, "--", *targets],
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "OMP_NUM_THREADS": "1", **self.environment},
                start_new_session=True,
                # Where tests run in the background, Ctrl-C is ignored, and that would be inherited.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def finish(self, seconds: float = LONGEST_RUN, succeeds: bool = True) -> str:
        """Wait for the main process and return what it printed."""
        try:
            code = self.main.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"snakemake hangs\n{self.said()}\n{queue()}") from None
        assert (code == 0) == succeeds, f"snakemake ended with {code}\n{self.said()}"
        return self.said()

    def run(self, *targets: str, flags: Iterable[str] = (), succeeds: bool = True) -> str:
        """Call snakemake and wait for it."""
        self.start(*targets, flags=flags)
        return self.finish(succeeds=succeeds)

    def said(self) -> str:
        """What the main process printed so far."""
        return (self.folder / "main.txt").read_text(errors="replace")

    def end(self) -> None:
        """End the main process and the jobs of this folder, if any are left."""
        if self.main and self.main.poll() is None:
            os.killpg(self.main.pid, signal.SIGKILL)
            self.main.wait()
        if jobs := [line.split("|")[0] for line in queue().splitlines() if line.endswith(f"|{self.folder}")]:
            subprocess.run(["scancel", *jobs], check=False)

    # --- its jobs -----------------------------------------------------------------------------------------------------

    def jobs(self) -> list[Job]:
        """Jobs of this folder that wait or run."""
        lines = [line.split("|") for line in queue().splitlines()]
        return [
            Job(number, state, node, comment.rpartition("_")[2])
            for number, state, node, comment, folder in lines
            if folder == str(self.folder)
        ]

    def wait(self, what: str, found: Callable[[], object], seconds: float = 300) -> object:
        """Wait until `found()` gives something; fails when it does not, or when the main process ends before."""
        deadline = time.monotonic() + seconds
        while not (value := found()):
            assert self.main.poll() is None, f"snakemake ended before: {what}\n{self.said()}"
            assert time.monotonic() < deadline, f"waited in vain: {what}\n{self.said()}\n{queue()}"
            time.sleep(0.2)
        return value

    def job_with_progress(self, but: Iterable[Job] = (), on: str = "", older: Container[str] = ()) -> Job:
        """A running job with a cell in its journal and more to do; not of the shards of `but`, not numbered `older`."""
        known = {job.shard for job in but}

        def found() -> Job | None:
            for job in self.jobs():
                recorded = len(self.recorded(job.shard))
                if job.number in older or job.shard in known:
                    continue
                if job.state == "RUNNING" and 0 < recorded < 3 and on in ("", job.node):
                    return job
            return None

        return self.wait("a job with a finished cell", found)

    def recorded(self, shard: str) -> dict[int, float]:
        """The cells in the journal of a shard, and when each was finished (seconds since 1970)."""
        folders = self.folder.glob(f"results/train/synthetic/e4/seed777/.journal/{shard}-*")
        files = [file for folder in folders for file in journal_files(folder)]
        return {mark.cell: mark.finished for file in files for mark in marks(file)}

    def unrecorded_seconds(self, shard: str) -> float:
        """How much training would be lost if the shard's job ended now: seconds since its last record."""
        return time.time() - max(self.recorded(shard).values())

    def environments(self) -> dict[str, dict[str, str]]:
        """The environment of each process that trains in this folder right now, by its SLURM job."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                script = (process / "cmdline").read_bytes().split(b"\0")[1]
                if script.endswith(b"train.py") and (process / "cwd").readlink() == self.folder:
                    pairs = (process / "environ").read_bytes().decode().split("\0")
                    own = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
                    found[own["SLURM_JOB_ID"]] = own
            except (OSError, IndexError):
                continue  # it ended meanwhile, or has no command line
        return found

    def logs(self, shard: str) -> list[str]:
        """What the jobs of a shard printed, in the order of their numbers."""
        files = (self.folder / "logs/slurm/rule_train").glob(f"*{shard}*/*.log")
        return [file.read_text(errors="replace") for file in sorted(files, key=lambda file: int(file.stem))]

    # --- its results --------------------------------------------------------------------------------------------------

    @staticmethod
    def target(shard: str) -> str:
        """The name by which snakemake makes a shard."""
        return f"results/train/synthetic/e4/seed777/{shard}.h5"

    def shard(self, name: str) -> Path:
        """The file of a shard."""
        return self.folder / self.target(name)

    def assert_same_results(self, other: "TinyStudy") -> None:
        """Every shard and the benchmark file have the bytes of another study's; nothing else is left behind."""
        mine, theirs = (
            {name: content for name, content in study.checkout.bytes_of_results().items() if _compared(name)}
            for study in (self, other)
        )
        assert mine.keys() == theirs.keys()
        assert [name for name in mine if mine[name] != theirs[name]] == []


def _compared(name: str) -> bool:
    return name.startswith(("results/train/", "results/benchmark/"))


def queue() -> str:
    """Every job of the cluster: number, state, node, comment and folder; empty while the controller is away."""
    command = ["squeue", "--noheader", "--format=%i|%T|%N|%k|%Z"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout


def scancel(job: Job) -> None:
    """Cancel a job as a person would."""
    daemons.run("scancel", job.number)


def requeue(job: Job) -> None:
    """Send a running job back to the queue, as preemption does."""
    daemons.run("scontrol", "requeue", job.number)
