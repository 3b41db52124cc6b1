"""How sure a pose estimator was of each joint: scores of OpenPose and COCO models, visibility of MediaPipe.

What a score means is the program's own; all have 0 for not found. A joint whose score is below `min-confidence` is
missing, as one that was not found is, and counts as a gap (`gaps`). Scores have no further influence.
"""

from typing import TypedDict

import numpy as np


class Told(TypedDict):
    """What is told of the scores of a recording: fields of `Recording`."""

    unsure_joints: int
    confidence: float


def without_unsure(coordinates: np.ndarray, scores: np.ndarray, least: float) -> np.ndarray:
    """Float64 coordinates (... x 3), not a number where the score of a joint (...) is below `least` or no number."""
    coordinates = np.array(coordinates, dtype=np.float64)
    coordinates[~(scores >= least)] = np.nan
    return coordinates


def told(coordinates: np.ndarray, scores: np.ndarray, least: float) -> Told:
    """Joints below `least` and the mean score of the joints that were found: finite, and not at zero in all axes."""
    found = np.isfinite(coordinates).all(axis=-1) & (coordinates != 0).any(axis=-1) & np.isfinite(scores)
    if not found.any():
        return {"unsure_joints": 0, "confidence": 0.0}
    return {"unsure_joints": int((scores[found] < least).sum()), "confidence": float(scores[found].mean())}
