"""The text format of NTU RGB+D skeleton files, read the plain way: this module says what a file means.

Shahroudy et al., "NTU RGB+D: A Large Scale Dataset for 3D Human Activity Analysis", CVPR 2016, and the MATLAB reader
of its authors (`read_skeleton_file.m`). A file is made of lines; the values of a line are separated by blanks:

    frames                                          once
      bodies                                        once per frame, 0 or more
        id and 9 values of the body's state         once per body
        joints                                      once per body, always 25
          x y z (metres) and 9 values more          once per joint: pixels, orientation, tracking state

Lines may end in LF or CRLF, the last one also in nothing; lines that hold only blanks mean nothing.
`ntu_parser.parse` reads the same thing fast and is held to this module bit for bit.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skelnas.skeletons.recording import BadRecording

JOINTS = 25
BODY_VALUES = 10  # id, clipped edges, 2 x (hand confidence, hand state), restricted, lean x, lean y, tracking state
JOINT_VALUES = 12  # x, y, z, 2 x depth pixel, 2 x colour pixel, 4 x orientation, tracking state
LARGEST_ID = 2**64 - 1
COUNT = re.compile(rb"[0-9]+")
NUMBER = re.compile(rb"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Bodies:
    """Every body of every frame of one recording, in the order of the file.

    `ids` are the sensor's tracking numbers. They are 64 bits wide and differ in the last ones only: as floating-point
    numbers two people become one.
    """

    frames: int  # frames of the recording, those without a body included
    frame: np.ndarray  # int64 (bodies,): the frame that each body stands in, from 0, ascending
    ids: np.ndarray  # uint64 (bodies,)
    joints: np.ndarray  # float64 (bodies, 25, 3): x, y, z in metres


def parse(text: bytes, where: str) -> Bodies:
    """Read a skeleton file's text; `where` names the file in the sentence of an error.

    Raises:
        BadRecording: the text is not in the format above; the sentence names the line.
    """
    lines = _Lines(text, where)
    frames = lines.count("the number of frames")
    frame, ids, joints = [], [], []
    for number in range(frames):
        for _ in range(lines.count(f"the number of bodies in frame {number + 1} of {frames}")):
            values = lines.take(BODY_VALUES, f"a body of frame {number + 1} of {frames}")
            frame.append(number)
            ids.append(lines.body_id(values[0]))
            announced = lines.count("the number of joints")
            if announced != JOINTS:
                raise lines.fault(f"a body has {announced} joints, expected {JOINTS}")
            for joint in range(JOINTS):
                values = lines.take(JOINT_VALUES, f"joint {joint + 1} in frame {number + 1} of {frames}")
                joints.append([lines.coordinate(value) for value in values[:3]])
    lines.end(frames)
    return Bodies(
        frames,
        np.array(frame, dtype=np.int64),
        np.array(ids, dtype=np.uint64),
        np.array(joints, dtype=np.float64).reshape(-1, JOINTS, 3),
    )


def decimal(token: bytes) -> float | None:
    """The float64 nearest to a decimal number (NaN and infinity included), or None where the token is no number."""
    return float(token) if NUMBER.fullmatch(token) else None


class _Lines:
    """The lines of a text that hold anything, one after the other, each checked against what is expected there."""

    def __init__(self, text: bytes, where: str) -> None:
        self.where, self.line = where, 0
        self._rest: Iterator[tuple[int, list[bytes]]] = (
            (number, values) for number, line in enumerate(text.split(b"\n"), start=1) if (values := line.split())
        )

    def fault(self, what: str) -> BadRecording:
        return BadRecording(f"{self.where}, line {self.line}: {what}")

    def take(self, count: int, what: str) -> list[bytes]:
        """The values of the next line, which must be `count`."""
        self.line, values = next(self._rest, (0, []))
        if not values:
            raise BadRecording(f"{self.where} ends where {what} should follow; the file is empty or was cut off")
        if len(values) != count:
            raise self.fault(
                f"{len(values)} values where {what} should stand ({count} values); this is no body skeleton file of "
                "NTU RGB+D, or lines are missing"
            )
        return values

    def count(self, what: str) -> int:
        (token,) = self.take(1, what)
        if not COUNT.fullmatch(token):
            raise self.fault(f"{_shown(token)} where {what} should stand")
        return _whole(token)

    def body_id(self, token: bytes) -> int:
        if not COUNT.fullmatch(token) or _whole(token) > LARGEST_ID:
            raise self.fault(f"{_shown(token)} where a body's id should stand (a whole number of 64 bits)")
        return _whole(token)

    def coordinate(self, token: bytes) -> float:
        value = decimal(token)
        if value is None:
            raise self.fault(f"{_shown(token)} where a coordinate in metres should stand")
        return value

    def end(self, frames: int) -> None:
        """Nothing may follow the last frame."""
        self.line, values = next(self._rest, (0, []))
        if values:
            raise self.fault(f"text goes on after the {frames} announced frames")


def _whole(digits: bytes) -> int:
    """A whole number; past 21 digits, which is more than any id and any count of lines, one that is as good as it."""
    return int((digits.lstrip(b"0") or b"0")[:21])


def _shown(token: bytes) -> str:
    """A token as it can be shown in a sentence."""
    text = token.decode("ascii", errors="replace")
    return repr(text if len(text) <= 40 else text[:37] + "...")
