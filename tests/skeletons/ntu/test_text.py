import numpy as np
import pytest

from skelnas.skeletons.ntu import text as ntu_text
from skelnas.skeletons.recording import BadRecording

BODY = "72057594037944738 0 1 1 1 1 0 0.01119184 -0.256052 2"
JOINT = "0.25 -1.5 9.931628E-05 336.5812 192.8021 1184.537 489.4118 -0.2218947 0.03421978 0.968875 -0.1042736 2"


def body(joint: str = JOINT, first: str = BODY, joints: int = 25) -> list[str]:
    return [first, str(joints), *[joint] * joints]


def text(*frames: list[str], newline: str = "\n") -> bytes:
    """A file of `frames`; each is a list of the lines that follow its number of bodies."""
    lines = [str(len(frames))]
    for frame in frames:
        lines += [str(sum(line.count(" ") == 9 for line in frame)), *frame]
    return (newline.join(lines) + newline).encode()


def test_frames_bodies_ids_and_coordinates() -> None:
    other = BODY.replace("738", "734")
    bodies = ntu_text.parse(text(body() + body(first=other), [], body(JOINT.replace("0.25", "-7"))), "recording")
    assert bodies.frames == 3
    assert bodies.frame.tolist() == [0, 0, 2]
    assert bodies.ids.tolist() == [72057594037944738, 72057594037944734, 72057594037944738]
    assert float(bodies.ids[0]) == float(bodies.ids[1])  # as floating-point numbers they are one person
    assert bodies.joints.shape == (3, 25, 3)
    assert bodies.joints[1].tolist() == [[0.25, -1.5, 9.931628e-05]] * 25
    assert bodies.joints[2, :, 0].tolist() == [-7.0] * 25


def test_line_ends_blanks_and_empty_lines_do_not_matter() -> None:
    plain = text(body(), body())
    expected = ntu_text.parse(plain, "recording")
    for odd in (
        text(body(), body(), newline="\r\n"),
        text(body(), body(), newline="\n \n"),
        plain.rstrip(b"\n"),
        plain.replace(b" ", b" \t "),
        b"\n " + plain + b"\r\n  \n",
    ):
        bodies = ntu_text.parse(odd, "recording")
        assert bodies.frames == 2
        assert np.array_equal(bodies.ids, expected.ids)
        assert np.array_equal(bodies.joints, expected.joints)


def test_no_frames_and_frames_without_bodies() -> None:
    assert ntu_text.parse(b"0\n", "recording").joints.shape == (0, 25, 3)
    bodies = ntu_text.parse(b"2\n0\n0\n", "recording")
    assert (bodies.frames, bodies.joints.shape) == (2, (0, 25, 3))


def test_numbers_that_need_care() -> None:
    joint = JOINT.replace("0.25 -1.5 9.931628E-05", "9007199254740993 -NaN 1e-400")
    x, y, z = ntu_text.parse(text(body(joint)), "recording").joints[0, 0]
    assert x == 9007199254740992.0  # the nearest float64, ties to even
    assert np.isnan(y)
    assert z == 0.0


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (b"", "a.skeleton ends where the number of frames should follow; the file is empty or was cut off"),
        (
            text(body())[: -len(JOINT) - 1],
            "ends where joint 25 in frame 1 of 1 should follow; the file is empty or was cut",
        ),
        (text(body())[:-200], "line 28: 2 values where joint 24 in frame 1 of 1 should stand (12 values)"),
        (
            text(body()).replace(b"1\n1\n", b"3\n1\n", 1),
            "ends where the number of bodies in frame 2 of 3 should follow",
        ),
        (text(body()) + b"0\n", "line 30: text goes on after the 1 announced frames"),
        (text(body(JOINT.replace("-1.5", "abc"))), "line 5: 'abc' where a coordinate in metres should stand"),
        (text(body(JOINT.replace("-1.5", "1,5"))), "line 5: '1,5' where a coordinate"),
        (text(body(JOINT.replace("-1.5", "1_5"))), "line 5: '1_5' where a coordinate"),
        (text(body(joints=20)), "line 4: a body has 20 joints, expected 25"),
        (text(body(JOINT + " 1")), "line 5: 13 values where joint 1 in frame 1 of 1 should stand (12 values)"),
        (text(body(first=BODY.replace("72057594037944738", "7.2e16"))), "line 3: '7.2e16' where a body's id"),
        (text(body(first=BODY.replace("72057594037944738", str(2**64)))), "where a body's id should stand"),
        (b"two\n" + text(body())[2:], "line 1: 'two' where the number of frames should stand"),
        (
            b"0.1 0.2 0.3 0.4\n" * 9,
            "line 1: 4 values where the number of frames should stand (1 values); this is no body",
        ),
        (b"\xff" * 99, "line 1: '" + "\ufffd" * 37 + "...' where the number of frames"),
    ],
)
def test_what_breaks_the_format_is_said_in_one_sentence(broken: bytes, sentence: str) -> None:
    with pytest.raises(BadRecording) as raised:
        ntu_text.parse(broken, "a.skeleton")
    assert str(raised.value).startswith("a.skeleton")
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)
