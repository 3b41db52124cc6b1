"""A conversion that ends early and goes on from its journal."""

import dataclasses
import io
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from skelnas.images import journal as journal_module
from skelnas.images.build import build_image_set, manifest
from skelnas.images.conversion import Conversion, Converted, convert
from skelnas.images.journal import Journal
from skelnas.progress import Progress
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source

JOINTS = ("hip", "spine", "head")
SAMPLES = 23  # five whole blocks of four, and one of three
BAD = (2, 9, 21)
RULE = {"rule": "subjects", "train": [1, 2], "valid": [2]}
OPTIONS = {"split": RULE, "width": 12, "on-bad-recording": "exclude"}


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "BLOCK", 4)


class Recordings:
    """A source in memory that counts what is read of it; `file` stands for the archive."""

    def __init__(self, file: Path, bad: tuple[int, ...] = BAD) -> None:
        file.touch()
        self.file, self.bad = file, bad
        self.log = file.with_suffix(".log")  # other processes read
        self.forget()

    @property
    def read(self) -> list[int]:
        """The recordings read so far."""
        return [int(line) for line in self.log.read_text().split()]

    def forget(self) -> None:
        """Count from here on."""
        self.log.write_text("")

    def source(self) -> Source:
        samples = tuple(Sample(f"r{i:02}", i % 2, i % 3 + 1, member=f"m{i}") for i in range(SAMPLES))
        return Source(("wave", "clap"), JOINTS, (-1, 0, 1), samples, self._read, origin={"file": self.file.name})

    def _read(self, sample: Sample) -> Recording:
        number = int(sample.name[1:])
        with self.log.open("a") as log:
            log.write(f"{number}\n")
        if number in self.bad:
            raise BadRecording(f"{sample.name} is bad")
        motion = np.random.default_rng(number).normal(size=(3, 5 + number, 3))
        return Recording(sample, motion, frames_without_body=number % 4)

    def journal(self, image_set: Path) -> Journal:
        return Journal(image_set, [self.file])


@pytest.fixture
def recordings(tmp_path: Path) -> Recordings:
    return Recordings(tmp_path / "small.zip")


def build(recordings: Recordings, image_set: Path, until: int = SAMPLES, workers: int = 1, **options: object) -> dict:
    """The manifest of the image set (its fingerprint stands for all images); interrupted when `until` are in it."""
    progress = Interrupting(until)
    source, journal = recordings.source(), recordings.journal(image_set)
    built, report = build_image_set("small", source, {**OPTIONS, **options}, progress, workers, journal)
    return manifest(built, source, report)


class Interrupting(Progress):
    """Stops the build as Ctrl-C would."""

    def __init__(self, until: int) -> None:
        super().__init__("small", SAMPLES, stream=io.StringIO())
        self.until = until

    def advance(self, *values: float, **named: bool) -> None:
        if self.done == self.until:
            raise KeyboardInterrupt
        super().advance(*values, **named)


def interrupted(recordings: Recordings, image_set: Path, until: int, **options: object) -> None:
    with pytest.raises(KeyboardInterrupt):
        build(recordings, image_set, until, **options)
    recordings.forget()


