"""Figures of an image set: one image per class, one recording under every encoding, and what the set consists of."""

import hashlib
import itertools
import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from skelnas.analysis.style import FULL_WIDTH, INK, MUTED, SPLIT_COLOURS, headline, new_figure, style
from skelnas.errors import InputError
from skelnas.images.encodings import ENCODINGS
from skelnas.images.image_set import ImageSet
from skelnas.skeletons.recording import Recording
from skelnas.text import counted

SHOWN_DEVIATIONS = 2  # the contact sheet's colours reach so many standard deviations to either side of the mean
NAMED_CLASSES = 32  # up to so many classes the data card writes each one's name
REASONS = 3
LABEL_WIDTH = 2.1  # inches for the encodings' names in the gallery


def contact_sheet(image_set: ImageSet) -> Figure:
    """The first training image of each class, normalised as the network gets it, with the class's number and name."""
    columns = 4 if image_set.classes <= NAMED_CLASSES else 5 if image_set.classes <= 75 else 6
    step = (FULL_WIDTH - 0.1) / columns  # all lengths in inches
    width = step - 0.16
    height = min(max(width * image_set.height / image_set.width, 0.4), width)
    room = int(step * 16.5) - 2 - len(str(image_set.classes))  # letters beside the class's number
    names = [textwrap.wrap(name, room) or [""] for name in image_set.class_names]
    lines = [max(map(len, names[start : start + columns])) for start in range(0, len(names), columns)]
    tops = np.cumsum([0.0] + [height + 0.19 + 0.115 * number for number in lines])
    with style():
        figure = new_figure(FULL_WIDTH, tops[-1] + 0.85)
        axes = figure.subplots()
        axes.set_axis_off()
        for label, name in enumerate(names):
            left, top = label % columns * step + 0.08, tops[label // columns]
            axes.imshow(
                _first(image_set, label),
                extent=(left, left + width, top + height, top),
                interpolation="nearest",
                aspect="auto",
            )
            number = str(label + 1)
            axes.text(left, top + height + 0.13, number, fontsize=7, fontweight="bold")
            for line, text in enumerate(name):
                axes.text(left + 0.07 + 0.075 * len(number), top + height + 0.13 + 0.115 * line, text, fontsize=7)
        axes.set(xlim=(0, columns * step), ylim=(tops[-1], 0))
        facts = (
            f"{image_set.name}: the first training recording of each of {image_set.classes} classes, encoding"
            f" {image_set.encoding}, {image_set.height} x {image_set.width} pixels.\n"
            "Time runs to the right; colours are the three channels after normalisation, mean"
            f" \u00b1 {SHOWN_DEVIATIONS} standard deviations."
        )
        headline(figure, "One recording of each class", facts)
    return figure


def encoding_gallery(recordings: Sequence[Recording], parents: tuple[int, ...]) -> Figure:
    """Each recording (columns) under each encoding (rows), before resizing; all frames, pixel for pixel."""
    with style():
        figure = new_figure(FULL_WIDTH, 0.55 + 1.45 * len(ENCODINGS))
        number = len(recordings)
        widths = [LABEL_WIDTH] + [(FULL_WIDTH - LABEL_WIDTH) / number] * number
        panels = figure.subplots(len(ENCODINGS), number + 1, squeeze=False, width_ratios=widths)
        for row, (name, encode) in zip(panels, ENCODINGS.items(), strict=True):
            row[0].set_axis_off()
            row[0].text(0, 0.98, name, fontweight="bold", fontsize=9.5, va="top", transform=row[0].transAxes)
            summary = (encode.__doc__ or "").split("\n")[0].split(";")[0].rstrip(".")
            explanation = textwrap.fill(summary.replace("`", "").replace("_", "-"), 38)
            row[0].text(
                0, 0.8, explanation, fontsize=7.5, va="top", color=MUTED, linespacing=1.3, transform=row[0].transAxes
            )
            for axes, recording in zip(row[1:], recordings, strict=True):
                _draw_encoded(axes, encode, recording, parents)
        for axes, recording in zip(panels[0, 1:], recordings, strict=True):
            axes.set_title(recording.sample.name, fontsize=9.5)
        for axes in panels[-1, 1:]:
            axes.set_xlabel("frame", fontsize=8)
        for axes in panels[:, 1]:
            axes.set_ylabel("row", fontsize=8)
        facts = "Each recording as it leaves the encoding, one pixel per row and frame, before it is resized."
        headline(figure, "The same recordings under every encoding", facts)
    return figure


def data_card(image_set: ImageSet, manifest: dict) -> Figure:
    """Recordings per class, subject and split, their lengths, frames without a body, and what was left out and why."""
    table, names = _recordings(image_set), image_set.class_names
    few = len(names) <= NAMED_CLASSES
    with style():
        figure = new_figure(FULL_WIDTH, 7.2 if few else 8.6)
        if few:  # classes on the left with their names, all else on the right
            grid = figure.add_gridspec(3, 2, height_ratios=(1, 1, 0.9), width_ratios=(0.9, 1))
            places = grid[:, 0], grid[0, 1], grid[1, 1], grid[2, 1]
        else:
            grid = figure.add_gridspec(3, 2, height_ratios=(1.25, 1.1, 1.0))
            places = grid[0, :], grid[1, :], grid[2, 0], grid[2, 1]
        by_class, by_subject, lengths, numbers = (figure.add_subplot(place) for place in places)
        labels = [f"{name}  {label + 1}" for label, name in enumerate(names)] if few else range(1, len(names) + 1)
        _stacked_bars(by_class, _counts(table, "class", range(len(names))), labels, horizontal=few)
        by_class.set_title(f"Recordings of each of {len(names)} classes")
        subjects = sorted(set(table["subject"]))
        _stacked_bars(by_subject, _counts(table, "subject", subjects), subjects)
        by_subject.set_title(f"Recordings of each of {len(subjects)} subjects")
        _draw_lengths(lengths, table, image_set.width)
        _write_facts(numbers, table, image_set, manifest)
        handles, labels = by_class.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        facts = (
            f"{len(table):,} recordings, encoding {image_set.encoding}, {image_set.height} x {image_set.width} pixels,"
            f" split rule {manifest['split']['rule']}, fingerprint {image_set.fingerprint[:12]}"
        )
        headline(figure, f"Data card of {image_set.name}", facts)
    return figure


def data_card_table(image_set: ImageSet, manifest: dict) -> pd.DataFrame:
    """The numbers of the data card, one line per fact: `about`, `which`, then `train`, `valid`, `test` and `reason`.

    `about` is class, subject, shortest, mean and longest (frames), recordings or frames without a body, or excluded
    (with `reason`). Counts are numbers of recordings unless `about` says frames.
    """
    table = _recordings(image_set)
    lines = []
    for column, keys in (("class", range(image_set.classes)), ("subject", sorted(set(table["subject"])))):
        for key, counts in _counts(table, column, keys).iterrows():
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
    for about in ("missing-joints", "padding"):
        lines += [
            {"about": about, "which": name, "reason": f"{count:,}"} for name, count in manifest.get(about, {}).items()
        ]
    for names, splits in duplicates(image_set):
        why = f"the same image in {' and '.join(splits)}" + (": a leak" if len(splits) > 1 else "")
        lines.append({"about": "duplicate", "which": " = ".join(names), "reason": why})
    lines += [{"about": "excluded", "which": name, "reason": why} for name, why in manifest["excluded"].items()]
    # Plain objects, so that counts stay whole numbers beside means and gaps.
    return pd.DataFrame(lines, columns=["about", "which", *SPLIT_COLOURS, "reason"], dtype=object)


def duplicates(image_set: ImageSet) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Recordings whose images are equal, as groups of names, each with the splits that they are in.

    The same recording twice gives the same image; so do recordings that differ by their place or size alone under an
    encoding that does not see these. In several splits that is a leak: what is tested was trained on.
    """
    table = _recordings(image_set)
    names = [*image_set.pool_names, *image_set.test_names]
    groups: dict[bytes, list[int]] = {}
    for place, image in enumerate(itertools.chain(image_set.pool_images, image_set.test_images)):
        groups.setdefault(hashlib.sha256(image.tobytes()).digest(), []).append(place)
    return [
        (tuple(names[place] for place in places), tuple(dict.fromkeys(table["split"][places])))
        for places in groups.values()
        if len(places) > 1
    ]


def _gaps(manifest: dict) -> dict[str, str]:
    """What recordings lacked before it was treated, where they lacked something."""
    found = {"missing": ("missing-joints", "joint"), "padding": ("padding", "frame")}
    return {
        name: f"{counted(sum(counts.values()), what)} in {counted(len(counts), 'recording')}"
        for name, (key, what) in found.items()
        if (counts := manifest.get(key, {}))
    }


def _twice(image_set: ImageSet) -> dict[str, str]:
    """Recordings that are there twice, and whether they leak from one split into another."""
    groups = duplicates(image_set)
    leaks = sum(len(names) for names, splits in groups if len(splits) > 1)
    if not groups:
        return {}
    total = sum(len(names) for names, _ in groups)
    across = f", {leaks} ACROSS SPLITS: A LEAK" if leaks else ", none across splits"
    return {"there twice": counted(total, "recording") + across}


def _first(image_set: ImageSet, label: int) -> np.ndarray:
    """The first training image of a class as floats from 0 to 1, its mean grey."""
    of_class = image_set.train_index[image_set.pool_labels[image_set.train_index] == label]
    deviations = (image_set.pool_images[of_class[0]] - image_set.mean) / image_set.std
    return np.clip(0.5 + deviations / (2 * SHOWN_DEVIATIONS), 0, 1)


def _draw_encoded(axes: Axes, encode, recording: Recording, parents: tuple[int, ...]) -> None:
    axes.grid(False)
    axes.tick_params(labelsize=7, length=2)
    try:
        image = encode(recording.coordinates, parents)
    except InputError as error:
        axes.set_axis_off()
        axes.text(0, 0.98, textwrap.fill(str(error), 40), fontsize=7, va="top", color=MUTED, transform=axes.transAxes)
        return
    axes.imshow(image, interpolation="nearest", aspect="auto")
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))


def _recordings(image_set: ImageSet) -> pd.DataFrame:
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


def _counts(table: pd.DataFrame, column: str, keys: Sequence[int]) -> pd.DataFrame:
    """Recordings for each key of a column (rows) and each split (columns)."""
    counts = pd.crosstab(table[column], table["split"])
    return counts.reindex(index=list(keys), columns=list(SPLIT_COLOURS), fill_value=0)


def _stacked_bars(axes: Axes, counts: pd.DataFrame, labels: Sequence[Any], horizontal: bool = False) -> None:
    """One bar per line of `counts`, its parts the splits; upright bars get at most about 30 labels."""
    places, bottom = np.arange(len(counts)), np.zeros(len(counts))
    for split, colour in SPLIT_COLOURS.items():
        label = f"{split} ({counts[split].sum():,})"
        if horizontal:
            axes.barh(places, counts[split], 0.78, left=bottom, color=colour, label=label)
        else:
            axes.bar(places, counts[split], 0.78, bottom=bottom, color=colour, label=label)
        bottom += counts[split].to_numpy()
    ends, most = (-0.7, len(counts) - 0.3), (0, bottom.max() * 1.06)
    every = 1 if horizontal else -(-len(counts) // 30)
    if horizontal:
        axes.set(xlim=most, ylim=ends[::-1], xlabel="recordings")
        axes.set_yticks(places, labels, fontsize=8)
    else:
        axes.set(xlim=ends, ylim=most, ylabel="recordings")
        axes.set_xticks(places[::every], labels[::every])
    axes.grid(False, axis="y" if horizontal else "x")
    axes.tick_params(axis="y" if horizontal else "x", length=0)


def _draw_lengths(axes: Axes, table: pd.DataFrame, width: int) -> None:
    shortest, longest = table["length"].min(), table["length"].max()
    step = -(-(longest - shortest + 1) // 40)  # whole frames, so that no bar holds more lengths than its neighbour
    bins = np.arange(shortest, longest + step + 1, step)
    for split, colour in SPLIT_COLOURS.items():
        lengths = table.loc[table["split"] == split, "length"]
        axes.hist(
            lengths,
            bins.tolist(),
            weights=np.full(len(lengths), 100 / len(lengths)),
            histtype="step",
            color=colour,
            lw=1.6,
        )
    axes.axvline(width, color=INK, lw=1, ls=(0, (4, 2)))
    axes.set_ylim(0, axes.get_ylim()[1] * 1.15)
    left = width > (bins[0] + bins[-1]) / 2  # write on the side that has more room
    axes.annotate(
        f"image width {width}",
        (width, 1),
        (-5 if left else 5, -1),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        fontsize=8,
        va="top",
        ha="right" if left else "left",
    )
    axes.set_title("Length of the recordings")
    axes.set_xlabel("frames")
    axes.set_ylabel("% of the split")


def _write_facts(axes: Axes, table: pd.DataFrame, image_set: ImageSet, manifest: dict) -> None:
    axes.set_axis_off()
    excluded, without = manifest["excluded"], table["without_body"]
    lengths = table["length"]
    reasons = Counter(re.sub(r"\b\d+\b", "\u2026", reason.replace(name, "\u2026")) for name, reason in excluded.items())
    facts = {
        "length": f"{lengths.min()} to {lengths.max()} frames, mean {lengths.mean():.1f}",
        "mean": ", ".join(f"{value:.2f}" for value in image_set.mean) + "  (of 0 to 255)",
        "deviation": ", ".join(f"{value:.2f}" for value in image_set.std),
        "without body": f"{counted(without.sum(), 'frame')} in {counted((without > 0).sum(), 'recording')}",
        **_gaps(manifest),
        **_twice(image_set),
        "excluded": counted(len(excluded), "recording"),
    }
    axes.set_title("In numbers")
    text = [
        line
        for reason, count in reasons.most_common(REASONS)
        for line in textwrap.wrap(
            f"{count:,} x  {reason}", 66, max_lines=2, subsequent_indent="    ", placeholder=" \u2026"
        )
    ]
    text += [f"and {counted(len(reasons) - REASONS, 'other reason')}"] if len(reasons) > REASONS else []
    below: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top"}
    for line, (name, value) in enumerate(facts.items()):
        axes.annotate(name, (0, 1), (0, -2 - 15 * line), fontsize=8.5, color=MUTED, **below)
        axes.annotate(value, (0, 1), (78, -2 - 15 * line), fontsize=8.5, **below)
    axes.annotate("\n".join(text), (0, 1), (0, -2 - 15 * len(facts)), fontsize=7.5, linespacing=1.4, **below)
