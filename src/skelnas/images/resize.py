"""Bringing images to the one size that training needs."""

from collections.abc import Iterable

import numpy as np
from PIL import Image

from skelnas.errors import InputError

MULTIPLE = 4  # the network halves height and width twice; other sizes would not match between its branches


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Stretch or squeeze a uint8 image (rows x columns x 3) to height x width x 3 with Pillow's bilinear filter.

    Pillow widens the filter when it shrinks, and the original study's images depend on that.
    """
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def default_height(rows: int) -> int:
    """The rows of an encoding brought up to a multiple of 4 (25 joints give 28)."""
    return -(-rows // MULTIPLE) * MULTIPLE


def default_width(lengths: Iterable[int]) -> int:
    """The mean number of frames of the training pool brought up to a multiple of 4 (UTD-MHAD: 67.75 gives 68)."""
    lengths = list(lengths)
    return -(-sum(lengths) // (len(lengths) * MULTIPLE)) * MULTIPLE


def check_size(height: int, width: int) -> None:
    """Raise `InputError` unless both are positive multiples of 4."""
    for name, pixels in (("height", height), ("width", width)):
        if pixels < MULTIPLE or pixels % MULTIPLE:
            raise InputError(
                f"{name} {pixels} is not a multiple of {MULTIPLE}, but the network halves images twice;"
                f" set {name} to {max(1, round(pixels / MULTIPLE)) * MULTIPLE}"
            )
