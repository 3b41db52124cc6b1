"""The network around the cell, in numbers: a stem, three stages of cells with a reduction between, a classifier."""

import functools
from typing import NamedTuple

IMAGE_CHANNELS = 3
STAGES = (16, 32, 64)  # channels per stage; height and width halve from one to the next
REPEATS = 5  # cells per stage


class Module(NamedTuple):
    """One module between stem and classifier; a reduction belongs to the stage that it leads to."""

    position: int
    stage: int
    is_reduction: bool


@functools.cache
def body(repeats: int = REPEATS) -> tuple[Module, ...]:
    """All modules between stem and classifier, in their order, with `repeats` cells per stage."""
    modules = [(stage, first) for stage in range(len(STAGES)) for first in [True] * (stage > 0) + [False] * repeats]
    return tuple(Module(position, *module) for position, module in enumerate(modules))
