"""Several people in one recording: who is who from frame to frame, and which of them become the skeleton.

A track is one person's joints over all frames, not a number where that person was not seen. Tracks follow a number that
the source gives people; where it gives none, each person is the one whose body was nearest before.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

FAR = 1e12  # what it costs to be somebody who was not seen before, in whatever unit


def tracks_by_number(frames: Sequence[np.ndarray], numbers: Sequence[Sequence[int]]) -> np.ndarray:
    """Tracks, people x frames x joints x 3, from the people of each frame (n x joints x 3) and their numbers."""
    people = {number: place for place, number in enumerate(dict.fromkeys(n for frame in numbers for n in frame))}
    tracks = _empty(len(people), frames)
    for time, (bodies, of_frame) in enumerate(zip(frames, numbers, strict=True)):
        for body, number in zip(bodies, of_frame, strict=True):
            tracks[people[number], time] = body
    return tracks


def tracks_by_nearness(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Tracks, people x frames x joints x 3, from the people of each frame (n x joints x 3, in any order).

    There are as many people as the fullest frame has. In each frame they are put on the tracks so that the mean
    distances of joints from where these were seen last are smallest in sum.
    """
    most = max((len(bodies) for bodies in frames), default=0)
    tracks = _empty(most, frames)
    last = np.full((most, *tracks.shape[2:]), np.nan)
    for time, bodies in enumerate(frames):
        seen = [body for body in bodies if np.isfinite(body).any()]
        if not seen:
            continue
        apart = np.linalg.norm(np.array(seen)[:, None] - last[None], axis=3)
        known = np.isfinite(apart)
        cost = np.where(known, apart, 0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
        cost[~known.any(axis=2)] = FAR
        for place, track in zip(*linear_sum_assignment(cost), strict=True):
            tracks[track, time] = seen[place]
            last[track] = np.where(np.isfinite(seen[place]), seen[place], last[track])
    return tracks


def chosen(tracks: np.ndarray, bodies: str) -> np.ndarray:
    """The tracks that become the skeleton, as joints x frames x 3; not a number where somebody was not seen.

    main-actor: the one who moves most. stacked: that one above the one who moves most after. averaged: the mean of
    both, or whoever of them is seen. How much somebody moves is the variance of all joints' coordinates in the frames
    in which they were seen, summed, times the share of these frames.
    """
    order = sorted(range(len(tracks)), key=lambda track: -_motion(tracks[track]))
    ordered = tracks[order].transpose(0, 2, 1, 3)
    if not len(ordered):
        ordered = np.full((1, tracks.shape[2], tracks.shape[1], 3), np.nan)
    if bodies == "main-actor":
        return ordered[0]
    both = ordered[:2] if len(ordered) > 1 else np.concatenate([ordered, np.full_like(ordered, np.nan)])
    if bodies == "stacked":
        return both.reshape(-1, *both.shape[2:])
    seen = np.isfinite(both).all(axis=3, keepdims=True)
    total = np.where(seen, both, 0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return total / seen.sum(axis=0)


def _empty(people: int, frames: Sequence[np.ndarray]) -> np.ndarray:
    joints = next((bodies.shape[1] for bodies in frames if len(bodies)), 0)
    return np.full((people, len(frames), joints, 3), np.nan)


def _motion(track: np.ndarray) -> float:
    seen = np.isfinite(track).all(axis=2).any(axis=1)
    if not seen.any():
        return -1.0
    with np.errstate(invalid="ignore"):
        values = track[seen]
        return float(np.nansum(np.nanvar(values.reshape(len(values), -1), axis=0)) * seen.mean())
