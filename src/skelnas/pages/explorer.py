"""The explorer of a study: one page in which all its cells can be looked at.

Its parts are in the folder of the same name: `page.html`, `explorer.css`, and scripts that share one scope, put one
after the other in the order of `SCRIPTS`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from skelnas.analysis import cell_drawing, style
from skelnas.analysis.provenance import facts_of
from skelnas.cells import space
from skelnas.pages.html import asset, blobs, page, script_json
from skelnas.pages.packing import KINDS, curves, final_values, search_space
from skelnas.recipe import SPLITS
from skelnas.results.query import Benchmark
from skelnas.text import counted

SCRIPTS = ("data.js", "drawing.js", "scatter.js", "state.js", "cards.js", "controls.js", "main.js")
SPLIT_NAMES = {"train": "training", "valid": "validation", "test": "test"}
MAP_COLOURS = 48
DASHES: dict[str, tuple[float, ...]] = {
    kind: pattern[1] if isinstance(pattern, tuple) else () for kind, (_, pattern, _) in cell_drawing.STYLES.items()
}


class Explored(NamedTuple):
    """One run: its opened benchmark, its summary, and the names of the actions, none where they are not known."""

    benchmark: Benchmark
    summary: pd.DataFrame
    class_names: Sequence[str] = ()


def explorer(study: str, runs: Sequence[Explored], version: str) -> bytes:
    """The page of a study as the bytes of an HTML file, which names that version of skelnas; equal in, equal out."""
    title = f"{study}: explorer"
    constants = {
        "title": study,
        "about": _about(runs),
        "csv": f"{study}-selection.csv",
        "made": f"Made with skelnas {version}. Curves are thinned and rounded to 1 %; final values are exact.",
        "runs": [_run(benchmark, names) for benchmark, _, names in runs],
        **_drawing(),
    }
    packed = [("space", search_space())]
    for position, (benchmark, summary, _) in enumerate(runs):
        packed.append((f"values-{position}", final_values(benchmark, summary)))
        packed.append((f"curves-{position}", curves(benchmark)))
    code = "\n".join(asset(f"explorer/{name}") for name in SCRIPTS)
    script = f'"use strict";\n{{\nconst PAGE = {script_json(constants)};\n{code}}}\n'
    return page(title, asset("explorer/page.html") + blobs(packed), asset("explorer/explorer.css"), script)


def _about(runs: Sequence[Explored]) -> str:
    return "; ".join(
        f"{benchmark.dataset}, {benchmark.recipe_name}: {counted(len(benchmark), 'cell')}, "
        f"{counted(len(benchmark.seeds), 'seed')}, {counted(benchmark.epochs, 'epoch')}"
        for benchmark, *_ in runs
    )


def _run(benchmark: Benchmark, class_names: Sequence[str]) -> dict[str, object]:
    return {
        "name": f"{benchmark.dataset}, {benchmark.recipe_name}",
        "epochs": benchmark.epochs,
        "chance": facts_of(benchmark).chance,
        "classes": list(class_names),
    }


def _drawing() -> dict[str, object]:
    """Names and looks that the scripts share with the figures."""
    colour_map = matplotlib.colormaps[style.VALUE_MAP](np.linspace(0, 1, MAP_COLOURS))
    kinds = {kind: cell_drawing.STYLES[kind] for kind in KINDS}
    return {
        "operations": [
            {
                "key": name,
                "name": cell_drawing.NAMES.get(name, "none"),
                "short": cell_drawing.LABELS.get(name, "none"),
                "colour": cell_drawing.COLOURS[name],
            }
            for name in space.OPERATIONS
        ],
        "edges": space.EDGES,
        "nodes": cell_drawing.NODE_NAMES,
        "splits": SPLITS,
        "splitNames": [SPLIT_NAMES[split] for split in SPLITS],
        "points": style.POINTS,
        "map": [to_hex(colour) for colour in colour_map],
        "drawing": {
            "rise": cell_drawing.RISE,
            "limits": cell_drawing.LIMITS,
            "radius": cell_drawing.RADIUS,
            "letter": cell_drawing.LETTER_SIZE,
            "kinds": [
                {"name": kind, "width": width, "opacity": opacity, "dashes": DASHES[kind]}
                for kind, (width, _, opacity) in kinds.items()
            ],
        },
    }
