"""Which of the bodies in an NTU RGB+D recording become its skeleton.

A body takes part by its position in the list of each frame (`first_listed`, the original study), or by the sensor's
tracking number (`main_actor`, `both`). Tracking numbers need care: the sensor invents bodies in furniture, loses
people, and finds them again under the old number or a new one. Here every body keeps the frames it was seen in; nothing
is ever moved in time.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skelnas.skeletons.ntu.text import JOINTS, Bodies

# The thresholds that SGN (Zhang et al. 2020), CTR-GCN (Chen et al. 2021) and PYSKL (Duan et al. 2022) share.
NOISE_FRAMES = 11  # a body seen in so few frames is noise
NOISE_SPREAD = 0.8  # a person is taller than wide: in a sound frame, width is at most this share of height
NOISE_SHARE = 0.69754  # a body with this share of unsound frames is noise

Choice = Callable[[Bodies], tuple[np.ndarray, int]]  # -> float64 rows x frames x 3, and frames without the (first) body


def first_listed(bodies: Bodies) -> tuple[np.ndarray, int]:
    """The body listed first in each frame; 25 x frames x 3, zeros in frames without a body.

    This is what the original study did (body 0 of its reader). Who is listed first can change within a recording.
    """
    coordinates = np.zeros((JOINTS, bodies.frames, 3))
    frames, first = np.unique(bodies.frame, return_index=True)
    coordinates[:, frames] = bodies.joints[first].transpose(1, 0, 2)
    return coordinates, bodies.frames - len(frames)


def main_actor(bodies: Bodies) -> tuple[np.ndarray, int]:
    """The body that moves most, 25 x frames x 3; see `actors`.

    In frames where it is not seen it is put on the straight line between its neighbours in time, and before its first
    and after its last frame it stands still.
    """
    return _chosen(bodies, [True])


def both(bodies: Bodies) -> tuple[np.ndarray, int]:
    """`main_actor` in rows 0 to 24 and the body that moves most after it in rows 25 to 49; 50 x frames x 3.

    The second body is zero before its first and after its last frame, and throughout where there is none.
    """
    return _chosen(bodies, [True, False])


def averaged(bodies: Bodies) -> tuple[np.ndarray, int]:
    """The mean of the two bodies of `both`, 25 x frames x 3; where one of them is not there, the other."""
    two, without = both(bodies)
    stacked = two.reshape(2, JOINTS, *two.shape[1:])
    there = stacked.any(axis=(1, 3))
    return stacked.sum(axis=0) / np.maximum(there.sum(axis=0), 1)[None, :, None], without


CHOICES: dict[str, Choice] = {
    "first-listed": first_listed,
    "main-actor": main_actor,
    "both": both,
    "averaged": averaged,
}


@dataclass(frozen=True)
class Track:
    """One body's skeleton in the frames where it was seen."""

    frame: np.ndarray  # int64 (n,), ascending
    joints: np.ndarray  # float64 (n, 25, 3)

    def sound(self) -> np.ndarray:
        """bool (n,): frames in which the body is no wider than somebody who stands or sits."""
        width, height = np.ptp(self.joints[:, :, :2], axis=1).T
        return width <= NOISE_SPREAD * height

    def motion(self) -> float:
        """Variance of x, y and z over all joints of the sound frames (of all where none is), summed; square metres."""
        sound = self.sound()
        return float(self.joints[sound if sound.any() else slice(None)].reshape(-1, 3).var(axis=0).sum())


def tracks(bodies: Bodies) -> list[Track]:
    """One track per tracking number, by first appearance; a number listed twice in a frame counts once."""
    found = []
    for body_id in dict.fromkeys(bodies.ids.tolist()):
        listed = np.flatnonzero(bodies.ids == np.uint64(body_id))
        frames, first = np.unique(bodies.frame[listed], return_index=True)
        found.append(Track(frames, bodies.joints[listed[first]]))
    return found


def actors(bodies: Bodies, most: int) -> list[Track]:
    """At most `most` actors, the one that moves most first.

    Noise is removed by the two rules above, first the length, then the spread; a rule that would leave nobody is not
    applied. The remaining tracks are taken by falling motion (ties: by first appearance), and each goes to the first
    actor that is never seen together with it, for that is likely the same person under a new number; a track that
    meets all `most` actors is left out.
    """
    people = tracks(bodies)
    people = [track for track in people if len(track.frame) > NOISE_FRAMES] or people
    people = [track for track in people if 1 - track.sound().mean() < NOISE_SHARE] or people
    chosen: list[Track] = []
    for track in sorted(people, key=Track.motion, reverse=True):
        for place, actor in enumerate(chosen):
            if not np.isin(track.frame, actor.frame).any():
                chosen[place] = _joined(actor, track)
                break
        else:
            if len(chosen) < most:
                chosen.append(track)
    return chosen


def _joined(actor: Track, track: Track) -> Track:
    frame = np.concatenate([actor.frame, track.frame])
    order = np.argsort(frame)
    return Track(frame[order], np.concatenate([actor.joints, track.joints])[order])


def _chosen(bodies: Bodies, stands_still: list[bool]) -> tuple[np.ndarray, int]:
    """One actor per entry, stacked; an entry says whether that actor stands still outside its frames or is zero."""
    coordinates = np.zeros((len(stands_still), JOINTS, bodies.frames, 3))
    chosen = actors(bodies, len(stands_still))
    for place, actor in enumerate(chosen):
        coordinates[place] = _filled(actor, bodies.frames, stands_still[place])
    seen = len(chosen[0].frame) if chosen else 0
    return coordinates.reshape(-1, bodies.frames, 3), bodies.frames - seen


def _filled(actor: Track, frames: int, stands_still: bool) -> np.ndarray:
    """An actor's skeleton in every frame: float64, 25 x frames x 3."""
    values = actor.joints.reshape(len(actor.frame), -1)
    outside = None if stands_still else 0.0
    filled = [np.interp(np.arange(frames), actor.frame, column, outside, outside) for column in values.T]
    return np.array(filled).reshape(JOINTS, 3, frames).transpose(0, 2, 1)
