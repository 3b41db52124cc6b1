import dataclasses
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from skelnas.errors import InputError
from skelnas.images.image_set import (
    ARRAYS,
    ImageSet,
    build_image_set,
    fingerprint_of,
    manifest,
    read_image_set,
    sealed,
    write_image_set,
)
from skelnas.progress import Progress
from skelnas.skeletons import READERS
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source

THESIS = {"rule": "subjects", "train": [1, 3, 5, 7], "valid": [7]}


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


RULE = {"rule": "subjects", "train": [1, 2, 3], "valid": [3]}


def small(**options: object) -> ImageSet:
    return build_image_set("small", small_source(), {"split": RULE, **options})[0]


@pytest.fixture(scope="module")
def image_set() -> ImageSet:
    return small()


def test_utd_mhad_is_that_of_the_original_study(shared: Path) -> None:
    oracle = json.loads((shared / "data/oracle/splits_oracle.json").read_text())["utdmhad"]
    source = READERS["utd_mhad"]([shared / "data/utd_mhad/Skeleton.zip"], {})
    image_set, report = build_image_set("utd_mhad", source, {"split": THESIS}, workers=2)
    images = oracle["image_oracle"]
    assert image_set.pool_images.shape == (431, 20, 68, 3)
    assert hashlib.sha256(image_set.pool_images.tobytes()).hexdigest() == images["sha256_train_array"]
    assert hashlib.sha256(image_set.test_images.tobytes()).hexdigest() == images["sha256_test_array"]
    assert np.abs(image_set.mean - images["train_mean_0_255"]).max() < 1e-9
    assert np.abs(image_set.std - images["train_std_0_255"]).max() < 1e-9
    assert image_set.counts == {split: oracle[split] for split in ("train", "valid", "test")}
    for split in ("train", "valid"):
        index = ",".join(map(str, getattr(image_set, f"{split}_index")))
        assert hashlib.sha256(index.encode()).hexdigest() == oracle[f"sha256_{split}"]
    assert image_set.test_labels[0] == 0
    assert image_set.pool_names[0] == "a1_s1_t1"
    assert sorted(set(image_set.test_subjects)) == [2, 4, 6, 8]
    assert len(json.dumps(manifest(image_set, source, report))) < 200_000


def test_sizes_default_to_rows_and_mean_pool_length(image_set: ImageSet) -> None:
    assert (image_set.height, image_set.width) == (8, 12)  # 5 joints; 11, 12, 13 frames in the pool
    assert small(height=4, width=16).pool_images.shape == (9, 4, 16, 3)
    with pytest.raises(InputError, match="width 10 is not a multiple of 4"):
        small(width=10)


def test_a_stated_width_gives_the_same_images_as_the_equal_default(image_set: ImageSet) -> None:
    assert small(width=12).fingerprint == image_set.fingerprint  # both are resized once, in both directions together


def test_fields_belong_together(image_set: ImageSet) -> None:
    assert image_set.pool_names == tuple(f"a{c}_s{s}" for c in range(3) for s in (1, 2, 3))
    assert image_set.test_names == ("a0_s4", "a1_s4", "a2_s4")
    assert image_set.pool_labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert image_set.pool_subjects.tolist() == [1, 2, 3] * 3
    assert image_set.train_index.tolist() == [0, 1, 3, 4, 6, 7]
    assert image_set.valid_index.tolist() == [2, 5, 8]
    assert image_set.pool_lengths.tolist() == [11, 12, 13] * 3
    assert image_set.test_lengths.tolist() == [14] * 3
    assert image_set.pool_frames_without_body.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert image_set.classes == 3
    for key, kind in ARRAYS.items():
        assert getattr(image_set, key).dtype == kind


def test_written_and_read_it_is_the_same(image_set: ImageSet, tmp_path: Path) -> None:
    write_image_set(tmp_path / "new" / "small.h5", image_set)
    again = read_image_set(tmp_path / "new" / "small.h5")
    for field in dataclasses.fields(ImageSet):
        assert np.array_equal(getattr(again, field.name), getattr(image_set, field.name)), field.name
    assert again.class_names == ("wave", "clap", "wink ñ")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["small.h5"]


