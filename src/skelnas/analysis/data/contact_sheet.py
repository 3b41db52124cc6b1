"""One image of each class, as the network gets it."""

import textwrap

import numpy as np
from matplotlib.figure import Figure

from skelnas.analysis.style import FULL_WIDTH, headline, new_figure, style
from skelnas.images.image_set import ImageSet

SHOWN_DEVIATIONS = 2  # the colours reach so many standard deviations to either side of the mean


def contact_sheet(image_set: ImageSet) -> Figure:
    """The first training image of each class, normalised as the network gets it, with the class's number and name."""
    columns = 4 if image_set.classes <= 32 else 5 if image_set.classes <= 75 else 6
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


def _first(image_set: ImageSet, label: int) -> np.ndarray:
    """The first training image of a class as floats from 0 to 1, its mean grey."""
    of_class = image_set.train_index[image_set.pool_labels[image_set.train_index] == label]
    deviations = (image_set.pool_images[of_class[0]] - image_set.mean) / image_set.std
    return np.clip(0.5 + deviations / (2 * SHOWN_DEVIATIONS), 0, 1)
