"""Building an image set: every recording of a source converted, assigned to its split, and normalised."""

import contextlib

import numpy as np

from skelnas.errors import InputError
from skelnas.images.conversion import Conversion, convert
from skelnas.images.encodings import ENCODINGS
from skelnas.images.image_set import ImageSet, sealed
from skelnas.images.journal import Journal
from skelnas.images.normalisation import constants
from skelnas.images.part import Part
from skelnas.images.resize import check_size, default_height, default_width
from skelnas.images.splits import assign, check_coverage
from skelnas.progress import Progress
from skelnas.skeletons.recording import BadRecording, Source


def build_image_set(
    name: str,
    source: Source,
    options: dict,
    progress: Progress | None = None,
    workers: int = 1,
    journal: Journal | None = None,
) -> tuple[ImageSet, dict]:
    """Make the image set `name` of all usable recordings of `source`, and a report of how that went (plain values).

    `options` is the data set's configuration: `split` (the rule), `encoding`, `height` and `width` in pixels (0 or
    absent: the encoding's rows, the mean length of the training pool, each brought up to a multiple of 4) and
    `on-bad-recording`, `fail` or `exclude`. `progress` advances by one per recording.
    What an earlier run left in the `journal` is not converted again; the caller removes it once the files are in place.

    Raises:
        InputError: what `splits.assign` and the encoding refuse; a size that is no multiple of 4; a class without a
            recording in train; with `fail` (a `BadRecording`) the first recording that cannot be used.
    """
    encoding, height, width = options.get("encoding", "swap-axes"), options.get("height", 0), options.get("width", 0)
    if encoding not in ENCODINGS:
        raise InputError(f"{name}: the encoding {encoding!r} is not known; choose one of {', '.join(ENCODINGS)}")
    check_size(height or 4, width or 4)
    assigned = assign(source.samples, options["split"], source.class_names)
    split_of = dict(zip((sample.name for sample in source.samples), assigned, strict=True))

    conversion, excluded = Conversion(source, encoding, height, width), dict(source.excluded)
    tests = sum(split == "test" for split in split_of.values())
    pool, test = Part(len(split_of) - tests, width), Part(tests, width)
    if journal is None:
        images = convert(conversion, source.samples, workers)
    else:
        images = journal.convert(conversion, options, workers)
    with contextlib.closing(images):
        for converted in images:
            if converted.image is not None:
                (test if split_of[converted.sample.name] == "test" else pool).add(converted)
            elif options.get("on-bad-recording", "fail") == "exclude":
                excluded[converted.sample.name] = converted.reason
            else:
                raise BadRecording(f"{converted.reason}; mend it, or set on-bad-recording: exclude for {name}")
            if progress is not None:
                progress.advance(before=converted.recorded)
    usable = [*pool.recordings, *test.recordings]
    splits = [split_of[converted.sample.name] for converted in usable]
    check_coverage([converted.sample for converted in usable], splits, source.class_names)

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
    without_body = {converted.sample.name: converted.frames_without_body for converted in usable}
    report = {
        "split": options["split"],
        "excluded": excluded,
        "frames-without-body": {s.name: without_body[s.name] for s in source.samples if without_body.get(s.name)},
    }
    return sealed(image_set), report


def manifest(image_set: ImageSet, source: Source, report: dict) -> dict:
    """What a person (or the workflow) wants to know of an image set without opening it, as plain values for JSON."""
    lengths = np.concatenate([image_set.pool_lengths, image_set.test_lengths])
    return {
        "fingerprint": image_set.fingerprint,
        "name": image_set.name,
        "encoding": image_set.encoding,
        "height": image_set.height,
        "width": image_set.width,
        "images": image_set.counts,
        "classes": list(image_set.class_names),
        "mean": image_set.mean.tolist(),
        "std": image_set.std.tolist(),
        "lengths": {"shortest": int(lengths.min()), "mean": float(lengths.mean()), "longest": int(lengths.max())},
        "joints": list(source.joint_names),
        "parents": list(source.parents),
        "source": source.origin,
        **report,
    }


def _columns(prefix: str, part: Part, height: int, width: int) -> dict[str, object]:
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
