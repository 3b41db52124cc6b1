"""Whether a set of recordings can be trusted, in a few sentences that follow from its numbers.

The bounds below decide only what is mentioned; every number stands in the card's table.
"""

from collections.abc import Iterator, Sequence, Sized
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skelnas.analysis.data.copies import looked_for
from skelnas.analysis.data.numbers import counts_of, duplicates, near_duplicates, odd_lengths, recordings
from skelnas.images.image_set import ImageSet
from skelnas.recipe import SPLITS
from skelnas.text import counted, named

GAPS = 0.01  # share of joints, or of frames
IMBALANCE = 3.0  # recordings in train of the largest class for one of the smallest
EXCLUDED = 0.05  # share of recordings
UNSURE = 0.5  # mean confidence


class Finding(NamedTuple):
    """A sentence; `grave`: results of the set mean little until it is mended."""

    grave: bool
    words: str


def findings(image_set: ImageSet, manifest: dict) -> list[Finding]:
    """What speaks against a set, the grave first; none where nothing does."""
    table = recordings(image_set)
    found = [
        *_copies(image_set, manifest),
        *_classes(image_set, table),
        *_gaps(image_set, table, manifest),
        *_unlikely(image_set, manifest),
        *_others(table, manifest),
    ]
    return sorted(found, key=lambda finding: not finding.grave)


def headline_of(image_set: ImageSet, found: Sequence[Finding]) -> str:
    """The answer in a line: whether it can be trusted."""
    if any(finding.grave for finding in found):
        return "Not to be trusted as it is"
    if found:
        return "To be trusted with care"
    near = " or nearly so" if looked_for(image_set) else ""
    return (
        f"Nothing speaks against it: no recording is there twice{near}, no split lacks a class, and gaps, lengths and "
        "bodies are as they should be"
    )


def _copies(image_set: ImageSet, manifest: dict) -> Iterator[Finding]:
    parts = "fold" if "folds" in manifest else "split"
    twice = {"the same": duplicates(image_set, manifest), "nearly the same": near_duplicates(image_set, manifest)}
    for are, groups in twice.items():
        across = [names for names, splits in groups if len(splits) > 1]
        within = [names for names, splits in groups if len(splits) == 1]
        for leak, some in ((True, across), (False, within)):
            if some:
                why = f"several {parts}s, a leak: what is tested was trained on" if leak else f"one {parts}"
                count = _are({name for names in some for name in names})
                yield Finding(leak, f"{count} {are} in {why} ({' and '.join(some[0][:2])})")
    if not looked_for(image_set):
        yield Finding(False, "recordings that are nearly the same were not looked for: the set is too large")


def _classes(image_set: ImageSet, table: pd.DataFrame) -> Iterator[Finding]:
    counts = counts_of(table, "class", range(image_set.classes))
    for split in SPLITS:
        absent = [image_set.class_names[label] for label in counts.index[counts[split] == 0]]
        if absent and counts[split].any():
            yield Finding(True, f"{split} has no recording of {named(absent)}")
    train = counts["train"]
    if train.min() and train.max() > IMBALANCE * train.min():
        most, least = (image_set.class_names[label] for label in (train.idxmax(), train.idxmin()))
        yield Finding(
            False, f"classes are unlike in size: train has {train.max():,} of {most}, {train.min():,} of {least}"
        )


def _gaps(image_set: ImageSet, table: pd.DataFrame, manifest: dict) -> Iterator[Finding]:
    padding: dict[str, int] = manifest.get("padding", {})
    missing: dict[str, int] = manifest.get("missing-joints", {})
    frames = table["length"].sum()
    joints = frames * max(len(manifest.get("joints", ())), 1)
    empty = table["without_body"].sum() - sum(padding.values())
    if empty > GAPS * frames:
        yield Finding(False, f"gaps: {counted(empty, 'frame')} without a body in between, for {frames:,} in the images")
    if sum(missing.values()) > GAPS * joints:
        share = 100 * sum(missing.values()) / joints
        yield Finding(False, f"gaps: {share:.0f} % of the joints are missing, in {counted(len(missing), 'recording')}")
    if padded := _padded(image_set, padding):
        share = 100 * sum(padding[name] for name in padded) / frames
        words = (
            f"padding is {share:.0f} % of the images, in {counted(len(padded), 'recording')}; set empty-frames: drop"
        )
        yield Finding(False, words)
    confidence: dict[str, Any] = manifest.get("confidence", {})
    if confidence and confidence["mean"] < UNSURE and not confidence["least"]:
        yield Finding(False, f"joints have a confidence of {confidence['mean']:.2f} on average; state min-confidence")


def _padded(image_set: ImageSet, padding: dict[str, int]) -> list[str]:
    """Recordings whose images end in columns that are all the same, as padding that was kept is."""
    names = [*image_set.pool_names, *image_set.test_names]
    images = {name: place for place, name in enumerate(names) if name in padding}
    pool = len(image_set.pool_names)
    found = []
    for name, place in images.items():
        image = image_set.pool_images[place] if place < pool else image_set.test_images[place - pool]
        if np.array_equal(image[:, -1], image[:, -2]):
            found.append(name)
    return found


def _unlikely(image_set: ImageSet, manifest: dict) -> Iterator[Finding]:
    if outliers := manifest.get("outliers", {}):
        name, why = next(iter(outliers.items()))
        yield Finding(False, f"{_are(outliers)} unlikely, such as {name}: {why}")
    if odd := odd_lengths(image_set):
        name, frames = next(iter(odd.items()))
        words = f"{_are(odd)} far shorter or longer than most, such as {name}: {counted(frames, 'frame')}"
        yield Finding(False, words)


def _are(things: Sized) -> str:
    return f"{counted(len(things), 'recording')} {'is' if len(things) == 1 else 'are'}"


def _others(table: pd.DataFrame, manifest: dict) -> Iterator[Finding]:
    excluded = len(manifest["excluded"])
    if excluded > EXCLUDED * (excluded + len(table)):
        yield Finding(False, f"{excluded:,} of {excluded + len(table):,} recordings are left out")
