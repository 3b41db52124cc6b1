"""Tests on real recordings: skipped with one line where nobody says where they are, never passed unseen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEST = "tests/skeletons/test_utd_mhad.py::test_the_original_archive"


def outcome(**environment: str) -> tuple[int, str]:
    """Status and output of pytest on one test that reads the real recordings."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "SKELNAS_DATA"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TEST]
    done = subprocess.run(command, cwd=ROOT, env=rest | environment, capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.mark.slow
def test_without_a_folder_they_are_skipped_and_one_line_says_how_to_get_them() -> None:
    status, output = outcome()
    assert status == 0
    assert "1 skipped" in output
    (line,) = [line for line in output.splitlines() if line.startswith("SKIPPED")]
    assert "snakemake -c1 -- data/raw/utd_mhad/Skeleton.zip" in line
    assert "SKELNAS_DATA=data/raw" in line


@pytest.mark.slow
def test_where_the_folder_names_nothing_they_fail(tmp_path: Path) -> None:
    status, output = outcome(SKELNAS_DATA=str(tmp_path / "nowhere"))
    assert status == 1
    assert f"SKELNAS_DATA names {tmp_path / 'nowhere'}, which is not a folder" in output
    status, output = outcome(SKELNAS_DATA=str(tmp_path))  # there, but without the recordings
    assert status == 1
    assert "utd_mhad/Skeleton.zip" in output
