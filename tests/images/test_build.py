import dataclasses
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas.errors import InputError
from skelnas.images.build import Part, build_image_set, constants, manifest
from skelnas.images.conversion import Converted
from skelnas.images.image_set import ARRAYS, ImageSet
from skelnas.images.resize import resize
from skelnas.progress import Progress
from skelnas.skeletons.readers import READERS
from skelnas.skeletons.recording import BadRecording, Recording, Sample

from .small import RULE, small, small_source

THESIS = {"rule": "subjects", "train": [1, 3, 5, 7], "valid": [7]}


def test_utd_mhad_is_that_of_the_original_study(real_data: Path, oracle: Callable[[str], dict]) -> None:
    original = oracle("splits_oracle")["utdmhad"]
    source = READERS["utd_mhad"].open([real_data / "utd_mhad/Skeleton.zip"], {})
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
    assert image_set.fingerprint == oracle("image_sets")["utd_mhad"]


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


@pytest.mark.parametrize("good", [0, 1, 3])
def test_when_most_recordings_fall_out_the_first_reason_is_told(good: int) -> None:
    source = small_source()

    def read(sample: Sample) -> Recording:
        if source.samples.index(sample) < good:
            return source.read(sample)
        raise BadRecording(f"small.zip: {sample.name} has joints of 2 numbers")

    broken = dataclasses.replace(source, read=read)
    words = (
        rf"small: {12 - good} of 12 recordings are excluded; the first: small\.zip: \w+ has joints of 2 numbers; mend"
    )
    with pytest.raises(InputError, match=words):
        build_image_set("small", broken, {"split": RULE, "on-bad-recording": "exclude"})


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


def converted(number: int, width: int) -> Converted:
    image = np.random.default_rng(number).integers(0, 256, (8, width, 3), dtype=np.uint8)
    return Converted(Sample(f"a{number}", 0, 1), image, length=width)


@pytest.mark.parametrize("width", [12, 0])
def test_images_of_a_given_size_are_the_same_as_images_brought_to_it_later(width: int) -> None:
    recordings = [converted(number, 12 if width else 9 + number) for number in range(5)]
    part = Part(7, width)  # two more could have come
    for recording in recordings:
        part.add(recording)
    assert [recording.sample.name for recording in part.recordings] == ["a0", "a1", "a2", "a3", "a4"]
    assert part.rows() == 8
    images = part.stacked(8, 12)
    assert images.shape == (5, 8, 12, 3)
    for image, recording in zip(images, recordings, strict=True):
        assert np.array_equal(image, resize(recording.image, 8, 12))


def test_no_second_copy_of_an_image_of_given_size_is_kept() -> None:
    part = Part(1, 12)
    part.add(converted(0, 12))
    assert part.recordings[0].image is None
    assert part.recordings[0].length == 12


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_constants_are_the_population_statistics(images: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (images, 4, 8, 3), dtype=np.uint8)
    mean, std = constants(pixels)
    assert np.abs(mean - pixels.mean(axis=(0, 1, 2), dtype=np.float64)).max() < 1e-9
    assert np.abs(std - pixels.std(axis=(0, 1, 2), dtype=np.float64)).max() < 1e-9


def test_order_of_the_images_does_not_matter_to_the_last_bit() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (3000, 4, 8, 3), dtype=np.uint8)
    mean, std = constants(pixels)
    again_mean, again_std = constants(pixels[::-1])
    assert mean.tobytes() == again_mean.tobytes()
    assert std.tobytes() == again_std.tobytes()


def test_many_images_are_summed_without_rounding() -> None:
    pixels = np.full((5000, 8, 8, 3), 255, dtype=np.uint8)  # the sum of squares, 2e10, is more than 32 bits hold
    pixels[0, 0, 0] = 254
    mean, std = constants(pixels)
    n = 5000 * 64
    assert np.allclose(255 - mean, 1 / n, rtol=1e-6, atol=0)
    assert np.allclose(std, np.sqrt((n - 1) / n**2), rtol=1e-12, atol=0)


def test_a_constant_channel_does_not_divide_by_zero() -> None:
    pixels = np.random.default_rng(6).integers(0, 256, (10, 4, 8, 3), dtype=np.uint8)
    pixels[..., 2] = 77
    mean, std = constants(pixels)
    assert (mean[2], std[2]) == (77.0, 1.0)


def test_what_recordings_lack_is_in_the_manifest_whatever_became_of_it(tmp_path: Path) -> None:
    rows = ["file,label,subject"]
    (tmp_path / "clips").mkdir()
    for label, subject in ((label, subject) for label in ("bow", "wave") for subject in (1, 2, 3)):
        pose = np.random.default_rng(subject).normal(size=(6, 12, 3))
        if subject == 2:
            pose[:, 9:] = 0
            pose[2, 4] = np.nan
        np.save(tmp_path / f"clips/{label}{subject}.npy", pose)
        rows.append(f"{label}{subject}.npy,{label},{subject}")
    (tmp_path / "table.csv").write_text("\n".join(rows))
    block = {"split": {"rule": "subjects", "train": [1, 2], "valid": [2]}}
    policy = {"empty-frames": "interpolate", "missing-joints": "interpolate"}
    source = READERS["table"].open([tmp_path / "clips", tmp_path / "table.csv"], policy)
    image_set, report = build_image_set("gaps", source, block)
    described = manifest(image_set, source, report)
    assert described["padding"] == described["frames-without-body"] == {"bow2.npy": 3, "wave2.npy": 3}
    assert described["missing-joints"] == {"bow2.npy": 1, "wave2.npy": 1}
    assert image_set.pool_lengths.tolist() == [12, 9, 12, 9]
