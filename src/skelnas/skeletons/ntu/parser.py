"""The text of NTU RGB+D skeleton files, read at the speed of the disk.

The same result as `ntu_text.parse`, bit for bit, by one compiled walk over the bytes that converts only what is needed:
body ids and x, y, z. A decimal number with at most 2^53 for its digits and at most 22 for its power of ten is one
exact multiplication or division away from the nearest float64 (Clinger, "How to Read Floating Point Numbers
Accurately", PLDI 1990), and the sensor's seven digits always are. Numbers beyond that are left to Python; texts that
break the format are left to `ntu_text`, which says what is wrong with them.
"""

from collections.abc import Callable

import numba
import numpy as np

from skelnas.skeletons.ntu import text as ntu_text
from skelnas.skeletons.ntu.text import BODY_VALUES, JOINT_VALUES, JOINTS, Bodies

SHORTEST_BODY = 2 * BODY_VALUES + 3 + JOINTS * 2 * JOINT_VALUES  # bytes of text that one body takes at least
POWERS = np.array([float(10**power) for power in range(23)])  # all exact
EXACT = np.uint64(2**53)
REFUSED = -1
BLANKS = np.array([byte == 32 or 9 <= byte <= 13 for byte in range(256)], dtype=np.uint8)  # as in `bytes.split`


def parse(text: bytes, where: str) -> Bodies:
    """Read a skeleton file's text; `where` names the file in the sentence of an error.

    Raises:
        BadRecording: the text is not in the format of `ntu_text`; the sentence names the line.
    """
    bodies = parse_sound(text)
    return ntu_text.parse(text, where) if bodies is None else bodies


def parse_sound(text: bytes) -> Bodies | None:
    """Read a text that keeps to the format; None for any other."""
    ended = text if text.endswith(b"\n") else text + b"\n"
    most = len(ended) // SHORTEST_BODY + 1
    frame = np.empty(most, dtype=np.int64)
    ids = np.empty(most, dtype=np.uint64)
    joints = np.empty((most, JOINTS, 3))
    left = np.empty((most * JOINTS * 3, 3), dtype=np.int64)  # memory that is never touched costs nothing
    frames, bodies, lefts = _walk(np.frombuffer(ended, dtype=np.uint8), frame, ids, joints.reshape(-1), left)
    if frames == REFUSED:
        return None
    for place, start, stop in left[:lefts].tolist():
        value = ntu_text.decimal(ended[start:stop])
        if value is None:
            return None
        joints.reshape(-1)[place] = value
    return Bodies(frames, frame[:bodies].copy(), ids[:bodies].copy(), joints[:bodies].copy())


def prepare() -> None:
    """Compile now, so that worker processes forked later inherit the machine code."""
    parse_sound(b"0")


def _compiled(function: Callable) -> Callable:
    """Compile on first use, and keep the machine code for later processes where some folder for it can be written."""
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return numba.njit(nogil=True)(function)


@_compiled
def _walk(text, frame, ids, joints, left):
    """Fill the arrays from `text` (uint8, ends in a newline).

    `left` takes numbers that are not converted here: place in `joints`, first byte, byte after the last. Returns
    frames, bodies and numbers left; frames is -1 where the text breaks the format.
    """
    size = len(text)
    refused = (REFUSED, 0, 0)
    bodies = lefts = 0
    frames, at = _lone_count(text, 0)
    if at < 0:
        return refused
    for number in range(frames):
        present, at = _lone_count(text, at)
        if at < 0:
            return refused
        for _ in range(present):
            at = _first_value(text, at)
            if at == size:
                return refused
            body_id, at = _whole_number(text, at)
            if at < 0:
                return refused
            at = _rest_of_line(text, at, BODY_VALUES - 1)
            if at < 0:
                return refused
            announced, at = _lone_count(text, at)
            if at < 0 or announced != JOINTS:
                return refused
            frame[bodies] = number
            ids[bodies] = body_id
            place = bodies * JOINTS * 3
            for _joint in range(JOINTS):
                at = _first_value(text, at)
                if at == size:
                    return refused
                for axis in range(3):
                    while text[at] != 10 and BLANKS[text[at]]:
                        at += 1
                    if text[at] == 10:
                        return refused
                    start = at
                    value, at, converted = _decimal(text, at)
                    if converted:
                        joints[place + axis] = value
                    else:
                        while not BLANKS[text[at]]:
                            at += 1
                        left[lefts, 0], left[lefts, 1], left[lefts, 2] = place + axis, start, at
                        lefts += 1
                place += 3
                at = _rest_of_line(text, at, JOINT_VALUES - 3)
                if at < 0:
                    return refused
            bodies += 1
    if _first_value(text, at) != size:
        return refused
    return frames, bodies, lefts


