"""Copies that were rounded, trimmed or shifted are found where planted; other performances are none."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from skelnas.analysis.data import copies
from skelnas.analysis.data.copies import near_copies
from skelnas.images.build import build_image_set
from skelnas.images.image_set import ImageSet
from skelnas.skeletons.readers import READERS
from skelnas.skeletons.recording import Recording, Sample, Source

JOINTS, PLAYS = 12, 8


def motion(play: int, take: int) -> np.ndarray:
    """Joints x frames x 3 of a motion that another take repeats with a timing of its own."""
    random, timing = np.random.default_rng(play), np.random.default_rng([play, take])
    frames = 60 + int(timing.integers(0, 12))
    time = np.linspace(0, 1, frames) + 0.06 * np.sin(np.linspace(0, 7, frames) + timing.uniform(0, 6))
    pose, swing = random.normal(0, 0.4, (JOINTS, 1, 3)), random.normal(0, 0.3, (JOINTS, 2, 3))
    waves = np.stack([np.sin(5 * time), np.cos(9 * time)])
    pose = pose + timing.normal(0, 0.03, pose.shape)  # nobody stands the same way twice
    moved = pose + np.einsum("jwc,wt->jtc", swing, waves) + [0, 0, 3]
    return moved + timing.normal(0, 0.003, moved.shape)


def image_set(change: Callable[[np.ndarray], np.ndarray] | None, padding: int = 0) -> ImageSet:
    """Two takes of each play train and validate; a test recording is a third take, or a changed first one."""
    names = {0: "train", 1: "valid", 2: "test"}
    samples = tuple(Sample(f"p{p}_t{t}", p, t, split=names[t]) for p in range(PLAYS) for t in range(3))

    def read(sample: Sample) -> Recording:
        copied = change is not None and sample.split == "test"
        coordinates = motion(sample.label, 0 if copied else sample.subject)
        coordinates = change(coordinates) if copied and change else coordinates
        return Recording(sample, np.pad(coordinates, ((0, 0), (0, padding), (0, 0))))

    source = Source(tuple(f"play {p}" for p in range(PLAYS)), tuple("abcdefghijkl"), (), samples, read)
    return build_image_set("plays", source, {"split": {"rule": "table"}})[0]


PLANTED = [(2 * play, 2 * PLAYS + play) for play in range(PLAYS)]


@pytest.mark.parametrize(
    "change",
    [
        lambda motion: np.round(motion, 2),
        lambda motion: motion[:, 6:],
        lambda motion: motion[:, 4:-7],
        lambda motion: np.concatenate([np.repeat(motion[:, :1], 5, axis=1), motion[:, :-9]], axis=1),
        lambda motion: 1000 * np.round(motion[:, 3:], 3) + 50,
    ],
    ids=["rounded", "late", "trimmed", "shifted", "millimetres"],
)
def test_planted_copies_are_found_and_nothing_else(change: Callable[[np.ndarray], np.ndarray]) -> None:
    assert near_copies(image_set(change)) == PLANTED


def test_other_takes_are_no_copies_nor_is_padding_or_a_set_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    takes = image_set(None)
    assert near_copies(takes) == []
    assert near_copies(image_set(None, padding=200)) == []
    equal = image_set(lambda motion: motion)
    assert near_copies(equal) == []  # these are told as duplicates
    monkeypatch.setattr(copies, "MOST", 23)
    assert not copies.looked_for(takes)
    assert near_copies(image_set(lambda motion: motion[:, 6:])) == []


def test_recordings_without_motion_have_no_timing_to_compare() -> None:
    takes = image_set(None)
    still = np.repeat(takes.pool_images[:1, :, :1], takes.width, axis=2)
    noise = np.random.default_rng(0).integers(0, 2, (16, *still.shape[1:]), dtype=np.uint8)
    assert near_copies(dataclasses.replace(takes, pool_images=still // 2 + noise)) == []


def test_real_recordings_have_no_copies(real_data: Path) -> None:
    source = READERS["utd_mhad"].open([real_data / "utd_mhad/Skeleton.zip"], {})
    block = {"split": {"rule": "subjects", "train": [1, 3, 5, 7], "valid": [7]}}
    images, _ = build_image_set("utd", source, block, workers=len(os.sched_getaffinity(0)))
    assert near_copies(images) == []
