import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numba.core import caching

from bench import ntu_generate
from skelnas.skeletons.ntu import parser as ntu_parser
from skelnas.skeletons.ntu import text as ntu_text
from skelnas.skeletons.ntu.text import BODY_VALUES, JOINT_VALUES, JOINTS, Bodies
from skelnas.skeletons.recording import BadRecording

DIGITS = st.text("0123456789", min_size=1, max_size=9)
LONG_DIGITS = st.text("0123456789", min_size=15, max_size=30)
EXPONENT = st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), st.integers(0, 400))
SIGN = st.sampled_from(["", "-", "+"])

NUMBERS = st.one_of(
    st.floats(-6, 6).map(lambda value: f"{value:.7g}".replace("e", "E")),  # what the sensor's program writes
    st.floats().map(repr),  # all of float64, nan and inf among them
    st.builds("{}{}.{}".format, SIGN, DIGITS, DIGITS),
    st.builds("{}{}.{}{}".format, SIGN, DIGITS, LONG_DIGITS, st.one_of(st.just(""), EXPONENT)),
    st.builds("{}{}{}".format, SIGN, LONG_DIGITS, st.one_of(st.just(""), EXPONENT)),
    st.builds("{}.{}{}".format, SIGN, DIGITS, EXPONENT),
    st.builds("{}{}.{}".format, SIGN, DIGITS, st.one_of(st.just(""), EXPONENT)),
    st.sampled_from(
        ["0", "-0", "-0.0", "+1", "9007199254740992", "9007199254740993", "1e22", "1e23", "1E-22", "1e-23"]
    ),
    st.sampled_from(
        ["2.2250738585072011e-308", "4.9e-324", "2e-324", "1.7976931348623159e308", "NaN", "-nan", "Infinity"]
    ),
)
IDS = st.one_of(st.integers(72057594037927936, 72057594037999999), st.sampled_from([0, 2**53 + 1, 2**63, 2**64 - 1]))
OTHER_VALUES = st.sampled_from(["0", "2", "-0.25", "1184.537", "NaN", "-nan(ind)", "?"])  # columns that nobody reads
BLANKS = st.sampled_from([" ", " ", "  ", "\t", " \t\r "])
NEWLINES = st.sampled_from(["\n", "\r\n", "\n\n", " \r\n", "\n \t\n"])

PATIENT = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def sound_texts(draw: st.DrawFn) -> bytes:
    """A text that keeps to the format."""
    numbers = draw(st.lists(NUMBERS, min_size=1, max_size=12))
    other, blank, newline = draw(OTHER_VALUES), draw(BLANKS), draw(NEWLINES)
    frames = draw(st.lists(st.lists(IDS, max_size=5), max_size=5))
    lines, used = [str(len(frames))], 0
    for ids in frames:
        lines.append(str(len(ids)))
        for body_id in ids:
            lines += [blank.join([str(body_id), *[other] * (BODY_VALUES - 1)]), str(JOINTS)]
            for _ in range(JOINTS):
                xyz = [numbers[(used + axis) % len(numbers)] for axis in range(3)]
                lines.append(blank.join([*xyz, *[other] * (JOINT_VALUES - 3)]))
                used += 3
    begin, end = draw(st.sampled_from(["", " ", "\r\n"])), draw(st.sampled_from(["", newline, newline + " "]))
    return (begin + newline.join(lines) + end).encode()


@st.composite
def damaged_texts(draw: st.DrawFn) -> bytes:
    """A text that was cut off, lost or gained a line, or has a token or a byte replaced."""
    text = draw(sound_texts())
    kind = draw(st.sampled_from(["cut", "line lost", "line twice", "token", "byte"]))
    place = draw(st.integers(0, max(0, len(text) - 1)))
    if kind == "cut":
        return text[:place]
    if kind == "byte":
        return text[:place] + bytes([draw(st.integers(0, 255))]) + text[place + 1 :]
    lines = text.split(b"\n")
    number = draw(st.integers(0, len(lines) - 1))
    if kind == "line lost":
        del lines[number]
    elif kind == "line twice":
        lines.insert(number, lines[number])
    elif tokens := lines[number].split():
        strange = [
            b"x",
            b"1,5",
            b"1_0",
            b"--1",
            b"1e",
            b".",
            b"",
            b"24",
            b"-1",
            b"0x1",
            b"18446744073709551616",
            b"9" * 40,
        ]
        tokens[draw(st.integers(0, len(tokens) - 1))] = draw(st.sampled_from(strange))
        lines[number] = b" ".join(tokens)
    return b"\n".join(lines)


def assert_bit_equal(one: Bodies, other: Bodies) -> None:
    assert one.frames == other.frames
    for key in ("frame", "ids", "joints"):
        mine, theirs = getattr(one, key), getattr(other, key)
        assert mine.dtype == theirs.dtype
        assert mine.shape == theirs.shape
        assert mine.tobytes() == theirs.tobytes()  # tells -0 from 0 and one nan from another


@PATIENT
@given(sound_texts())
def test_sound_texts_are_read_without_the_plain_parser_and_bit_equal(text: bytes) -> None:
    fast = ntu_parser.parse_sound(text)
    assert fast is not None
    assert_bit_equal(fast, ntu_text.parse(text, "recording"))


@PATIENT
@given(damaged_texts())
def test_damaged_texts_are_refused_by_both_or_read_the_same(text: bytes) -> None:
    fast = ntu_parser.parse_sound(text)
    if fast is not None:
        assert_bit_equal(fast, ntu_text.parse(text, "recording"))
        return
    with pytest.raises(BadRecording) as plain:
        ntu_text.parse(text, "recording")
    with pytest.raises(BadRecording) as raised:
        ntu_parser.parse(text, "recording")
    assert str(raised.value) == str(plain.value)


def test_a_recording_as_the_sensor_writes_it() -> None:
    chance = np.random.default_rng(0)
    frames = [
        [(ntu_generate.FIRST_ID + 4 * person, chance.normal(size=(25, 3))) for person in range(people)]
        for people in (1, 0, 3, 2)
    ]
    bodies = ntu_parser.parse_sound(ntu_generate.recording_text(frames))
    assert bodies is not None
    assert bodies.frames == 4
    assert bodies.frame.tolist() == [0, 2, 2, 2, 3, 3]
    assert bodies.ids.tolist() == [ntu_generate.FIRST_ID + 4 * person for person in (0, 0, 1, 2, 0, 1)]
    written = np.array([joints for frame in frames for _, joints in frame])
    assert np.array_equal(bodies.joints, [[[float(f"{v:.7g}") for v in joint] for joint in body] for body in written])


def test_where_no_folder_takes_the_machine_code_it_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def next_one(number: int) -> int:
        return number + 1

    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])  # as on a machine where no folder can be written
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(next_one)
    assert ntu_parser._compiled(next_one)(1) == 2
