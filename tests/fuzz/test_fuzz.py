"""A seeded minute of `make fuzz`, in two halves, and that its counting notices each kind of fault."""

import os
import random
import time
from pathlib import Path

import pytest

from skelnas.errors import InputError
from skelnas.skeletons.archive_members import Members

from .damage import damaged
from .fuzzing import FAULTS, Fuzzer, fuzz
from .targets import Target, targets, utd_mhad_archive

SECONDS, HALVES = 60, 2  # of all formats together; the halves run side by side
FEWEST = 10  # files of each format, however busy the machine is


@pytest.mark.parametrize("half", range(HALVES))
@pytest.mark.slow
def test_damage_is_a_sentence_or_changes_nothing(tmp_path: Path, half: int) -> None:
    (tmp_path / "first").mkdir()
    content = Members(utd_mhad_archive(tmp_path / "first")).content_fingerprint()
    chosen = targets(content)[half::HALVES]
    found = dict(fuzz(chosen, tmp_path, seed=1, seconds=SECONDS / HALVES, fewest=FEWEST))
    assert found.keys() == {target.name for target in chosen}
    assert {name: report.faults for name, report in found.items() if report.faults} == {}


def fault_of(path: Path, read) -> str:
    """The fault that is counted for a reader which does `read` to damaged files."""

    def make(folder: Path) -> Path:
        (folder / "a").write_bytes(b"whole")
        return folder / "a"

    target = Target("made up", make, lambda path: "right" if path.read_bytes() == b"whole" else read())
    fuzzer = Fuzzer(target, path / "made-up", seed=1, patience=0.5)
    try:
        for _ in range(3):
            fuzzer.step()
    finally:
        fuzzer.close()
    (outcome,) = fuzzer.report.counts
    assert (outcome in FAULTS) == bool(fuzzer.report.faults)
    return outcome


def refuse(text: str) -> None:
    raise InputError(text)


@pytest.mark.parametrize(
    ("read", "outcome"),
    [
        (lambda: refuse("a: damaged"), "sentence"),
        (lambda: "right", "right"),
        (lambda: "wrong", "silent change"),
        (lambda: 1 / 0, "traceback"),
        (lambda: refuse(""), "traceback"),
        (lambda: bytearray(1 << 40), "traceback"),
        (lambda: os._exit(3), "crash"),
        (lambda: time.sleep(60), "hang"),
    ],
)
def test_each_outcome_is_counted(tmp_path: Path, read, outcome: str) -> None:
    assert fault_of(tmp_path, read) == outcome


def test_damage_follows_from_the_seed_alone_and_always_changes_something() -> None:
    content = bytes(range(64))
    first, again = ([damaged(content, random.Random(seed)) for seed in range(300)] for _ in range(2))
    assert first == again
    assert all(found != content for found in first)
    assert len(set(first)) > 200
