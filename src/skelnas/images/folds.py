"""Folds: the parts of a cross-validation, each an image set of its own made from one file of images.

The file holds every recording once, as a pool without a test split. A fold's manifest names the recordings in it that
test and validate, by their places; all others train. Everything else of the fold follows from these: its normalisation
constants come from its own training pool, and its fingerprint from its own content.
"""

import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from skelnas.errors import InputError, Misconfigured
from skelnas.images.build import constants
from skelnas.images.image_set import ImageSet, read_image_set, sealed
from skelnas.images.manifest import described, read_manifest
from skelnas.images.splits import check_coverage, with_valid
from skelnas.options import stated
from skelnas.skeletons.recording import Sample

COLUMNS = ("images", "labels", "names", "subjects", "lengths", "frames_without_body")  # of each part of an image set


@dataclass(frozen=True)
class FoldOptions:
    """count: the number of folds. rule: `k-fold`, or `leave-one-subject-out` with as many folds as subjects.

    by: what stays together, whole subjects or nothing (recordings, of each class alike); empty for subjects where the
    source names more than one. seed: of all that is drawn. valid_share: of what does not test, validates.
    """

    count: int
    rule: Literal["k-fold", "leave-one-subject-out"] = "k-fold"
    by: Literal["", "subject", "recording"] = ""
    seed: int = 0
    valid_share: float = 0.2


def kept_together(samples: Sequence[Sample], options: FoldOptions) -> str:
    """What the folds are made of: "subject" or "recording"."""
    several = len({sample.subject for sample in samples}) > 1
    return options.by or ("subject" if several or options.rule == "leave-one-subject-out" else "recording")


def assign(
    samples: Sequence[Sample], options: FoldOptions, name: str, class_names: Sequence[str] = ()
) -> list[list[str]]:
    """For each fold, whether each sample is "train", "valid" or "test" in it; each sample tests in one fold.

    k-fold                  subjects in an order drawn with the seed, dealt out one by one; or the recordings of each
                            class, so that every fold has nearly as many of it
    leave-one-subject-out   fold 1 tests the first subject, fold 2 the second, ...

    What does not test in a fold validates to the share `valid_share`: whole subjects, or recordings of each class.

    Raises:
        InputError: a fold in which no recording validates, or a class is not trained.
        Misconfigured: `count` does not go with the subjects or recordings of the data set `name`.
    """
    by = kept_together(samples, options)
    parts = _by_subject(samples, options, name) if by == "subject" else _by_recording(samples, options, name)
    folds = []
    for fold in range(options.count):
        splits = ["test" if part == fold else "train" for part in parts]
        rule = {"by": by, "valid-share": options.valid_share, "seed": options.seed}
        try:
            splits = with_valid(samples, splits, rule)
            check_coverage(samples, splits, class_names)
        except InputError as error:
            raise InputError(f"{name}, fold {fold + 1} of {options.count}: {error}") from error
        folds.append(splits)
    return folds


def _by_subject(samples: Sequence[Sample], options: FoldOptions, name: str) -> list[int]:
    subjects = sorted({sample.subject for sample in samples})
    if options.rule == "leave-one-subject-out":
        if options.count != len(subjects):
            raise _wrong_count(name, options, f"but the source has {len(subjects)} subjects; write {len(subjects)}")
    else:
        if options.count > len(subjects):
            few = f"take at most {len(subjects)}, or `by: recording`"
            raise _wrong_count(name, options, f"more than the {len(subjects)} subjects of the source; {few}")
        random.Random(options.seed).shuffle(subjects)
    part = {subject: place % options.count for place, subject in enumerate(subjects)}
    return [part[sample.subject] for sample in samples]


def _by_recording(samples: Sequence[Sample], options: FoldOptions, name: str) -> list[int]:
    if options.rule == "leave-one-subject-out":
        words = " is recording, but leave-one-subject-out leaves out subjects; take `by: subject`"
        raise Misconfigured(f"datasets.{name}.folds.by", words)
    parts, dealt = [0] * len(samples), 0
    for label in sorted({sample.label for sample in samples}):
        of_class = [place for place, sample in enumerate(samples) if sample.label == label]
        if options.count > len(of_class):
            few = f"take at most {len(of_class)}, or more recordings"
            raise _wrong_count(name, options, f"more than the {len(of_class)} recordings of class {label + 1}; {few}")
        random.Random(f"{options.seed} {label}").shuffle(of_class)
        for place in of_class:
            parts[place] = dealt % options.count
            dealt += 1
    return parts


