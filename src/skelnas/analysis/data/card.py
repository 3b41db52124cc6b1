"""The data card: what an image set consists of, in one figure."""

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

from skelnas.analysis.data.numbers import counts_of, duplicates, near_duplicates, recordings
from skelnas.analysis.data.verdict import findings, headline_of
from skelnas.analysis.style import FULL_WIDTH, INK, MUTED, SPLIT_COLOURS, headline, new_figure, style
from skelnas.images.image_set import ImageSet
from skelnas.text import counted

GRAVE, WITH_CARE, FINE = "#b3261e", "#8a5a00", "#1b6e3c"
MENTIONED = 8  # findings
WRAPPED = 112  # bold letters in a line across the figure; of others some more
NAMED_CLASSES = 32  # up to so many classes each one's name is written
REASONS = 3


def data_card(image_set: ImageSet, manifest: dict) -> Figure:
    """Recordings per class, subject and split, their lengths, frames without a body, and what was left out and why."""
    table, names = recordings(image_set), image_set.class_names
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
        _stacked_bars(by_class, counts_of(table, "class", range(len(names))), labels, horizontal=few)
        by_class.set_title(f"Recordings of each of {len(names)} classes")
        subjects = sorted(set(table["subject"]))
        _stacked_bars(by_subject, counts_of(table, "subject", subjects), subjects)
        by_subject.set_title(f"Recordings of each of {len(subjects)} subjects")
        _draw_lengths(lengths, table, image_set.width)
        _write_facts(numbers, table, image_set, manifest)
        handles, labels = by_class.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        facts = (
            f"{len(table):,} recordings, encoding {image_set.encoding}, {image_set.height} x {image_set.width} pixels,"
            f" {_split_in(manifest)}, fingerprint {image_set.fingerprint[:12]}"
        )
        _write_verdict(figure, image_set, manifest, f"Data card of {image_set.name}", facts)
    return figure


def _write_verdict(figure: Figure, image_set: ImageSet, manifest: dict, title: str, facts: str) -> None:
    """Title and facts, and below them whether the set can be trusted and what speaks against it."""
    found = findings(image_set, manifest)
    answer = textwrap.wrap(f"{headline_of(image_set, found)}{':' if found else '.'}", WRAPPED)
    lines = [
        line
        for finding in found[:MENTIONED]
        for line in textwrap.wrap(f"\u2013 {finding.words}", WRAPPED + 18, subsequent_indent="  ", max_lines=2)
    ]
    if len(found) > MENTIONED:
        lines.append(f"\u2013 and {counted(len(found) - MENTIONED, 'other matter')}, in the table beside this figure")
    height, line = figure.get_size_inches()[1], 0.18
    room = line * (len(answer) + len(lines)) + 0.1
    figure.set_size_inches(FULL_WIDTH, height + room)
    top = headline(figure, title, facts, room)
    grave = bool(found) and found[0].grave
    colour = GRAVE if grave else WITH_CARE if found else FINE
    below: dict[str, Any] = {"va": "top", "ha": "left", "fontsize": 9.5, "linespacing": 1.35}
    figure.text(0.012, top, "\n".join(answer), color=colour, fontweight="bold", **below)
    figure.text(0.012, top - line * len(answer) / (height + room), "\n".join(lines), **below)


def _split_in(manifest: dict) -> str:
    if "folds" in manifest:
        return f"{manifest['folds']['count']} folds, here as one"
    return f"split rule {manifest['split']['rule']}"


def _stacked_bars(axes: Axes, counts: pd.DataFrame, labels: Sequence[Any], horizontal: bool = False) -> None:
    """One bar per line of `counts`, its parts the splits; upright bars get at most about 30 labels."""
    places, bottom = np.arange(len(counts)), np.zeros(len(counts))
    for split, colour in SPLIT_COLOURS.items():
        if not counts[split].any():
            continue
        alone = counts[split].sum() == counts.to_numpy().sum()  # where the folds have the splits
        label = f"{'all folds' if alone else split} ({counts[split].sum():,})"
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
        if lengths.empty:
            continue
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
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("% of the split")


def _write_facts(axes: Axes, table: pd.DataFrame, image_set: ImageSet, manifest: dict) -> None:
    axes.set_axis_off()
    excluded, without = manifest["excluded"], table["without_body"]
    lengths = table["length"]
    reasons = Counter(
        re.sub(r"\b\d+(\.\d+)?\b", "\u2026", reason.replace(name, "\u2026")) for name, reason in excluded.items()
    )
    facts = {
        "length": f"{lengths.min()} to {lengths.max()} frames, mean {lengths.mean():.1f}",
        "mean": ", ".join(f"{value:.2f}" for value in image_set.mean) + "  (of 0 to 255)",
        "deviation": ", ".join(f"{value:.2f}" for value in image_set.std),
        "without body": f"{counted(without.sum(), 'frame')} in {counted((without > 0).sum(), 'recording')}",
        **_gaps(manifest),
        **_twice(image_set, manifest),
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


def _gaps(manifest: dict) -> dict[str, str]:
    """What recordings lacked before it was treated, where they lacked something, and how sure the source was."""
    found = {
        "missing": ("missing-joints", "joint"),
        "unsure": ("unsure-joints", "joint"),
        "padding": ("padding", "frame"),
    }
    gaps = {
        name: f"{counted(sum(counts.values()), what)} in {counted(len(counts), 'recording')}"
        for name, (key, what) in found.items()
        if (counts := manifest.get(key, {}))
    }
    if confidence := manifest.get("confidence"):
        least = f"joints below {confidence['least']:g} are missing" if confidence["least"] else "every joint is taken"
        gaps["confidence"] = f"{confidence['mean']:.2f} on average, {least}"
    return gaps


def _twice(image_set: ImageSet, manifest: dict) -> dict[str, str]:
    """Recordings that are there twice, or nearly so, and whether they leak from one split into another."""
    found, parts = {}, "folds" if "folds" in manifest else "splits"
    twice = {"there twice": duplicates(image_set, manifest), "nearly twice": near_duplicates(image_set, manifest)}
    for what, groups in twice.items():
        if groups:
            leaks = len({name for names, splits in groups if len(splits) > 1 for name in names})
            total = len({name for names, _ in groups for name in names})
            across = f", {leaks} ACROSS {parts.upper()}: A LEAK" if leaks else f", none across {parts}"
            found[what] = counted(total, "recording") + across
    return found
