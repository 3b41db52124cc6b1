"""Damaged files are read in processes of their own, and what comes of each is counted."""

import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from skelnas.errors import InputError
from skelnas.processes import Worker

from .damage import damaged
from .targets import Noticed, Target

OUTCOMES = ("sentence", "right", "other numbers", "traceback", "crash", "hang", "silent change")
FAULTS = OUTCOMES[3:]
PATIENCE = 20  # seconds that a small file may take, on a machine that is busy with other things as well
MEMORY = 8 << 30  # bytes of address space of a process that reads


@dataclass
class Report:
    """How often each outcome came, and an example of each fault: its number, and what was seen."""

    counts: Counter = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> dict[str, str]:
        """The faults with an example each."""
        return {outcome: example for outcome, example in self.examples.items() if self.counts[outcome]}


class Fuzzer:
    """Mutants of one target's file, each made from the seed and its number alone."""

    def __init__(self, target: Target, folder: Path, seed: int, patience: float = PATIENCE) -> None:
        self.target, self.seed, self.patience, self.number, self.report = target, seed, patience, 0, Report()
        folder.mkdir(parents=True)
        self.path = target.make(folder)
        self.content = self.path.read_bytes()
        self.expected = target.read(self.path)
        self.worker: Worker | None = None

    def mutant(self, number: int) -> bytes:
        """The damaged file of this number."""
        return damaged(self.content, random.Random(f"{self.seed} {self.target.name} {number}"))

    def step(self) -> None:
        """Read one more mutant and count its outcome."""
        if self.worker is None:
            self.worker = Worker(_limited(self._outcome))
        self.worker.give(self.number)
        if self.worker.pipe.poll(self.patience):
            outcome = self.worker.outcome()
            outcome, words = outcome if isinstance(outcome, tuple) else ("crash", str(outcome))
        else:
            outcome, words = "hang", f"no answer within {self.patience} s"
        if outcome in ("crash", "hang"):
            self.worker.process.kill()
            self.close()
        self.report.counts[outcome] += 1
        if outcome in FAULTS:
            self.report.examples.setdefault(outcome, f"number {self.number}: {words}")
        self.number += 1

    def close(self) -> None:
        """End the process that reads."""
        if self.worker is not None:
            Worker.end(self.worker)
            self.worker = None

    def _outcome(self, number: int) -> tuple[str, str]:
        """What comes of one mutant."""
        self.path.write_bytes(self.mutant(number))
        try:
            found = self.target.read(self.path)
        except Noticed:
            return "sentence", ""
        except InputError as error:
            text = str(error)
            return ("sentence", "") if text.isprintable() and text else ("traceback", f"no sentence: {text!r}")
        except BaseException as error:
            return "traceback", f"{type(error).__name__}: {error}"[:300]
        if found == self.expected:
            return "right", ""
        return ("silent change" if self.target.checked else "other numbers"), "reads otherwise without a word"


def _limited(work: Callable[[int], tuple[str, str]]) -> Callable[[int], tuple[str, str]]:
    """`work`, done with limited memory from the first call on: a bomb is a MemoryError, not the end of the machine."""

    def limited(number: int) -> tuple[str, str]:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        return work(number)

    return limited


def fuzz(
    targets: list[Target], folder: Path, seed: int, seconds: float, fewest: int = 1
) -> Iterator[tuple[str, Report]]:
    """Fuzz every target for its share of `seconds`, with `fewest` mutants at least; yield name and report of each."""
    for position, target in enumerate(targets):
        fuzzer = Fuzzer(target, folder / str(position), seed)
        end = time.monotonic() + seconds / len(targets)
        try:
            while fuzzer.number < fewest or time.monotonic() < end:
                fuzzer.step()
        finally:
            fuzzer.close()
        yield target.name, fuzzer.report
