"""A made-up image set with its manifest, and the words that a figure shows."""

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from skelnas.images.build import build_image_set, manifest
from skelnas.images.image_set import ImageSet
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source


def _build(classes: int, **split: dict) -> tuple[ImageSet, dict]:
    """`classes` x 6 subjects; subjects 5 and 6 test, 4 validates; one excluded, one with 3 frames without a body."""
    samples = tuple(Sample(f"a{c}_s{s}", c, s) for c in range(classes) for s in range(1, 7))

    def read(sample: Sample) -> Recording:
        if sample.name == "a1_s2":
            raise BadRecording("x.zip: a1_s2 is truncated at line 71")
        rng = np.random.default_rng([sample.label, sample.subject])
        return Recording(sample, rng.normal(size=(4, 10 + sample.subject, 3)), 3 * (sample.name == "a0_s5"))

    names = tuple(f"do something with number {c}" for c in range(classes))
    source = Source(
        names, tuple("abcd"), (-1, 0, 1, 2), samples, read, {"a9_s1": "named missing", "a9_s2": "named missing"}
    )
    split = split or {"split": {"rule": "leave-subjects-out", "test": [5, 6], "valid": [4]}}
    options = {**split, "on-bad-recording": "exclude"}
    image_set, report = build_image_set("small", source, options)
    return image_set, manifest(image_set, source, report)


@pytest.fixture(scope="session")
def build() -> Callable[..., tuple[ImageSet, dict]]:
    return _build


@pytest.fixture(scope="session")
def few() -> tuple[ImageSet, dict]:
    return _build(5)


@pytest.fixture(scope="session")
def texts() -> Callable[[Figure], list[str]]:
    """The words of a figure."""
    return _texts


def _texts(figure: Figure) -> list[str]:
    found = figure.findobj(lambda artist: hasattr(artist, "get_text"))
    return [text.get_text() for text in found if text.get_text()]
