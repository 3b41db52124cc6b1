"""The recordings that nobody gets right, with their images: the analysis `hardest-recordings`.

Columns of the table, one row per recording of test, the hardest first: recording, class, right (networks that are),
taken_for (the class that most of the others see, of equals the first), votes (how many of them), network, image (of
the first SHOWN: the image as a png in base64), networks, as_in_table (`kept.agreement`).
"""

import base64
import io
import textwrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from skelnas.analysis.people import kept
from skelnas.analysis.people.confusion import NOTHING
from skelnas.analysis.provenance import Facts
from skelnas.analysis.style import MUTED, headline, new_figure, style
from skelnas.results.networks import Networks
from skelnas.results.query import Benchmark
from skelnas.text import counted

COLUMNS = ("recording", "class", "right", "taken_for", "votes", "image", "networks", "as_in_table")
SHOWN, COLUMNS_SHOWN = 12, 4


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    networks = kept.networks_of(benchmark)
    return pd.DataFrame(columns=list(COLUMNS)) if networks is None else hardest(networks)


def hardest(networks: Networks) -> pd.DataFrame:
    """The table: fewest right first, then most votes for one wrong class, then in the order of the split."""
    right = (networks.test == networks.test_label).sum(axis=0)
    names, rows = [*networks.classes, NOTHING], []
    for sample, label in enumerate(networks.test_label):
        wrong = networks.test[:, sample][networks.test[:, sample] != label]
        votes = np.bincount(wrong, minlength=len(names))
        taken = names[int(votes.argmax())] if len(wrong) else ""
        rows.append(
            {
                "recording": networks.test_name[sample],
                "class": names[label],
                "right": int(right[sample]),
                "taken_for": taken,
                "votes": int(votes.max()) if len(wrong) else 0,
            }
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS[:5]))
    table = table.sort_values(["right", "votes"], ascending=[True, False], kind="stable")
    shown = [_png(networks.test_image[sample]) for sample in table.index[:SHOWN]]
    table["image"] = shown + [""] * (len(table) - len(shown))
    return table.reset_index(drop=True).assign(**kept.agreement(networks))[list(COLUMNS)]


def _png(image: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="png", optimize=False)
    return base64.b64encode(stream.getvalue()).decode()


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """The images of the hardest recordings, stretched to their own range so that they can be seen."""
    shown = table.head(SHOWN).to_dict("records")
    columns = min(COLUMNS_SHOWN, len(shown))
    rows = -(-len(shown) // columns)
    nobody = int((table["right"] == 0).sum())
    with style():
        figure = new_figure(height=1.0 + 1.55 * rows)
        panels = figure.subplots(rows, columns, squeeze=False).flat
        for axes, row in zip(panels, shown, strict=False):
            image = np.asarray(Image.open(io.BytesIO(base64.b64decode(row["image"])))).astype(float)
            low, high = image.min(axis=(0, 1)), image.max(axis=(0, 1))
            axes.imshow((image - low) / np.maximum(high - low, 1), aspect="auto", interpolation="nearest")
            words = f"{row['recording']}: {row['class']}"
            seen = f"{row['votes']} of {row['networks']} see {row['taken_for']}" if row["votes"] else "all right"
            axes.set_title(textwrap.fill(words, 34), fontsize=8, loc="left", pad=3)
            axes.set_xlabel(textwrap.fill(seen, 38), fontsize=8, color=MUTED, loc="left")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.grid(visible=False)
        for axes in list(figure.axes)[len(shown) :]:
            axes.set_axis_off()
        networks = f"{counted(int(table['networks'].iloc[0]), 'network')}, trained once more{kept.caveat(table)}"
        about = f"{facts.line('test')}\n{networks}; nobody is right on {nobody} of {counted(len(table), 'recording')}"
        headline(figure, "The recordings that nobody gets right" if nobody else "The hardest recordings", about)
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    if table.empty:
        return kept.NONE
    networks = int(table["networks"].iloc[0])
    nobody, everybody = int((table["right"] == 0).sum()), int((table["right"] == networks).sum())
    return (
        f"Of {counted(len(table), 'recording')} of test none of {counted(networks, 'network')} gets {nobody} right, "
        f"and all get {everybody} right{kept.caveat(table)}."
    )