@_compiled
def _first_value(text, at):
    """Where the next value begins, in this line or a later one; the text's end where there is none."""
    while at < len(text) and BLANKS[text[at]]:
        at += 1
    return at


@_compiled
def _whole_number(text, at):
    """A whole number of 64 bits and the place after it; the place is -1 where there is none."""
    value = np.uint64(0)
    start = at
    while text[at] >= 48 and text[at] <= 57:
        digit = np.uint64(text[at] - 48)
        if value > np.uint64(1844674407370955161) or (value == np.uint64(1844674407370955161) and digit > np.uint64(5)):
            return np.uint64(0), -1
        value = value * np.uint64(10) + digit
        at += 1
    if at == start or not BLANKS[text[at]]:
        return np.uint64(0), -1
    return value, at


@_compiled
def _lone_count(text, at):
    """The count that stands alone in the next line, and the place after that line; the place is -1 where not so."""
    at = _first_value(text, at)
    if at == len(text):
        return 0, -1
    value, at = _whole_number(text, at)
    if at < 0 or value > np.uint64(len(text)):  # so many frames or bodies cannot follow
        return 0, -1
    return np.int64(value), _rest_of_line(text, at, 0)


@_compiled
def _rest_of_line(text, at, values):
    """The place after this line's newline if exactly `values` values stand before it, -1 if not."""
    found = 0
    before = np.uint8(1)  # `at` is the blank after a value
    while text[at] != 10:
        blank = BLANKS[text[at]]
        found += before & (blank ^ 1)  # no branch here: where values end is what a processor guesses worst
        before = blank
        at += 1
    return at + 1 if found == values else -1


@_compiled
def _decimal(text, at):
    """The decimal number at this place: value, the place after it, and whether it could be converted exactly here."""
    negative = text[at] == 45
    at += np.int64(negative) | np.int64(text[at] == 43)
    digits = np.uint64(0)
    power = 0
    start = at
    while text[at] >= 48 and text[at] <= 57:
        digits = digits * np.uint64(10) + np.uint64(text[at] - 48)
        at += 1
    count = at - start
    if text[at] == 46:
        at += 1
        point = at
        while text[at] >= 48 and text[at] <= 57:
            digits = digits * np.uint64(10) + np.uint64(text[at] - 48)
            at += 1
        power = point - at
        count += at - point
    if count == 0 or count > 19:  # twenty digits could overflow
        return 0.0, at, False
    if text[at] == 69 or text[at] == 101:
        at += 1
        small = text[at] == 45
        if small or text[at] == 43:
            at += 1
        start = at
        exponent = 0
        while text[at] >= 48 and text[at] <= 57:
            exponent = min(exponent * 10 + (text[at] - 48), 10_000)
            at += 1
        if at == start:
            return 0.0, at, False
        power += -exponent if small else exponent
    if digits > EXACT or power < -22 or power > 22 or not BLANKS[text[at]]:
        return 0.0, at, False
    value = np.float64(digits)
    value = value / POWERS[-power] if power < 0 else value * POWERS[power]
    return -value if negative else value, at, True
