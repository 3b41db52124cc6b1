import dataclasses
from pathlib import Path

import numpy as np
import pytest

from skelnas.analysis.data_figures import contact_sheet, data_card, data_card_table, duplicates, encoding_gallery
from skelnas.analysis.style import save_figure
from skelnas.images.build import build_image_set, manifest
from skelnas.images.encodings import ENCODINGS
from skelnas.images.image_set import ImageSet
from skelnas.skeletons.recording import BadRecording, Recording, Sample, Source


def build(classes: int) -> tuple[ImageSet, dict]:
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
    options = {"split": {"rule": "leave-subjects-out", "test": [5, 6], "valid": [4]}, "on-bad-recording": "exclude"}
    image_set, report = build_image_set("small", source, options)
    return image_set, manifest(image_set, source, report)


@pytest.fixture(scope="module")
def few() -> tuple[ImageSet, dict]:
    return build(5)


def texts(figure: object) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")) if text.get_text()]


def test_the_contact_sheet_shows_the_first_training_image_of_each_class(few: tuple[ImageSet, dict]) -> None:
    image_set, _ = few
    figure = contact_sheet(image_set)
    shown = [image.get_array() for image in figure.axes[0].get_images()]
    assert len(shown) == 5
    for label, image in enumerate(shown):
        first = image_set.pool_images[image_set.pool_names.index(f"a{label}_s1")]
        expected = np.clip(0.5 + (first - image_set.mean) / image_set.std / 4, 0, 1)
        assert np.allclose(image, expected)
    assert {"1", "5", "do something with number 4"} <= set(texts(figure))


@pytest.mark.parametrize("classes", [5, 40])
def test_the_card_counts_recordings_by_class_and_subject(classes: int) -> None:
    image_set, said = build(classes)
    figure = data_card(image_set, said)
    by_class, by_subject = figure.axes[:2]
    assert len(by_class.patches) == 3 * classes
    assert len(by_subject.patches) == 3 * 6
    sizes = [
        max(bar.get_width(), bar.get_height()) if classes == 40 else bar.get_width() for bar in by_class.patches[:2]
    ]
    assert sizes == [3, 2]  # one training recording of the second class is excluded
    heights = np.array([bar.get_height() for bar in by_subject.patches]).reshape(3, 6)
    c = classes
    assert heights.tolist() == [[c, c - 1, c, 0, 0, 0], [0, 0, 0, c, 0, 0], [0, 0, 0, 0, c, c]]
    written = "\n".join(texts(figure))
    assert f"train ({3 * c - 1})" in written
    assert "3 frames in 1 recording" in written
    assert "2 x  named missing\n1 x  x.zip: … is truncated at line …" in written
    assert f"{6 * c - 1} recordings, encoding swap-axes, 4 x 16 pixels" in written


def test_the_table_holds_the_numbers_of_the_card(few: tuple[ImageSet, dict]) -> None:
    table = data_card_table(*few).set_index(["about", "which"])
    splits = ["train", "valid", "test"]
    assert table.loc[("class", "do something with number 1"), splits].tolist() == [2, 1, 2]
    assert table.loc[("subject", "2"), splits].tolist() == [4, 0, 0]
    assert table.loc["class", splits].sum().tolist() == [14, 5, 10]
    by_fact = data_card_table(*few).set_index("about")
    assert by_fact.loc["shortest recording, frames", splits].tolist() == [11, 14, 15]
    assert by_fact.loc["longest recording, frames", splits].tolist() == [13, 14, 16]
    assert by_fact.loc["mean length, frames", splits].tolist() == [12.0, 14.0, 15.5]
    assert by_fact.loc["frames without a body", splits].tolist() == [0, 0, 3]
    assert by_fact.loc["recordings with frames without a body", splits].tolist() == [0, 0, 1]
    assert by_fact.loc["excluded", ["which", "reason"]].to_numpy().tolist() == [
        ["a9_s1", "named missing"],
        ["a9_s2", "named missing"],
        ["a1_s2", "x.zip: a1_s2 is truncated at line 71"],
    ]
    assert "class,do something with number 1,2,1,2,\n" in data_card_table(*few).to_csv(index=False)


def test_the_gallery_shows_every_encoding_of_every_recording() -> None:
    rng = np.random.default_rng(0)
    recordings = [Recording(Sample(f"r{i}", i, 1), rng.normal(size=(4, 20 + i, 3))) for i in range(2)]
    figure = encoding_gallery(recordings, (-1, 0, 1, 2))
    shown = [image.get_array() for axes in figure.axes for image in axes.get_images()]
    expected = [
        encode(recording.coordinates, (-1, 0, 1, 2)) for encode in ENCODINGS.values() for recording in recordings
    ]
    assert len(shown) == len(expected) == 10
    assert all(np.array_equal(a, b) for a, b in zip(shown, expected, strict=True))
    assert {"r0", "r1", *ENCODINGS} <= set(texts(figure))


def test_without_a_joint_tree_the_gallery_says_so() -> None:
    recording = Recording(Sample("r", 0, 1), np.random.default_rng(0).normal(size=(4, 20, 3)))
    figure = encoding_gallery([recording], ())
    assert sum(len(axes.get_images()) for axes in figure.axes) == 3
    assert sum("each joint's" in text for text in texts(figure)) == 2


def test_equal_sets_give_equal_files(few: tuple[ImageSet, dict], tmp_path: Path) -> None:
    for ending in ("png", "svg"):
        for name in ("one", "two"):
            save_figure(data_card(*few), tmp_path / f"{name}.{ending}")
        assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"two.{ending}").read_bytes()


def test_a_recording_that_is_there_twice_is_told_and_across_splits_a_leak(few: tuple[ImageSet, dict]) -> None:
    image_set, said = few
    assert duplicates(image_set) == []
    images = image_set.test_images.copy()
    images[0] = image_set.pool_images[image_set.train_index[0]]
    leak = dataclasses.replace(image_set, test_images=images)
    first, test = image_set.pool_names[image_set.train_index[0]], image_set.test_names[0]
    assert duplicates(leak) == [((first, test), ("train", "test"))]
    gaps = {**said, "missing-joints": {first: 3}, "padding": {first: 7}}
    table = data_card_table(leak, gaps).set_index("about")
    assert table.loc["duplicate", "reason"] == "the same image in train and test: a leak"
    assert (table.loc["missing-joints", "reason"], table.loc["padding", "reason"]) == ("3", "7")
    figure = data_card(leak, gaps)
    shown = " ".join(texts(figure))
    assert "2 recordings, 2 ACROSS SPLITS: A LEAK" in shown
    assert "3 joints in 1 recording" in shown
    assert "LEAK" not in " ".join(texts(data_card(image_set, said)))
