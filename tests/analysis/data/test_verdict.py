"""Whether a set can be trusted: each finding from a set that has just that fault."""

import dataclasses

import numpy as np
import pytest

from skelnas.analysis.data.card import data_card
from skelnas.analysis.data.numbers import data_card_table
from skelnas.analysis.data.verdict import Finding, findings, headline_of


@pytest.fixture
def few(few):
    """The set without what is said of its joints, which are noise and jump."""
    image_set, said = few
    return image_set, {key: value for key, value in said.items() if key != "outliers"}


def test_nothing_speaks_against_a_sound_set(few, texts):
    image_set, said = few
    sound = {**said, "excluded": {}}
    assert findings(image_set, sound) == []
    assert headline_of(image_set, []).startswith("Nothing speaks against it: no recording is there twice or nearly so")
    assert "Nothing speaks against it" in " ".join(texts(data_card(image_set, sound)))


def test_a_leak_and_an_absent_class_are_grave_and_come_first(few, texts):
    image_set, said = few
    images, labels = image_set.test_images.copy(), image_set.test_labels.copy()
    images[0] = image_set.pool_images[image_set.train_index[0]]
    labels[labels == 3] = 2
    faulty = dataclasses.replace(image_set, test_images=images, test_labels=labels)
    first, test = image_set.pool_names[image_set.train_index[0]], image_set.test_names[0]
    found = findings(faulty, said)
    assert found == [
        Finding(
            True,
            f"2 recordings are the same in several splits, a leak: what is tested was trained on ({first} and {test})",
        ),
        Finding(True, "test has no recording of do something with number 3"),
        Finding(False, "3 of 32 recordings are left out"),
    ]
    words = " ".join(texts(data_card(faulty, said)))
    assert headline_of(faulty, found) == "Not to be trusted as it is"
    assert "Not to be trusted as it is:" in words
    assert "what is tested was trained on" in words


def test_gaps_padding_outliers_and_lengths_want_care(few):
    image_set, said = few
    name, other = image_set.pool_names[:2]
    images, lengths = image_set.pool_images.copy(), image_set.pool_lengths.copy()
    images[0, :, 8:] = 7
    lengths[1] = 90
    faulty = dataclasses.replace(image_set, pool_images=images, pool_lengths=lengths)
    frames = int(lengths.sum() + image_set.test_lengths.sum())
    gaps = {
        **said,
        "excluded": {},
        "padding": {name: 40, other: 4},
        "missing-joints": {name: frames},
        "outliers": {other: "the body is 5 times as large as is usual in this set"},
        "confidence": {"mean": 0.41, "least": 0},
    }
    found = findings(faulty, gaps)
    assert [finding.words for finding in found] == [
        "gaps: 25 % of the joints are missing, in 1 recording",
        f"padding is {4000 / frames:.0f} % of the images, in 1 recording; set empty-frames: drop",
        "joints have a confidence of 0.41 on average; state min-confidence",
        f"1 recording is unlikely, such as {other}: the body is 5 times as large as is usual in this set",
        f"1 recording is far shorter or longer than most, such as {other}: 90 frames",
    ]
    assert headline_of(faulty, found) == "To be trusted with care"
    assert findings(faulty, {**gaps, "confidence": {"mean": 0.41, "least": 0.3}}) == found[:2] + found[3:]
    table = data_card_table(faulty, gaps).set_index("about")
    assert table.loc["outlier", "reason"] == "the body is 5 times as large as is usual in this set"
    assert (table.loc["length", "which"], table.loc["length", "reason"]) == (other, "90 frames")


def test_classes_of_unlike_size_and_empty_frames_want_care(few):
    image_set, said = few
    labels = image_set.pool_labels.copy()
    train = image_set.train_index
    labels[train[labels[train] == 0][1:]] = 1
    without = np.full_like(image_set.pool_frames_without_body, 2)
    faulty = dataclasses.replace(image_set, pool_labels=labels, pool_frames_without_body=without)
    words = [finding.words for finding in findings(faulty, {**said, "excluded": {}})]
    assert words[0] == (
        "classes are unlike in size: train has 4 of do something with number 1, 1 of do something with number 0"
    )
    frames = image_set.pool_lengths.sum() + image_set.test_lengths.sum()
    empty = without.sum() + image_set.test_frames_without_body.sum()
    assert words[1] == f"gaps: {empty} frames without a body in between, for {frames} in the images"
