import io

import pytest

from skelnas.progress import Progress


def test_last_step_is_always_said(monkeypatch):
    clock = iter([0.0, 10.0, 20.0])
    monkeypatch.setattr("skelnas.progress.time.monotonic", lambda: next(clock))
    stream = io.StringIO()
    progress = Progress("cells", 4, done=2, every=15, stream=stream)
    progress.advance()
    progress.advance(note="seed 777")
    assert stream.getvalue() == "cells: 4/4 (100%), 20 s gone, 0 s left; seed 777\n"


def test_work_done_before_does_not_count_in_the_rate(monkeypatch):
    clock = iter([0.0, 20.0])
    monkeypatch.setattr("skelnas.progress.time.monotonic", lambda: next(clock))
    stream = io.StringIO()
    Progress("cells", 100, "trainings", done=50, every=15, stream=stream).advance(10)
    assert stream.getvalue() == "cells: 60/100 trainings (60%), 20 s gone, 1 min 20 s left\n"


@pytest.mark.parametrize("parts", [3, 10, 1000])
def test_the_end_is_said_whatever_rounding_did(parts):
    stream = io.StringIO()
    progress = Progress("downloading", 1.0, "MB", every=3600, stream=stream)
    for _ in range(parts):
        progress.advance(1.0 / parts)
    assert stream.getvalue().endswith("1/1 MB (100%), 0 s gone, 0 s left\n")
    assert stream.getvalue().count("\n") == 1
