"""What config.yaml may say of an image set, whatever reads its recordings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from skelnas.untrusted import DEFAULT, Limits


@dataclass(frozen=True)
class ImageOptions:
    """split: the rule and what it takes (`splits.assign`); without one all recordings are a pool for folds.

    encoding: a key of `encodings.ENCODINGS`.

    height, width: pixels, multiples of 4; 0: the encoding's rows, the mean length of the training pool, each brought up
    to one. on_bad_recording: whether a recording that cannot be used ends the conversion or is left out. limits: how
    large files may be, and how long a recording may take.
    """

    split: Mapping[str, Any] = field(default_factory=dict)
    encoding: str = "swap-axes"
    height: int = 0
    width: int = 0
    on_bad_recording: Literal["fail", "exclude"] = "fail"
    limits: Limits = DEFAULT
