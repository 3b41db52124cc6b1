"""Cells with a name: kinds that people know, each a set of cells that are the same graph.

`resnet`: the class of cell 11472, NAS-Bench-201's own example of a residual block, two 3x3 convolutions in sequence
beside a shortcut. `skip-only`: the class of cell 3, whose output is its input. `input-discarding`: no path from input
to output. What "graph" leaves out (convolutions of an all-zero node) may differ within a kind; see `equivalence`.
"""

import functools

import numpy as np

from skelnas.cells.edges import is_connected
from skelnas.cells.equivalence import classes
from skelnas.cells.space import all_cells
from skelnas.errors import InputError

RESNET, SKIP_ONLY = 11472, 3
NAMES = ("resnet", "skip-only", "input-discarding")


@functools.cache
def named(name: str) -> np.ndarray:
    """Which cells are of that kind: bool (15,625,) by architecture index, read-only.

    Raises:
        InputError: the name is not known.
    """
    graphs = classes("graph")
    if name == "resnet":
        found = graphs == graphs[RESNET]
    elif name == "skip-only":
        found = graphs == graphs[SKIP_ONLY]
    elif name == "input-discarding":
        found = np.array([not is_connected(cell) for cell in all_cells()])
    else:
        raise InputError(f"no cells are called {name!r}; there are {', '.join(NAMES)}")
    found.flags.writeable = False
    return found
