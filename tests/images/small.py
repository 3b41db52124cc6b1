"""A small data set in memory, and the image set made of it."""

import numpy as np

from skelnas.images.build import build_image_set
from skelnas.images.image_set import ImageSet
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source

RULE = {"rule": "subjects", "train": [1, 2, 3], "valid": [3]}


def small_source(bad: str = "", frames: int = 10) -> Source:
    """3 classes x 4 subjects, 5 joints; recording a<c>_s<s> has `frames` + subject frames."""
    samples = tuple(Sample(f"a{c}_s{s}", c, s) for c in range(3) for s in range(1, 5))

    def read(sample: Sample) -> Recording:
        if sample.name == bad:
            raise BadRecording(f"small.zip: {bad} has no frames")
        rng = np.random.default_rng([sample.label, sample.subject])
        return Recording(sample, rng.normal(size=(5, frames + sample.subject, 3)), int(sample.name == "a1_s2"))

    return Source(
        ("wave", "clap", "wink ñ"),
        tuple("abcde"),
        (-1, 0, 1, 2, 3),
        samples,
        read,
        {"a9_s9": "named missing"},
        {"file": "small.zip"},
    )


def small(workers: int = 1, **options: object) -> ImageSet:
    """The image set of `small_source`, with other options."""
    return build_image_set("small", small_source(), {"split": RULE, **options}, workers=workers)[0]
