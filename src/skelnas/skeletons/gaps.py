"""Missing joints and empty frames: found in every recording alike, counted, and treated as the data set's block says.

A joint is missing where a coordinate is not finite, as readers mark what a file says was not seen. A joint at exactly
zero is missing as well, unless zero is where it belongs: data that are centred on a joint have it there in every frame,
or in the first one. In the plane, where pose estimators write 0, 0 for what they did not find, that is certain; in
space it is likely, and such a joint is counted, but only `interpolate` changes it.

A body without a single joint in a frame is absent from it, and a frame without a body is empty. Empty frames at the end
are padding.
"""

import dataclasses

import numpy as np

from skelnas.skeletons.readers import GapOptions
from skelnas.skeletons.recording import BadRecording, Recording, check_coordinates, check_layout


@dataclasses.dataclass(frozen=True)
class Gaps:
    """What a recording lacks; arrays of bool.

    lost: joints x frames, surely missing. suspected: joints x frames, likely missing. present: bodies x frames, bodies
    of which some joint is there.
    """

    lost: np.ndarray
    suspected: np.ndarray
    present: np.ndarray

    @property
    def empty(self) -> np.ndarray:
        """Frames without a body; bool, frames."""
        return np.asarray(~self.present.any(axis=0))

    @property
    def padding(self) -> int:
        """Empty frames after the last one with a body; 0 where no frame has one."""
        seen = np.flatnonzero(~self.empty)
        return int(len(self.empty) - 1 - seen[-1]) if len(seen) else 0

    def missing(self) -> int:
        """Joints that are missing in frames where their body is there, over all frames."""
        return int((self.lost | self.suspected).sum())


def gaps_of(coordinates: np.ndarray, bodies: int = 1) -> Gaps:
    """What float64 coordinates, joints x frames x 3, of one body or of several stacked ones lack."""
    joints, frames, _ = coordinates.shape
    unknown = ~np.isfinite(coordinates).all(axis=2)
    zero = (coordinates == 0).all(axis=2)
    of_body = (unknown | zero).reshape(bodies, joints // bodies, frames)
    present = ~of_body.all(axis=1)
    there = np.repeat(present, joints // bodies, axis=0)
    planar = not np.nan_to_num(coordinates[:, :, 2]).any()
    at_origin = zero & there
    always = at_origin.sum(axis=1) == there.sum(axis=1)
    first = np.zeros_like(there)
    first[np.arange(joints), there.argmax(axis=1)] = there.any(axis=1)
    only_first = (at_origin == (at_origin & first)).all(axis=1)
    centred = (always & (not planar or bool((coordinates < 0).any()))) | only_first
    at_origin &= ~centred[:, None]
    certain = at_origin if planar else np.zeros_like(at_origin)
    return Gaps((unknown & there) | certain, at_origin & ~certain, present)


def treated(recording: Recording, options: GapOptions, bodies: int = 1, joint_names: tuple[str, ...] = ()) -> Recording:
    """The recording with its gaps counted, and treated by the policy.

    `empty-frames`: `keep` leaves zeros; `drop` leaves the frames out; `interpolate` leaves out those before the first
    and after the last frame with a body, and puts those between on the straight line between their neighbours.
    `missing-joints`: `keep` leaves them; `bad` refuses the recording where joints are surely missing; `interpolate`
    puts them on the straight line between the frames before and after, and before the first and after the last where
    they were seen first and last.

    Raises:
        BadRecording: too much is missing, a joint is never there, or what is left cannot be used.
    """
    where = recording.where or recording.sample.name
    coordinates = np.array(check_layout(recording.coordinates, where), dtype=np.float64)
    gaps = gaps_of(coordinates, bodies)
    counted = dataclasses.replace(
        recording,
        frames_without_body=max(recording.frames_without_body, int(gaps.empty.sum())),
        missing_joints=max(recording.missing_joints, gaps.missing()),
        padding=max(recording.padding, gaps.padding),
    )
    if gaps.empty.all():
        check_coordinates(coordinates, where)  # refuses it in words of its own
    present = np.repeat(gaps.present, len(coordinates) // bodies, axis=0)
    coordinates[~present & ~gaps.empty] = 0.0
    missing = gaps.lost | (gaps.suspected & (options.missing_joints == "interpolate"))
    empty = gaps.empty
    if options.empty_frames != "keep":
        seen = np.flatnonzero(~gaps.empty)
        kept = seen if options.empty_frames == "drop" else np.arange(seen[0], seen[-1] + 1)
        coordinates, missing, present, empty = coordinates[:, kept], missing[:, kept], present[:, kept], empty[kept]
    _check_share(missing, empty, present, options.most_missing, where)
    if options.missing_joints == "bad" and missing.any():
        joint, frame = np.argwhere(missing.T)[0][::-1]
        if not np.isfinite(coordinates[joint, frame]).all():
            check_coordinates(coordinates, where)
        raise BadRecording(
            f"{where}: joint {joint + 1} of frame {frame + 1} is missing, it lies at zero; set missing-joints: "
            "interpolate, or keep"
        )
    if options.missing_joints == "interpolate":
        _interpolate(coordinates, missing, present, where, joint_names)
    if options.empty_frames == "interpolate" and empty.any():
        _bridge(coordinates, empty, bodies)
    return dataclasses.replace(counted, coordinates=check_coordinates(coordinates, where))


def _check_share(missing: np.ndarray, empty: np.ndarray, present: np.ndarray, most: float, where: str) -> None:
    """Refuse a recording that is mostly empty, or most of whose joints are missing."""
    if empty.mean() > most:
        raise BadRecording(
            f"{where}: {empty.sum()} of {len(empty)} frames are empty, more than most-missing allows ({most:g}); leave "
            "the recording out, or set empty-frames: drop"
        )
    there = present.sum()
    if there and missing.sum() / there > most:
        raise BadRecording(
            f"{where}: {missing.sum()} of {there} joints are missing, more than most-missing allows ({most:g}); leave "
            "the recording out, or choose with joints those that are seen"
        )


def _interpolate(
    coordinates: np.ndarray, missing: np.ndarray, present: np.ndarray, where: str, joint_names: tuple[str, ...]
) -> None:
    for joint in np.flatnonzero(missing.any(axis=1)):
        known = np.flatnonzero(present[joint] & ~missing[joint])
        if not len(known):
            name = f" ({joint_names[joint]})" if joint < len(joint_names) else ""
            raise BadRecording(f"{where}: joint {joint + 1}{name} is never seen; choose with joints those that are")
        lost = np.flatnonzero(missing[joint])
        for axis in range(3):
            coordinates[joint, lost, axis] = np.interp(lost, known, coordinates[joint, known, axis])


def _bridge(coordinates: np.ndarray, empty: np.ndarray, bodies: int) -> None:
    """Put the bodies of frames in between on the line between the frames around; a body that is absent stays so."""
    of_body = coordinates.reshape(bodies, -1, *coordinates.shape[1:])
    for frame in np.flatnonzero(empty):
        before, after = frame - 1, frame + 1 + int(np.argmin(empty[frame + 1 :]))
        for body in of_body:
            if body[:, before].any() and body[:, after].any():
                body[:, frame] = body[:, before] + (body[:, after] - body[:, before]) / (after - before)
