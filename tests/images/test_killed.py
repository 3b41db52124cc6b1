"""The workflow's own script, killed on a recording on which it hangs, and started again."""

import dataclasses
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.ntu_generate import ntu60_names, write_archive
from skelnas.images import journal
from skelnas.skeletons.recording import Recording, Sample, Source

SCRIPT = Path(__file__).resolve().parents[2] / "workflow/scripts/image_set.py"
NAMES = [name for name in ntu60_names() if name.startswith("S001C001P00") and name[11] <= "3" and "R001" in name]
WITHOUT_BODY = ("S001C001P002R001A003", "S001C001P003R001A050")
HANGS = 100  # in the fourth portion of 32 that the workers get: three, six blocks of 16, are finished


def convert_in_this_process(archive: str, images: str, reads: str, hangs: str) -> None:
    """Run `make_image_set` with two workers, noting each recording that is read; at `hangs` it reads no further."""
    spec = importlib.util.spec_from_file_location("image_set_script", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    journal.BLOCK = 16

    def open_source(files: list[Path], options: dict) -> Source:
        source = original(files, options)

        def read(sample: Sample) -> Recording:
            if sample.name == hangs:
                time.sleep(600)
            with Path(reads).open("a") as stream:
                stream.write(f"{sample.name}\n")
            return source.read(sample)

        return dataclasses.replace(source, read=read)

    original, script.open_source = script.open_source, open_source
    options = {
        "reader": "ntu",
        "width": 16,
        "split": {"rule": "subjects", "train": [1, 2], "valid": [2]},
        "on-bad-recording": "exclude",
    }
    script.checked_sources = lambda *_: ([Path(archive)], [])
    script.make_image_set("ntu", {}, options, 2, images, images.replace(".h5", ".json"))


@pytest.mark.slow
def test_a_killed_conversion_ends_with_the_same_bytes(tmp_path: Path) -> None:
    archive = tmp_path / "ntu.zip"
    write_archive(archive, NAMES, WITHOUT_BODY)
    assert len(NAMES) == 180

    def start(folder: str, hangs: str = "") -> subprocess.Popen:
        values = archive, tmp_path / folder / "ntu.h5", tmp_path / f"{folder}.reads", hangs
        with (tmp_path / f"{folder}.txt").open("w") as messages:
            return subprocess.Popen(
                [sys.executable, __file__, *map(str, values)],
                stderr=messages,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},  # finds bench there
            )

    process = start("killed", NAMES[HANGS])
    workers = []
    try:
        wait_until(lambda: len(list((tmp_path / "killed").rglob("*.block"))) == 6 or process.poll() is not None)
        workers = children(process.pid)
        assert len(workers) == 2
        process.kill()
        process.wait()
        wait_until(lambda: not any(map(alive, workers)), seconds=30)  # nothing of a killed conversion stays
    finally:
        process.kill()
        for worker in filter(alive, workers):
            os.kill(worker, signal.SIGKILL)
    (tmp_path / "killed.reads").unlink()
    assert not (tmp_path / "killed" / "ntu.h5").exists()

    for folder in ("killed", "undisturbed"):
        status = start(folder).wait(timeout=120)
        assert status == 0, (tmp_path / f"{folder}.txt").read_text()
    for name in ("ntu.h5", "ntu.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == ["ntu.h5", "ntu.json"]
    assert sorted((tmp_path / "killed.reads").read_text().split()) == sorted(NAMES)[96:]
    assert sorted((tmp_path / "undisturbed.reads").read_text().split()) == sorted(NAMES)
    assert '"S001C001P002R001A003": ' in (tmp_path / "killed" / "ntu.json").read_text()


def wait_until(happened: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def children(process: int) -> list[int]:
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for text in lists for child in text.read_text().split()]


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # a dead one whose new parent has not asked yet


if __name__ == "__main__":
    convert_in_this_process(*sys.argv[1:])