def _wrong_count(name: str, options: FoldOptions, words: str) -> Misconfigured:
    return Misconfigured(f"datasets.{name}.folds.count", f" is {options.count}, {words}")


def fold_manifest(everyone: ImageSet, options: FoldOptions, number: int) -> dict[str, Any]:
    """The manifest of fold `number` (from 1) of the image set that holds every recording, as plain values for JSON.

    Under `fold` it has the places of the recordings that test and validate, counted from 0 as ranges (`3-5,9`), and the
    fingerprint of the common file.

    Raises:
        InputError: what `assign` refuses.
    """
    splits = _splits(everyone, options)[number - 1]
    fold = {
        "number": number,
        "count": options.count,
        "rule": options.rule,
        "by": kept_together(_samples(everyone), options),
        "images": f"{everyone.name}.h5",
        "fingerprint": everyone.fingerprint,
        "test": _ranges([place for place, split in enumerate(splits) if split == "test"]),
        "valid": _ranges([place for place, split in enumerate(splits) if split == "valid"]),
    }
    return {**described(fold_of(everyone, fold)), "fold": fold}


def splits_of_folds(everyone: ImageSet, folds: Mapping[str, Any]) -> list[list[str]]:
    """As `assign`, of the recordings in the file of all folds; `folds` is the block of config.yaml.

    Raises:
        InputError: what `assign` refuses.
    """
    return _splits(everyone, stated(FoldOptions, folds))


def _splits(everyone: ImageSet, options: FoldOptions) -> list[list[str]]:
    return assign(_samples(everyone), options, everyone.name, everyone.class_names)


def fold_of(everyone: ImageSet, fold: Mapping[str, Any]) -> ImageSet:
    """The image set of one fold: `fold` as in its manifest.

    Raises:
        InputError: the images are others than those that the fold was made of, or it does not say which are in it.
    """
    if fold["fingerprint"] != everyone.fingerprint:
        raise InputError(
            f"{everyone.name}: fold {fold['number']} was made of other images than {fold['images']} holds; "
            "make it again with snakemake"
        )
    recordings = len(everyone.pool_labels)
    tests, validates = np.zeros((2, recordings), dtype=bool)
    tests[_places(fold, "test", recordings)], validates[_places(fold, "valid", recordings)] = True, True
    columns: dict[str, Any] = {}
    for prefix, places in (("pool", np.flatnonzero(~tests)), ("test", np.flatnonzero(tests))):
        for column in COLUMNS:
            values = getattr(everyone, f"pool_{column}")
            chosen = tuple(values[place] for place in places) if isinstance(values, tuple) else values[places]
            columns[f"{prefix}_{column}"] = chosen
    mean, std = constants(columns["pool_images"])
    return sealed(
        dataclasses.replace(
            everyone,
            name=f"{everyone.name}-fold{fold['number']}",
            train_index=np.flatnonzero(~validates[~tests]),
            valid_index=np.flatnonzero(validates[~tests]),
            mean=mean,
            std=std,
            **columns,
        )
    )


def read_images(images: Path | str, manifest: Path | str) -> ImageSet:
    """The image set that a manifest describes: all of its file, or one fold of it.

    Raises:
        InputError: either cannot be read, or a manifest does not fit its images.
    """
    values, image_set = read_manifest(manifest), read_image_set(images)
    return fold_of(image_set, values["fold"]) if "fold" in values else image_set


def _ranges(places: Sequence[int]) -> str:
    """Ascending places as text: 3-5,9."""
    known = set(places)
    starts = [place for place in places if place - 1 not in known]
    ends = [place for place in places if place + 1 not in known]
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in zip(starts, ends, strict=True))


def _places(fold: Mapping[str, Any], split: str, recordings: int) -> list[int]:
    """The places that a manifest gives, of so many recordings."""
    found: list[int] = []
    try:
        for part in filter(None, fold[split].split(",")):
            first, _, last = part.partition("-")
            if not 0 <= int(first) <= int(last or first) < recordings:
                raise ValueError(part)
            found += range(int(first), int(last or first) + 1)
    except (KeyError, AttributeError, ValueError) as error:
        raise InputError(
            f"the manifest of fold {fold['number']} does not say which of {recordings:,} recordings are in {split} "
            f"({error}); make it again with snakemake"
        ) from error
    return found


def _samples(everyone: ImageSet) -> list[Sample]:
    rows = zip(everyone.pool_names, everyone.pool_labels.tolist(), everyone.pool_subjects.tolist(), strict=True)
    return [Sample(name, label, subject) for name, label, subject in rows]
