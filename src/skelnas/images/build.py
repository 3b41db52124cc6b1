"""Building an image set: every recording of a source converted, assigned to its split, and normalised."""

import contextlib
import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from skelnas.errors import InputError
from skelnas.images.conversion import Conversion, Converted, convert
from skelnas.images.encodings import ENCODINGS
from skelnas.images.image_set import ImageSet, sealed
from skelnas.images.journal import Journal
from skelnas.images.manifest import described
from skelnas.images.options import ImageOptions
from skelnas.images.resize import check_size, default_height, default_width, resize
from skelnas.images.splits import assign, by_number, check_coverage
from skelnas.options import stated
from skelnas.progress import Progress
from skelnas.recipe import SPLITS
from skelnas.skeletons.plausibility import implausible
from skelnas.skeletons.recording import BadRecording, Source

LEVELS = np.arange(256, dtype=object)  # Python integers: sums stay exact, so their order does not matter
CHUNK = 1024  # images whose levels are counted at a time


def build_image_set(
    name: str,
    source: Source,
    block: Mapping[str, Any],
    progress: Progress | None = None,
    workers: int = 1,
    journal: Journal | None = None,
) -> tuple[ImageSet, dict]:
    """Make the image set `name` of all usable recordings of `source`, and a report of how that went (plain values).

    `block` is the data set's in config.yaml (`ImageOptions`). `progress` advances by one per recording. What an earlier
    run left in the `journal` is not converted again; the caller removes it once the files are in place.

    Raises:
        InputError: what `splits.assign` and the encoding refuse; a size that is no multiple of 4; a class without a
            recording in train; with `fail` (a `BadRecording`) the first recording that cannot be used.
    """
    options, least = stated(ImageOptions, block), float(block.get("min-confidence", 0))
    encoding, height, width = options.encoding, options.height, options.width
    if encoding not in ENCODINGS:
        raise InputError(f"{name}: the encoding {encoding!r} is not known; choose one of {', '.join(ENCODINGS)}")
    check_size(height or 4, width or 4)
    if options.split:
        assigned = assign(source.samples, by_number(options.split, source.subject_names), source.class_names)
    else:  # for folds, each of which splits the pool in its own way
        assigned = ["train"] * len(source.samples)
    split_of = dict(zip((sample.name for sample in source.samples), assigned, strict=True))

    conversion = Conversion(source, encoding, height, width, options.limits.recording_seconds)
    excluded = dict(source.excluded)
    tests = sum(split == "test" for split in split_of.values())
    pool, test = Part(len(split_of) - tests, width), Part(tests, width)
    if journal is None:
        images = convert(conversion, source.samples, workers)
    else:
        images = journal.convert(conversion, block, workers)
    with contextlib.closing(images):
        for converted in images:
            if converted.image is not None:
                (test if split_of[converted.sample.name] == "test" else pool).add(converted)
            elif options.on_bad_recording == "exclude":
                excluded[converted.sample.name] = source.without_folders(converted.reason)
            else:
                raise BadRecording(f"{converted.reason}; mend it, or set on-bad-recording: exclude for {name}")
            if progress is not None:
                progress.advance(before=converted.recorded)
    usable, needed = [*pool.recordings, *test.recordings], SPLITS if options.split else SPLITS[:1]
    splits = [split_of[converted.sample.name] for converted in usable]
    try:
        check_coverage([converted.sample for converted in usable], splits, source.class_names, needed)
    except InputError as error:
        bad = [reason for sample, reason in excluded.items() if sample not in source.excluded]
        if not bad:
            raise
        many = f"{len(bad)} of {len(split_of)} recordings are excluded; the first: {bad[0]}"
        raise InputError(f"{name}: {many}; mend them first, for without them {error}") from error

    pool_splits = np.array(splits[: len(pool.recordings)])
    height = height or default_height(pool.rows())
    width = width or default_width([converted.length for converted in pool.recordings])
    pool_fields = _columns("pool", pool, height, width)
    mean, std = constants(pool_fields["pool_images"])
    image_set = ImageSet(
        name=name,
        train_index=np.flatnonzero(pool_splits == "train"),
        valid_index=np.flatnonzero(pool_splits == "valid"),
        class_names=tuple(source.class_names),
        mean=mean,
        std=std,
        encoding=encoding,
        fingerprint="",
        **pool_fields,
        **_columns("test", test, height, width),
    )
    of_name = {converted.sample.name: converted for converted in usable}
    in_order = [of_name[sample.name] for sample in source.samples if sample.name in of_name]
    found = {
        "missing-joints": {one.sample.name: one.missing_joints for one in in_order if one.missing_joints},
        "padding": {one.sample.name: one.padding for one in in_order if one.padding},
        "unsure-joints": {one.sample.name: one.unsure_joints for one in in_order if one.unsure_joints},
        "outliers": implausible({one.sample.name: one.measures for one in in_order}, source.joint_names),
    }
    scores = [one.confidence for one in in_order if one.confidence >= 0]
    report = {
        **({"split": options.split} if options.split else {"folds": block["folds"]}),
        "excluded": excluded,
        "frames-without-body": {
            one.sample.name: one.frames_without_body for one in in_order if one.frames_without_body
        },
        **{key: counts for key, counts in found.items() if counts},  # sets of before have the same manifest
        **({"confidence": {"mean": math.fsum(scores) / len(scores), "least": least}} if scores else {}),
    }
    return sealed(image_set), report


