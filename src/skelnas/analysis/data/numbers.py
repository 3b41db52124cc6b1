"""What an image set consists of, in numbers: its recordings, their lengths, what they lacked, and duplicates."""

import hashlib
import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from skelnas.analysis.data.copies import near_copies
from skelnas.images.folds import splits_of_folds
from skelnas.images.image_set import ImageSet
from skelnas.recipe import SPLITS

UNLIKE = 3.0


def data_card_table(image_set: ImageSet, manifest: dict) -> pd.DataFrame:
    """The numbers of the data card, one line per fact: `about`, `which`, then `train`, `valid`, `test` and `reason`.

    `about` is class, subject, shortest, mean and longest (frames), recordings or frames without a body, fold; and with
    `reason` missing-joints, unsure-joints, padding, duplicate, near-duplicate, outlier, length or excluded. Counts are
    numbers of recordings unless `about` says frames.
    """
    table = recordings(image_set)
    lines = []
    for column, keys in (("class", range(image_set.classes)), ("subject", sorted(set(table["subject"])))):
        for key, counts in counts_of(table, column, keys).iterrows():
            which = image_set.class_names[key] if column == "class" else str(key)
            lines.append({"about": column, "which": which, **counts})
    by_split = table.groupby("split")
    for about, values in (
        ("shortest recording, frames", by_split["length"].min()),
        ("mean length, frames", by_split["length"].mean()),
        ("longest recording, frames", by_split["length"].max()),
        ("recordings with frames without a body", by_split["without_body"].agg(lambda frames: (frames > 0).sum())),
        ("frames without a body", by_split["without_body"].sum()),
    ):
        lines.append({"about": about, **values})
    for about in ("missing-joints", "unsure-joints", "padding"):
        lines += [
            {"about": about, "which": name, "reason": f"{count:,}"} for name, count in manifest.get(about, {}).items()
        ]
    folds = splits_of_folds(image_set, manifest["folds"]) if "folds" in manifest else []
    for number, fold in enumerate(folds, start=1):
        lines.append({"about": "fold", "which": str(number), **{split: fold.count(split) for split in SPLITS}})
    for names, splits in duplicates(image_set, manifest):
        why = f"the same image in {' and '.join(splits)}" + (": a leak" if len(splits) > 1 else "")
        lines.append({"about": "duplicate", "which": " = ".join(names), "reason": why})
    for names, splits in near_duplicates(image_set, manifest):
        why = f"nearly the same motion in {' and '.join(splits)}" + (": a leak" if len(splits) > 1 else "")
        lines.append({"about": "near-duplicate", "which": " = ".join(names), "reason": why})
    lines += [{"about": "outlier", "which": name, "reason": why} for name, why in manifest.get("outliers", {}).items()]
    lines += [
        {"about": "length", "which": name, "reason": f"{frames:,} frames"}
        for name, frames in odd_lengths(image_set).items()
    ]
    lines += [{"about": "excluded", "which": name, "reason": why} for name, why in manifest["excluded"].items()]
    # Plain objects, so that counts stay whole numbers beside means and gaps.
    return pd.DataFrame(lines, columns=["about", "which", *SPLITS, "reason"], dtype=object)


def duplicates(image_set: ImageSet, manifest: dict) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Recordings whose images are equal, as groups of names, each with the splits that they are in.

    The same recording twice gives the same image; so do recordings that differ by their place or size alone under an
    encoding that does not see these. In several splits that is a leak: what is tested was trained on. Of a set with
    folds they are told by the fold that tests each.
    """
    parts = _parts(image_set, manifest)
    names = [*image_set.pool_names, *image_set.test_names]
    groups: dict[bytes, list[int]] = {}
    for place, image in enumerate(itertools.chain(image_set.pool_images, image_set.test_images)):
        groups.setdefault(hashlib.sha256(image.tobytes()).digest(), []).append(place)
    return [
        (tuple(names[place] for place in places), tuple(dict.fromkeys(parts[place] for place in places)))
        for places in groups.values()
        if len(places) > 1
    ]


def _parts(image_set: ImageSet, manifest: dict) -> list[str]:
    """The split of every recording, or the fold that tests it."""
    if "folds" not in manifest:
        return recordings(image_set)["split"].tolist()
    folds = splits_of_folds(image_set, manifest["folds"])
    return [f"fold {1 + [splits[place] for splits in folds].index('test')}" for place in range(len(folds[0]))]


def near_duplicates(image_set: ImageSet, manifest: dict) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Pairs of recordings that are near copies (`copies`), by name, each with its splits (or folds)."""
    splits, names = _parts(image_set, manifest), [*image_set.pool_names, *image_set.test_names]
    return [
        (tuple(names[place] for place in pair), tuple(dict.fromkeys(splits[place] for place in pair)))
        for pair in near_copies(image_set)
    ]


def odd_lengths(image_set: ImageSet) -> dict[str, int]:
    """Recordings more than `UNLIKE` times as long as the median one, or shorter than that part of it; their frames."""
    lengths, names = recordings(image_set)["length"], [*image_set.pool_names, *image_set.test_names]
    usual = lengths.median()
    odd = (lengths > UNLIKE * usual) | (lengths < usual / UNLIKE)
    return {names[place]: int(lengths[place]) for place in np.flatnonzero(odd)}


def recordings(image_set: ImageSet) -> pd.DataFrame:
    """One line per image: class, subject, split, length and frames without a body."""
    pool_split = np.full(len(image_set.pool_labels), "train", dtype=object)
    pool_split[image_set.valid_index] = "valid"
    columns = {
        "class": "labels",
        "subject": "subjects",
        "length": "lengths",
        "without_body": "frames_without_body",
    }
    table = {
        column: np.concatenate([getattr(image_set, f"{part}_{field}") for part in ("pool", "test")])
        for column, field in columns.items()
    }
    return pd.DataFrame({**table, "split": [*pool_split, *["test"] * len(image_set.test_labels)]})


def counts_of(table: pd.DataFrame, column: str, keys: Sequence[int]) -> pd.DataFrame:
    """Recordings for each key of a column (rows) and each split (columns)."""
    counts = pd.crosstab(table[column], table["split"])
    return counts.reindex(index=list(keys), columns=list(SPLITS), fill_value=0)
