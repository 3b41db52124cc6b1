"""Natural order of names, the order of samples in every image set."""

import re

DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """Sort key that compares runs of digits as numbers, so that "a2" comes before "a10"; equal only for equal names."""
    parts = DIGITS.split(name)  # text at even places, digits at odd ones: places of two keys are always comparable
    return tuple(int(part) if place % 2 else part for place, part in enumerate(parts)), name