def manifest(image_set: ImageSet, source: Source, report: dict) -> dict:
    """What a person (or the workflow) wants to know of an image set without opening it, as plain values for JSON."""
    lengths = np.concatenate([image_set.pool_lengths, image_set.test_lengths])
    return {
        **described(image_set),
        "lengths": {"shortest": int(lengths.min()), "mean": float(lengths.mean()), "longest": int(lengths.max())},
        "joints": list(source.joint_names),
        "parents": list(source.parents),
        "source": source.origin,
        **({"subjects": {str(n): name for n, name in source.subject_names.items()}} if source.subject_names else {}),
        **report,
    }


class Part:
    """One part of an image set, the training pool or the test split, gathered as its recordings are converted.

    At most `most` recordings and their images, which all get one size.

    Where `width` is given (not 0), every image is as large as the first and goes straight to its place: a list of them
    beside the array would double the memory. Otherwise images keep their own widths until they are stacked.
    """

    def __init__(self, most: int, width: int) -> None:
        self.recordings: list[Converted] = []
        self._most, self._width = most, width
        self._images = np.empty((0, 0, 0, 3), dtype=np.uint8)
        self._own_widths: list[np.ndarray] = []

    def add(self, converted: Converted) -> None:
        """Take one usable recording; its image is kept apart."""
        assert converted.image is not None, "a recording that cannot be used has no image"
        if self._width:
            if not self.recordings:
                self._images = np.empty((self._most, *converted.image.shape), dtype=np.uint8)
            _, height, width, _ = self._images.shape
            self._images[len(self.recordings)] = resize(converted.image, height, width)
        else:
            self._own_widths.append(converted.image)
        self.recordings.append(dataclasses.replace(converted, image=None))

    def rows(self) -> int:
        """Rows of the first image."""
        return self._images.shape[1] if self._width else len(self._own_widths[0])

    def stacked(self, height: int, width: int) -> np.ndarray:
        """All images, uint8, recordings x height x width x 3; height and width are those given before, if they were."""
        if self._width and self.recordings:
            return self._images[: len(self.recordings)]
        images = np.empty((len(self.recordings), height, width, 3), dtype=np.uint8)
        for place, image in enumerate(self._own_widths):
            images[place] = resize(image, height, width)
        return images


def constants(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and population standard deviation per channel of uint8 images x height x width x 3, on the 0..255 scale.

    Two float64 arrays of 3. A channel of one value everywhere gets the deviation 1, so that it becomes 0 and not NaN.
    """
    histogram = np.zeros((3, 256), dtype=np.int64)
    for start in range(0, len(images), CHUNK):
        for channel in range(3):
            histogram[channel] += np.bincount(images[start : start + CHUNK, ..., channel].ravel(), minlength=256)
    mean, std = np.empty(3), np.empty(3)
    for channel, counts in enumerate(histogram.astype(object)):
        number, total, squares = counts.sum(), (counts * LEVELS).sum(), (counts * LEVELS**2).sum()
        mean[channel] = total / number
        std[channel] = math.sqrt((number * squares - total**2) / number**2) or 1.0
    return mean, std


def _columns(prefix: str, part: Part, height: int, width: int) -> dict[str, Any]:
    """The fields of an image set that hold one value per image, named with `prefix`."""
    samples = [one.sample for one in part.recordings]
    columns = {
        "images": part.stacked(height, width),
        "labels": np.array([sample.label for sample in samples]),
        "names": tuple(sample.name for sample in samples),
        "subjects": np.array([sample.subject for sample in samples]),
        "lengths": np.array([one.length for one in part.recordings]),
        "frames_without_body": np.array([one.frames_without_body for one in part.recordings]),
    }
    return {f"{prefix}_{key}": column for key, column in columns.items()}
