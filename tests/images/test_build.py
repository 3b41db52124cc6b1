import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from skelnas.errors import InputError
from skelnas.images.build import build_image_set, manifest
from skelnas.images.image_set import ARRAYS, ImageSet
from skelnas.progress import Progress
from skelnas.skeletons import READERS
from skelnas.skeletons.recording import BadRecording

from .small import RULE, small, small_source

THESIS = {"rule": "subjects", "train": [1, 3, 5, 7], "valid": [7]}


def test_utd_mhad_is_that_of_the_original_study(real_data: Path, oracle: Callable[[str], dict]) -> None:
    original = oracle("splits_oracle")["utdmhad"]
    source = READERS["utd_mhad"]([real_data / "utd_mhad/Skeleton.zip"], {})
    image_set, report = build_image_set("utd_mhad", source, {"split": THESIS}, workers=2)
    images = original["image_oracle"]
    assert image_set.pool_images.shape == (431, 20, 68, 3)
    assert hashlib.sha256(image_set.pool_images.tobytes()).hexdigest() == images["sha256_train_array"]
    assert hashlib.sha256(image_set.test_images.tobytes()).hexdigest() == images["sha256_test_array"]
    assert np.abs(image_set.mean - images["train_mean_0_255"]).max() < 1e-9
    assert np.abs(image_set.std - images["train_std_0_255"]).max() < 1e-9
    assert image_set.counts == {split: original[split] for split in ("train", "valid", "test")}
    for split in ("train", "valid"):
        index = ",".join(map(str, getattr(image_set, f"{split}_index")))
        assert hashlib.sha256(index.encode()).hexdigest() == original[f"sha256_{split}"]
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
