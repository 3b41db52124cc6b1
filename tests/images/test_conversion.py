import contextlib
import faulthandler
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from skelnas.errors import InputError
from skelnas.images.conversion import Conversion, convert
from skelnas.images.encodings import swap_axes
from skelnas.images.resize import resize
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source

JOINTS = ("hip", "spine", "head")


def source_of(recordings: dict[str, np.ndarray | str], parents: tuple[int, ...] = (-1, 0, 1)) -> Source:
    samples = tuple(Sample(name, 0, 1) for name in recordings)

    def read(sample: Sample) -> Recording:
        coordinates = recordings[sample.name]
        if isinstance(coordinates, str):
            raise BadRecording(coordinates)
        return Recording(sample, coordinates, frames_without_body=len(sample.name))

    return Source(("a",), JOINTS, parents, samples, read)


def motion(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(len(JOINTS), frames, 3))


def test_each_recording_is_encoded_and_resized() -> None:
    source = source_of({"one": motion(9), "seven": motion(20, 1)})
    images = list(convert(Conversion(source, "swap-axes", 0, 8), source.samples))
    for converted, sample in zip(images, source.samples, strict=True):
        coordinates = source.read(sample).coordinates
        assert converted.sample == sample
        assert np.array_equal(converted.image, resize(swap_axes(coordinates), 4, 8))
        assert converted.length == coordinates.shape[1]
        assert converted.frames_without_body == len(sample.name)
        assert converted.reason == ""


@pytest.mark.parametrize(("zeros", "said", "counted"), [([], 0, 0), ([0, 4, 8], 0, 3), ([2], 3, 3), ([1, 2, 3], 1, 3)])
def test_frames_of_zeros_are_counted_whatever_the_reader_says(zeros: list[int], said: int, counted: int) -> None:
    coordinates = motion(9)
    coordinates[:, zeros] = 0
    coordinates[0, 5] = 0  # one lost joint is no lost body
    sample = Sample("a", 0, 1)
    source = Source(("a",), JOINTS, (-1, 0, 1), (sample,), lambda sample: Recording(sample, coordinates, said))
    (converted,) = convert(Conversion(source, "swap-axes", 0, 8), source.samples)
    assert converted.frames_without_body == counted


def test_without_a_width_nothing_is_resized() -> None:
    source = source_of({"one": motion(9), "two": motion(20)})
    shapes = [c.image.shape for c in convert(Conversion(source, "tree-structure", 0, 0), source.samples)]
    assert shapes == [(5, 9, 3), (5, 20, 3)]


def test_a_recording_that_cannot_be_used_gives_its_reason() -> None:
    damaged = motion(9)
    damaged[1, 4, 2] = np.nan
    source = source_of(
        {
            "good": motion(9),
            "lost": "x.zip: lost is damaged",
            "nan": damaged,
            "few": motion(9)[:2],
            "still": motion(9) * 0,
        }
    )
    results = list(convert(Conversion(source, "swap-axes", 0, 0), source.samples))
    assert [c.image is None for c in results] == [False, True, True, True, True]
    assert [c.reason for c in results[1:]] == [
        "x.zip: lost is damaged",
        "nan: joint 2 of frame 5 has no finite z coordinate",
        "few: 2 joints, expected 3",
        "still: all coordinates equal 0, so there is no motion to encode",
    ]


def test_a_constant_pose_is_named_in_the_reason() -> None:
    still = np.broadcast_to([1.0, 2.0, 3.0], (3, 9, 3))  # every axis constant, but not all values equal
    source = source_of({"still": still})
    (converted,) = convert(Conversion(source, "translation-scale-invariant", 0, 0), source.samples)
    assert converted.reason == "still: all values to be drawn are equal, so there is no motion to encode"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_recording_that_ends_its_process_costs_itself_alone(workers: int) -> None:
    source = source_of({f"r{i}": motion(5 + i % 7, i) for i in range(70)})

    def read(sample: Sample) -> Recording:
        if sample.name in ("r3", "r40"):
            faulthandler.disable()  # pytest's would print what is meant to happen
            os.kill(os.getpid(), signal.SIGSEGV if sample.name == "r3" else signal.SIGKILL)
        if sample.name == "r41":
            raise MemoryError
        if sample.name == "r69":
            os._exit(0)
        return source.read(sample)

    hostile = Source(source.class_names, JOINTS, source.parents, source.samples, read)
    conversion = Conversion(source, "swap-axes", 0, 8)
    alone = list(convert(conversion, source.samples))
    found = list(convert(Conversion(hostile, "swap-axes", 0, 8), source.samples, workers))
    assert [c.sample for c in found] == list(source.samples)
    assert {c.sample.name: c.reason for c in found if c.image is None} == {
        "r3": "r3 cannot be converted: its process died with exit code -11",
        "r40": "r40 cannot be converted: its process died with exit code -9",
        "r41": "r41 cannot be converted: MemoryError",
        "r69": "r69 cannot be converted: its process died with exit code 0",
    }
    for one, other in zip(alone, found, strict=True):
        assert other.image is None or np.array_equal(one.image, other.image)


def hang_in_a_library() -> None:
    """As damage makes one: no exception reaches Python code, and no signal handler of Python's is called."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(60)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_recording_that_hangs_costs_itself_alone(workers: int) -> None:
    source = source_of({f"r{i}": motion(5, i) for i in range(4)})

    def read(sample: Sample) -> Recording:
        if sample.name == "r2":
            hang_in_a_library()
        return source.read(sample)

    hostile = Source(source.class_names, JOINTS, source.parents, source.samples, read)
    found = list(convert(Conversion(hostile, "swap-axes", 0, 8, seconds=1), source.samples, workers))
    assert [c.sample.name for c in found if c.image is not None] == ["r0", "r1", "r3"]
    assert found[2].reason == (
        "r2 cannot be converted: it takes longer than the 1 seconds that `limits: recording-seconds` allows; raise it "
        "for this data set if that is right"
    )


def test_workers_keep_the_order_and_change_nothing() -> None:
    source = source_of({f"r{i}": motion(5 + i % 7, i) if i % 10 else f"r{i} is bad" for i in range(300)})
    conversion = Conversion(source, "swap-axes", 0, 8)
    alone = list(convert(conversion, source.samples))
    together = list(convert(conversion, source.samples, workers=2))
    assert [c.sample for c in together] == list(source.samples)
    for one, other in zip(alone, together, strict=True):
        assert (one.length, one.frames_without_body, one.reason) == (
            other.length,
            other.frames_without_body,
            other.reason,
        )
        assert np.array_equal(one.image, other.image) if one.image is not None else other.image is None


def test_few_recordings_are_read_ahead_of_the_one_that_is_used(tmp_path: Path) -> None:
    marks = tmp_path / "read"
    marks.mkdir()
    source = source_of({f"r{i}": motion(5, i) for i in range(2000)})

    def read(sample: Sample) -> Recording:
        (marks / sample.name).touch()
        return source.read(sample)

    watched = Source(source.class_names, JOINTS, source.parents, source.samples, read)
    images = convert(Conversion(watched, "swap-axes", 0, 8), watched.samples, workers=2)
    next(images)
    images.close()  # stops early: what is not under way is never read
    assert 32 <= len(list(marks.iterdir())) <= 6 * 32


@pytest.mark.parametrize("workers", [1, 2])
def test_mistakes_that_concern_every_recording_are_raised(workers: int) -> None:
    source = source_of({"one": motion(9), "two": motion(9)}, parents=())
    with pytest.raises(InputError, match="needs to know each joint's parent"):
        list(convert(Conversion(source, "tree-structure", 0, 8), source.samples, workers))