def test_equal_image_sets_are_equal_files(image_set: ImageSet, tmp_path: Path) -> None:
    write_image_set(tmp_path / "one.h5", image_set)
    write_image_set(tmp_path / "two.h5", build_image_set("small", small_source(), {"split": RULE}, workers=2)[0])
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_the_fingerprint_depends_on_every_field(image_set: ImageSet) -> None:
    seen = {image_set.fingerprint}
    for field in dataclasses.fields(ImageSet):
        if field.name == "fingerprint":
            continue
        value = getattr(image_set, field.name)
        if isinstance(value, np.ndarray):
            other = value.copy()
            other.flat[-1] += 1
        else:
            other = (*value[:-1], "x") if isinstance(value, tuple) else value + "x"
        seen.add(fingerprint_of(dataclasses.replace(image_set, **{field.name: other})))
    assert len(seen) == len(dataclasses.fields(ImageSet))


def test_an_image_set_with_a_foreign_fingerprint_is_not_written(image_set: ImageSet, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fingerprint"):
        write_image_set(tmp_path / "small.h5", dataclasses.replace(image_set, fingerprint="0" * 64))
    assert list(tmp_path.iterdir()) == []


def test_no_damage_passes_unnoticed(image_set: ImageSet, tmp_path: Path) -> None:
    path = tmp_path / "small.h5"
    write_image_set(path, image_set)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.choice(len(whole), 150, replace=False):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            assert fingerprint_of(read_image_set(path)) == image_set.fingerprint  # a byte that nothing uses
        except InputError:
            refused += 1
    assert refused > 75
    for length in (0, 7, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="cannot be read"):
            read_image_set(path)


def test_what_is_no_image_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.h5: there is no such image set"):
        read_image_set(tmp_path / "absent.h5")
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(InputError, match=r"text\.h5: the image set cannot be read"):
        read_image_set(tmp_path / "text.h5")


def test_a_bad_recording_stops_the_build_and_the_remedy_is_named() -> None:
    with pytest.raises(BadRecording, match=r"small\.zip: a1_s2 has no frames; .*on-bad-recording: exclude for small"):
        build_image_set("small", small_source(bad="a1_s2"), {"split": RULE})


def test_a_bad_recording_can_be_excluded_and_is_listed() -> None:
    source = small_source(bad="a1_s2")
    image_set, report = build_image_set("small", source, {"split": RULE, "on-bad-recording": "exclude"})
    assert image_set.counts == {"train": 5, "valid": 3, "test": 3}
    assert "a1_s2" not in image_set.pool_names
    assert report["excluded"] == {"a9_s9": "named missing", "a1_s2": "small.zip: a1_s2 has no frames"}


def test_excluding_the_last_recording_of_a_class_from_train_is_refused() -> None:
    rule = {"rule": "subjects", "train": [1, 3], "valid": [3]}
    with pytest.raises(InputError, match=r"\(class 2 \(clap\)\)"):
        build_image_set("small", small_source(bad="a1_s1"), {"split": rule, "on-bad-recording": "exclude"})


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(InputError, match="small: the encoding 'heat-map' is not known; choose one of swap-axes"):
        small(encoding="heat-map")


@pytest.mark.parametrize(
    ("encoding", "rows"),
    [("skeleton-dml", 8), ("translation-scale-invariant", 8), ("tree-structure", 12), ("skele-motion", 12)],
)
def test_every_encoding_makes_an_image_set(encoding: str, rows: int, image_set: ImageSet) -> None:
    other = small(encoding=encoding)
    assert other.pool_images.shape == (9, rows, 12, 3)
    assert other.fingerprint != image_set.fingerprint


def test_progress_counts_recordings() -> None:
    progress = Progress("small", 12, stream=io.StringIO())
    build_image_set("small", small_source(), {"split": RULE}, progress)
    assert progress.done == 12


def test_the_manifest_says_what_is_inside(image_set: ImageSet) -> None:
    source = small_source()
    built, report = build_image_set("small", source, {"split": RULE})
    said = json.loads(json.dumps(manifest(built, source, report)))
    assert said["fingerprint"] == image_set.fingerprint
    assert said["images"] == {"train": 6, "valid": 3, "test": 3}
    assert (said["name"], said["encoding"], said["height"], said["width"]) == ("small", "swap-axes", 8, 12)
    assert said["classes"] == ["wave", "clap", "wink ñ"]
    assert said["mean"] == built.mean.tolist()
    assert said["lengths"] == {"shortest": 11, "mean": 12.5, "longest": 14}
    assert said["source"] == {"file": "small.zip"}
    assert said["split"] == RULE
    assert said["excluded"] == {"a9_s9": "named missing"}
    assert said["frames-without-body"] == {"a1_s2": 1}


def test_sealed_gives_the_fingerprint_of_the_content(image_set: ImageSet) -> None:
    brighter = sealed(dataclasses.replace(image_set, mean=image_set.mean + 1))
    assert brighter.fingerprint == fingerprint_of(brighter) != image_set.fingerprint
