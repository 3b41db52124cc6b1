"""The same recordings under every encoding."""

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from skelnas.analysis.style import FULL_WIDTH, MUTED, headline, new_figure, style
from skelnas.errors import InputError
from skelnas.images.encodings import ENCODINGS
from skelnas.skeletons.recording import Recording

LABEL_WIDTH = 2.1  # inches for the encodings' names


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
