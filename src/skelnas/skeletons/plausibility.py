"""How likely a recording is: the size of its body, how far a joint jumps, and whether left and right change places.

The size of a body is the median distance of its joints from their mean. A step is how far a joint goes from one frame
to the next, less the median of all joints of the frame, which takes away how the body goes as a whole. Joints at
exactly zero are counted as gaps elsewhere (`gaps`) and left out here. The bounds are wide: what is beyond them is worth
a look, and no recording is left out for it.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

UNLIKE = 3.0  # times the median size of the set, or less than one part in so many of it
JUMP = 3.0  # sizes of the body from one frame to the next; at 30 frames a second some 35 m/s
EXCHANGED = 0.3  # of the steps are left where left and right change places between two frames
NOTABLE = 0.25  # sizes of the body: mean step below which nobody asks for left and right


@dataclass(frozen=True)
class Measures:
    """size: in the unit of the source. jump: the largest step in sizes of the body, of `joint` (from 0) to `frame`.

    exchanged: the first frame in which left and right have changed places; -1 for none.
    """

    size: float = 0.0
    jump: float = 0.0
    joint: int = 0
    frame: int = 0
    exchanged: int = -1


def measured(coordinates: np.ndarray, mirrored: Sequence[int] = (), bodies: int = 1) -> Measures:
    """Measures of float64 coordinates, joints x frames x 3, of one body or several stacked ones.

    `mirrored` gives for each joint the one on the other side (`named.Skeleton.mirrored`); empty where none is known.
    """
    joints, frames, _ = coordinates.shape
    seen = np.where((coordinates == 0).all(axis=2, keepdims=True), np.nan, coordinates)
    gaps = bool(np.isnan(seen).any())
    median, mean = (np.nanmedian, np.nanmean) if gaps else (np.median, np.mean)  # the latter are ten times as fast
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means of nothing, where nobody was seen
        of_body = seen.reshape(bodies, joints // bodies, frames, 3)
        size = float(median(np.linalg.norm(of_body - mean(of_body, axis=1, keepdims=True), axis=3)))
        steps = np.diff(of_body, axis=2)
        steps = steps - median(steps, axis=1, keepdims=True)
        lengths = np.linalg.norm(steps, axis=3).reshape(joints, frames - 1)
    if not size > 0 or not np.isfinite(lengths).any():
        return Measures(size if size > 0 else 0.0)
    joint, step = np.unravel_index(np.nanargmax(lengths), lengths.shape)
    exchanged = -1
    if any(place != other for place, other in enumerate(mirrored)):
        exchanged = _exchanged(seen, list(mirrored), size)
    return Measures(size, float(lengths[joint, step]) / size, int(joint), int(step) + 1, exchanged)


def _exchanged(seen: np.ndarray, mirrored: list[int], size: float) -> int:
    sided = [joint for joint, other in enumerate(mirrored) if joint != other]
    straight = np.linalg.norm(seen[sided, 1:] - seen[sided, :-1], axis=2)
    crossed = np.linalg.norm(seen[mirrored][sided, 1:] - seen[sided, :-1], axis=2)
    known = np.isfinite(straight) & np.isfinite(crossed)
    of_frame = [np.where(known, values, 0).sum(axis=0) for values in (straight, crossed)]
    notable = of_frame[0] > NOTABLE * size * np.maximum(known.sum(axis=0), 1)
    found = np.flatnonzero(notable & (of_frame[1] < EXCHANGED * of_frame[0]))
    return int(found[0]) + 1 if len(found) else -1


def implausible(found: Mapping[str, Measures], joint_names: Sequence[str]) -> dict[str, str]:
    """What is unlikely in recordings, by their names; frames are counted from 1."""
    usual = float(np.median([one.size for one in found.values()])) if found else 0.0
    reasons: dict[str, list[str]] = {name: [] for name in found}
    for name, one in found.items():
        if usual > 0 and not usual / UNLIKE <= one.size <= usual * UNLIKE:
            reasons[name].append(
                f"the body is {float(f'{one.size / usual:.2g}'):,g} times as large as is usual in this set"
            )
        if one.exchanged >= 0:
            reasons[name].append(f"left and right change places at frame {one.exchanged + 1}")
        elif one.jump > JUMP:
            reasons[name].append(
                f"{joint_names[one.joint]} jumps by {one.jump:.1f} sizes of the body at frame {one.frame + 1}"
            )
    return {name: "; ".join(words) for name, words in reasons.items() if words}
