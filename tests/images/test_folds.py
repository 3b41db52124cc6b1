import dataclasses
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas.errors import InputError, Misconfigured
from skelnas.images.build import build_image_set, constants, manifest
from skelnas.images.folds import FoldOptions, assign, fold_manifest, fold_of, read_images
from skelnas.images.image_set import ImageSet, write_image_set
from skelnas.images.manifest import write_manifest
from skelnas.skeletons.recording import Sample

from .small import small_source


@pytest.fixture(scope="module")
def everyone() -> ImageSet:
    return build_image_set("small", small_source(), {"folds": {"count": 2}})[0]


def people(subjects: int, trials: int = 1, classes: int = 3) -> list[Sample]:
    return [
        Sample(f"a{c}_s{s}_t{t}", c, s) for c in range(classes) for s in range(1, subjects + 1) for t in range(trials)
    ]


@given(st.integers(2, 6), st.integers(0, 3), st.integers(1, 3), st.integers(4, 9))
def test_each_subject_tests_once_and_never_trains_there(count: int, seed: int, trials: int, subjects: int) -> None:
    samples = people(max(subjects, count + 1), trials)
    folds = assign(samples, FoldOptions(count, seed=seed), "mine")
    assert len(folds) == count
    assert folds == assign(samples, FoldOptions(count, seed=seed), "mine")
    sizes = []
    for splits in folds:
        of = {split: {s.subject for s, one in zip(samples, splits, strict=True) if one == split} for split in splits}
        assert of["test"].isdisjoint(of["train"] | of["valid"])
        assert of["train"].isdisjoint(of["valid"])
        sizes.append(len(of["test"]))
    assert sum(sizes) == max(subjects, count + 1)
    assert max(sizes) - min(sizes) <= 1
    assert all([splits[place] for splits in folds].count("test") == 1 for place in range(len(samples)))


def test_without_subjects_every_fold_has_its_share_of_each_class() -> None:
    samples = [Sample(f"{c}_{i}", c, 0) for c, number in enumerate((10, 20)) for i in range(number)]
    for splits in assign(samples, FoldOptions(5, valid_share=0.25), "mine"):
        counts = Counter((sample.label, split) for sample, split in zip(samples, splits, strict=True))
        assert counts == {
            (0, "test"): 2,
            (0, "valid"): 2,
            (0, "train"): 6,
            (1, "test"): 4,
            (1, "valid"): 4,
            (1, "train"): 12,
        }


def test_subjects_may_be_split_where_that_is_stated() -> None:
    samples = people(3, 4)
    (first, *_) = assign(samples, FoldOptions(4, by="recording"), "mine")
    assert {s.subject for s, split in zip(samples, first, strict=True) if split == "test"} == {1, 2, 3}


def test_leave_one_subject_out_tests_them_in_order() -> None:
    samples = people(4)
    folds = assign(samples, FoldOptions(4, "leave-one-subject-out"), "mine")
    tested = [{s.subject for s, one in zip(samples, splits, strict=True) if one == "test"} for splits in folds]
    assert tested == [{1}, {2}, {3}, {4}]


@pytest.mark.parametrize(
    ("options", "subjects", "said"),
    [
        (FoldOptions(5), 4, "folds.count is 5, more than the 4 subjects of the source; take at most 4, or `by: rec"),
        (FoldOptions(3, "leave-one-subject-out"), 4, "folds.count is 3, but the source has 4 subjects; write 4"),
        (FoldOptions(4, "leave-one-subject-out", "recording"), 4, "folds.by is recording, but leave-one-subject-out"),
        (FoldOptions(5, by="recording"), 4, "folds.count is 5, more than the 4 recordings of class 1; take at most 4"),
    ],
)
def test_folds_that_cannot_be_are_told_by_their_place(options: FoldOptions, subjects: int, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        assign(people(subjects), options, "mine")
    assert f"config.yaml: datasets.mine.{said}" in str(caught.value)


def test_two_subjects_leave_nobody_to_validate() -> None:
    with pytest.raises(InputError, match="mine, fold 1 of 2: train has 1 subjects, too few"):
        assign(people(2), FoldOptions(2), "mine")


def test_the_file_of_all_folds_holds_every_recording_as_pool(everyone: ImageSet) -> None:
    assert everyone.counts == {"train": 12, "valid": 0, "test": 0}
    assert everyone.test_images.shape == (0, everyone.height, everyone.width, 3)
    fixed = build_image_set("small", small_source(), {"folds": {"count": 2}, "width": everyone.width})[0]
    assert fixed.fingerprint == everyone.fingerprint


def test_a_fold_is_an_image_set_of_its_own(everyone: ImageSet, tmp_path: Path) -> None:
    write_image_set(tmp_path / "small.h5", everyone)
    values = fold_manifest(everyone, FoldOptions(2, seed=1), 2)
    write_manifest(tmp_path / "small-fold2.json", values)
    assert len(json.dumps(values)) < 1000
    fold = read_images(tmp_path / "small.h5", tmp_path / "small-fold2.json")
    assert (fold.name, fold.fingerprint) == ("small-fold2", values["fingerprint"])
    assert fold.counts == values["images"] == {"train": 3, "valid": 3, "test": 6}
    names = list(everyone.pool_names)
    first = values["fold"]
    assert (first["by"], first["test"], first["valid"]) == ("subject", "0-1,4-5,8-9", "2,6,10")
    assert {fold.pool_names[place] for place in fold.valid_index} == {names[place] for place in (2, 6, 10)}
    assert fold.test_names == tuple(names[place] for place in (0, 1, 4, 5, 8, 9))
    for part in ("pool", "test"):
        for name, image, length in zip(
            *(getattr(fold, f"{part}_{column}") for column in ("names", "images", "lengths")), strict=True
        ):
            assert np.array_equal(image, everyone.pool_images[names.index(name)])
            assert length == everyone.pool_lengths[names.index(name)]
    assert np.array_equal(fold.mean, constants(fold.pool_images)[0])
    assert not np.array_equal(fold.mean, everyone.mean)


def test_a_fold_of_other_images_is_refused(everyone: ImageSet) -> None:
    fold = fold_manifest(everyone, FoldOptions(2), 1)["fold"]
    with pytest.raises(InputError, match=r"fold 1 was made of other images than small\.h5 holds"):
        fold_of(dataclasses.replace(everyone, fingerprint="0" * 64), fold)


@pytest.mark.parametrize("places", ["0-12", "x", "5-3", [1, 2]])
def test_a_fold_that_names_no_recordings_is_refused(everyone: ImageSet, places: object) -> None:
    fold = fold_manifest(everyone, FoldOptions(2), 1)["fold"]
    with pytest.raises(InputError, match="the manifest of fold 1 does not say which of 12 recordings are in valid"):
        fold_of(everyone, {**fold, "valid": places})


def test_the_manifest_of_a_whole_set_gives_the_whole_set(image_set: ImageSet, tmp_path: Path) -> None:
    image_set, report = build_image_set("small", small_source(), {"folds": {"count": 2}})
    write_image_set(tmp_path / "small.h5", image_set)
    values = manifest(image_set, small_source(), report)
    write_manifest(tmp_path / "small.json", values)
    assert (values["folds"], "split" in values) == ({"count": 2}, False)
    assert read_images(tmp_path / "small.h5", tmp_path / "small.json").fingerprint == image_set.fingerprint
