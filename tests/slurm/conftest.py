"""The throw-away cluster, an undisturbed study to compare with, and the table of faults at the end."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import cluster
import daemons

from .tiny_study import TinyStudy

Fault = Callable[[str, str, float | None, float], None]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what each fault cost: docs/cluster.md quotes these lines."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    faults = [value for report in reports for key, value in report.user_properties if key == "fault"]
    if faults:
        terminalreporter.section("faults")
    for name, outcome, repeated, seconds in faults:
        again = "" if repeated is None else f"{repeated:.0f} s"
        terminalreporter.write_line(f"{name:<55} {outcome:<35} repeated {again:<6} run {seconds:4.0f} s")


@pytest.fixture
def fault(record_property: Callable[[str, object], None]) -> Fault:
    """Adds a line to the table: fault, what had to be done, seconds of training repeated (None: none), of the run."""

    def add(name: str, outcome: str, repeated: float | None, seconds: float) -> None:
        record_property("fault", (name, outcome, repeated, seconds))

    return add


@pytest.fixture(scope="session")
def bring_up() -> Iterator[Callable[[bool], None]]:
    """Brings the cluster up with or without accounting; every daemon ends with the tests, whatever happens.

    Each worker of pytest has a cluster of its own.
    """
    variant = None
    alone = False

    def up(accounting: bool) -> None:
        nonlocal variant, alone
        if variant is accounting:
            return
        try:
            if not alone:
                cluster.be_alone()
                alone = True
            cluster.up(accounting)
        except (SystemExit, OSError, RuntimeError, subprocess.SubprocessError) as error:
            pytest.exit(f"make test-slurm needs root on Debian with room for mount namespaces: {error}", returncode=1)
        variant = accounting

    try:
        yield up
    finally:
        if os.geteuid() == 0:
            cluster.down()


@pytest.fixture
def accounting(bring_up: Callable[[bool], None]) -> None:
    """A cluster with slurmdbd, both nodes on."""
    bring_up(True)


@pytest.fixture(scope="session")
def first_run(bring_up: Callable[[bool], None]) -> Iterator[tuple[TinyStudy, str]]:
    """The whole study, run on the cluster without any fault, and what sacct says of its jobs.

    sacct is asked at once: a later test brings up another cluster, whose database knows nothing of these jobs.
    """
    bring_up(True)
    # Not below pytest's own folder: its path would be too long for some of SLURM's fields.
    with tempfile.TemporaryDirectory(prefix="skelnas-study-") as folder:
        study = TinyStudy.new(Path(folder))
        study.run("tiny")
        yield study, daemons.run("sacct", "-X", "-n", "-P", "--format=State,AllocTRES,NodeList,WorkDir")


@pytest.fixture(scope="session")
def undisturbed(first_run: tuple[TinyStudy, str]) -> TinyStudy:
    """The study without any fault; read it, and disturb only copies of it."""
    return first_run[0]


@pytest.fixture
def copied(undisturbed: TinyStudy) -> Iterator[Callable[..., TinyStudy]]:
    """Makes copies of the undisturbed study, with or without what was trained; their jobs end with the test."""
    made: list[tuple[TinyStudy, tempfile.TemporaryDirectory]] = []

    def copy(trained: bool = False) -> TinyStudy:
        folder = tempfile.TemporaryDirectory(prefix="skelnas-study-")
        made.append((undisturbed.copy(Path(folder.name), trained), folder))
        return made[-1][0]

    yield copy
    for study, folder in made:
        study.end()
        folder.cleanup()


@pytest.fixture
def untrained(copied: Callable[..., TinyStudy]) -> TinyStudy:
    """A copy of the undisturbed study with its images, and nothing trained."""
    return copied()