def blocks(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.block"))


@pytest.mark.parametrize("width", [12, 0])
@pytest.mark.parametrize(("until", "first"), [(3, 0), (4, 4), (5, 4), (14, 12), (22, 20)])
def test_what_is_finished_is_not_read_again(
    recordings: Recordings, tmp_path: Path, until: int, first: int, width: int
) -> None:
    undisturbed = build(recordings, tmp_path / "alone.h5", width=width)
    interrupted(recordings, tmp_path / "small.h5", until, width=width)
    assert build(recordings, tmp_path / "small.h5", width=width) == undisturbed
    assert recordings.read == list(range(first, SAMPLES))
    assert list(undisturbed["excluded"]) == ["r02", "r09", "r21"]
    assert undisturbed["frames-without-body"]["r01"] == 1


def test_without_a_journal_it_is_the_same(recordings: Recordings, tmp_path: Path) -> None:
    source = recordings.source()
    built, report = build_image_set("small", source, OPTIONS)
    assert manifest(built, source, report) == build(recordings, tmp_path / "small.h5")


def test_workers_go_on_where_one_process_ended(recordings: Recordings, tmp_path: Path) -> None:
    undisturbed = build(recordings, tmp_path / "alone.h5")
    interrupted(recordings, tmp_path / "small.h5", 14)
    assert build(recordings, tmp_path / "small.h5", workers=2) == undisturbed
    assert len(blocks(tmp_path / ".journal/small")) == 6
    recordings.forget()
    assert build(recordings, tmp_path / "small.h5") == undisturbed
    assert recordings.read == []


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "absent", "exchange", "another run's"])
def test_a_damaged_block_is_converted_again(recordings: Recordings, tmp_path: Path, damage: str) -> None:
    undisturbed = build(recordings, tmp_path / "small.h5")
    build(recordings, tmp_path / "wide.h5", width=16)
    recordings.forget()
    path, other = blocks(tmp_path / ".journal/small")[1:3]
    content = bytearray(path.read_bytes())
    flipped = content.copy()
    flipped[len(content) // 2] ^= 1
    wide = blocks(tmp_path / ".journal/wide")[1].read_bytes()
    contents = {"truncate": content[:-5], "flip": flipped, "empty": b"", "exchange": other.read_bytes()}
    if damage == "absent":
        path.unlink()
    else:
        path.write_bytes({**contents, "another run's": wide}[damage])
    assert build(recordings, tmp_path / "small.h5") == undisturbed
    assert recordings.read == [4, 5, 6, 7]
    assert path.read_bytes() == content


def longer(recordings: Recordings) -> dict:
    """The file grows, with its time as before; no other option."""
    times = recordings.file.stat()
    recordings.file.write_bytes(b"more")
    os.utime(recordings.file, ns=(times.st_atime_ns, times.st_mtime_ns))
    return {}


def touched(recordings: Recordings) -> dict:
    """The file gets another time; no other option."""
    os.utime(recordings.file, ns=(0, 0))
    return {}


CHANGES: dict[str, Callable[[Recordings], dict]] = {
    "width": lambda _: {"width": 16},
    "height": lambda _: {"height": 8},
    "encoding": lambda _: {"encoding": "tree-structure"},
    "reader option": lambda _: {"body": "both"},
    "file time": touched,
    "file size": longer,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_decides_an_image_starts_over(recordings: Recordings, tmp_path: Path, change: str) -> None:
    interrupted(recordings, tmp_path / "small.h5", 14)
    options = CHANGES[change](recordings)
    expected = build(recordings, tmp_path / "alone.h5", **options)
    recordings.forget()
    assert build(recordings, tmp_path / "small.h5", **options) == expected
    assert recordings.read == list(range(SAMPLES))


def test_another_list_of_samples_starts_over(recordings: Recordings, tmp_path: Path) -> None:
    source, journal = recordings.source(), recordings.journal(tmp_path / "small.h5")
    list(journal.convert(Conversion(source, "swap-axes", 0, 12), OPTIONS))
    recordings.forget()
    fewer = dataclasses.replace(source, samples=(*source.samples[:8], *source.samples[9:]))
    list(journal.convert(Conversion(fewer, "swap-axes", 0, 12), OPTIONS))
    assert recordings.read == [number for number in range(SAMPLES) if number != 8]


def test_a_mended_program_starts_over(recordings: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(recordings, tmp_path / "small.h5")
    recordings.forget()
    monkeypatch.setattr(np, "__version__", "0.0")
    build(recordings, tmp_path / "small.h5")
    assert recordings.read == list(range(SAMPLES))


def test_after_a_bad_recording_a_run_that_excludes_it_goes_on(recordings: Recordings, tmp_path: Path) -> None:
    recordings.bad = (14,)
    with pytest.raises(BadRecording, match="r14 is bad"):
        build(recordings, tmp_path / "small.h5", **{"on-bad-recording": "fail"})
    recordings.forget()
    assert list(build(recordings, tmp_path / "small.h5")["excluded"]) == ["r14"]
    assert recordings.read == list(range(12, SAMPLES))  # its block was not kept: it might be readable by now


def test_another_split_takes_the_images_over(recordings: Recordings, tmp_path: Path) -> None:
    build(recordings, tmp_path / "small.h5")
    recordings.forget()
    other = build(recordings, tmp_path / "small.h5", split={**RULE, "valid": [1]})
    assert recordings.read == []
    assert other == build(recordings, tmp_path / "alone.h5", split={**RULE, "valid": [1]})


def test_recorded_images_do_not_count_in_the_rate(
    recordings: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(recordings, tmp_path / "small.h5", 14)
    stream, clock = io.StringIO(), itertools.count()
    monkeypatch.setattr("skelnas.progress.time.monotonic", lambda: next(clock))
    progress = Progress("small", SAMPLES, every=SAMPLES - 1, stream=stream)
    source, journal = recordings.source(), recordings.journal(tmp_path / "small.h5")
    build_image_set("small", source, OPTIONS, progress, 1, journal)
    # Twelve were recorded: the other ten of twenty-two took 22 seconds, one more takes a tenth of that.
    assert stream.getvalue().startswith("small: 22/23 (96%), 22 s gone, 2 s left\n")


def same(one: list[Converted], other: list[Converted]) -> bool:
    def plain(converted: Converted) -> tuple:
        image = converted.image
        drawn = None if image is None else (image.shape, image.tobytes())
        return converted.sample, drawn, converted.length, converted.frames_without_body, converted.reason

    return [plain(converted) for converted in one] == [plain(converted) for converted in other]


def test_two_at_the_same_time_do_not_disturb_each_other(recordings: Recordings, tmp_path: Path) -> None:
    conversion = Conversion(recordings.source(), "swap-axes", 0, 12)
    expected = list(convert(conversion, conversion.source.samples))
    slow, fast = (recordings.journal(tmp_path / "small.h5") for _ in range(2))
    images: Iterator[Converted] = slow.convert(conversion, OPTIONS)
    first = [next(images) for _ in range(6)]
    assert same(list(fast.convert(conversion, OPTIONS)), expected)
    first += [next(images) for _ in range(8)]
    fast.remove()  # it finishes first, and takes away what the slow one was going on from
    assert same([*first, *images], expected)
    slow.remove()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.log", "small.zip"]


def test_removal_leaves_other_journals(recordings: Recordings, tmp_path: Path) -> None:
    interrupted(recordings, tmp_path / "small.h5", 14, width=16)  # left by a configuration that is no more
    build(recordings, tmp_path / "small.h5")
    build(recordings, tmp_path / "other.h5")
    recordings.journal(tmp_path / "small.h5").remove()
    assert [path.name for path in (tmp_path / ".journal").iterdir()] == ["other"]
    recordings.journal(tmp_path / "small.h5").remove()


def test_files_of_a_folder_decide(tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / "deep"
    folder.mkdir(parents=True)
    (folder / "one.txt").write_text("1")
    states = [journal_module._states(tmp_path / "recordings")]
    (folder / "two.txt").write_text("1")
    states.append(journal_module._states(tmp_path / "recordings"))
    os.utime(folder / "one.txt", ns=(0, 5))
    states.append(journal_module._states(tmp_path / "recordings"))
    assert [len(state) for state in states] == [1, 2, 2]
    assert states[2] == [[(folder / "one.txt").as_posix(), 1, 5], states[1][1]]
