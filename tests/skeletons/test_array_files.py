import io
import json
import zipfile

import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st

from skelnas.errors import InputError
from skelnas.skeletons.array_files import arrange, parse_axes, read_array
from skelnas.skeletons.recording import BadRecording
from skelnas.untrusted import Limits

JOINTS, FRAMES = 4, 5
COORDINATES = np.arange(JOINTS * FRAMES * 3, dtype=float).reshape(JOINTS, FRAMES, 3) / 8


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def mat(**arrays):
    stream = io.BytesIO()
    scipy.io.savemat(stream, arrays)
    return stream.getvalue()


def text(array, delimiter, heading=""):
    stream = io.StringIO()
    np.savetxt(stream, array, delimiter=delimiter, header=heading, comments="")
    return stream.getvalue().encode()


@pytest.mark.parametrize(
    ("axes", "array"),
    [
        ("joints frames xyz", COORDINATES),
        ("frames joints xyz", COORDINATES.transpose(1, 0, 2)),
        ("xyz joints frames", COORDINATES.transpose(2, 0, 1)),
        ("joints xyz frames", COORDINATES.transpose(0, 2, 1)),
        ("frames joints*xyz", COORDINATES.transpose(1, 0, 2).reshape(FRAMES, -1)),
        ("frames xyz*joints", COORDINATES.transpose(1, 2, 0).reshape(FRAMES, -1)),
        ("joints*xyz frames", COORDINATES.transpose(0, 2, 1).reshape(-1, FRAMES)),
    ],
)
def test_any_order_of_axes(axes, array):
    assert np.array_equal(arrange(array, parse_axes(axes), "clip"), COORDINATES)


@given(st.permutations(["joints", "frames", "xyz"]), st.integers(1, 6), st.integers(1, 6))
def test_every_permutation_comes_back(order, joints, frames):
    coordinates = np.random.default_rng(joints * 7 + frames).normal(size=(joints, frames, 3))
    array = coordinates.transpose([["joints", "frames", "xyz"].index(name) for name in order])
    assert np.array_equal(arrange(array, parse_axes(" ".join(order)), "clip"), coordinates)


@pytest.mark.parametrize(("axes", "shape"), [("frames joints xy", (5, 4, 2)), ("frames joints*xy", (5, 8))])
def test_two_dimensions_get_a_zero_depth(axes, shape):
    array = COORDINATES[:, :, :2].transpose(1, 0, 2).reshape(shape)
    flat = arrange(array, parse_axes(axes), "clip")
    assert np.array_equal(flat[:, :, :2], COORDINATES[:, :, :2])
    assert not flat[:, :, 2].any()


@pytest.mark.parametrize(
    "axes",
    [
        "",
        "joints frames",
        "joints frames frames",
        "joints frames xyz xy",
        "joints frames rgb",
        "joints*joints frames xyz",
    ],
)
def test_axes_that_say_too_little(axes):
    with pytest.raises(InputError, match=f'axes: "{axes}" does not say'.replace("*", r"\*")):
        parse_axes(axes)


@pytest.mark.parametrize(
    ("axes", "shape", "words"),
    [
        ("joints frames xyz", (20, 12), "does not fit the axes"),
        ("joints frames xyz", (20, 3, 40), '40 does not fit "xyz"'),
        ("joints frames xyz", (20, 40, 2), '2 does not fit "xyz"'),
        ("joints frames xyz", (20, 40, 0), '0 does not fit "xyz"'),
        ("frames joints*xyz", (40, 59), r'59 does not fit "joints\*xyz"'),
        ("frames joints xy", (40, 20, 4), '4 does not fit "xy"'),
    ],
)
def test_arrays_that_do_not_fit(axes, shape, words):
    with pytest.raises(BadRecording, match=rf"clip has shape \(.*\).*{words}.*correct `axes`"):
        arrange(np.zeros(shape), parse_axes(axes), "clip")


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("clip.npy", npy(COORDINATES), ""),
        ("clip.NPY", npy(COORDINATES), "ignored"),
        ("clip.npz", npz(skeleton=COORDINATES), ""),
        ("clip.npz", npz(skeleton=COORDINATES, colour=np.zeros(2)), "skeleton"),
        ("clip.mat", mat(skeleton=COORDINATES), ""),
        ("clip.mat", mat(skeleton=COORDINATES, rate=30.0), "skeleton"),
        ("clip.json", json.dumps(COORDINATES.tolist()).encode(), ""),
        ("clip.json", json.dumps({"skeleton": COORDINATES.tolist(), "by": "me"}).encode(), "skeleton"),
    ],
)
def test_formats(name, content, key):
    assert np.array_equal(read_array(content, name, key, "clip"), COORDINATES)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " "])
@pytest.mark.parametrize("heading", ["", "j0x{0}j0y{0}j0z{0}j1x{0}j1y{0}j1z"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_text(delimiter, heading, mark):
    table = COORDINATES[:2].transpose(1, 0, 2).reshape(FRAMES, 6)
    content = mark + text(table, delimiter, heading.format(delimiter)).replace(b"\n", b"\r\n")
    assert np.array_equal(read_array(content, "clip.txt" if delimiter == " " else "clip.csv", "", "clip"), table)


@pytest.mark.parametrize(
    ("name", "content", "key", "words"),
    [
        ("clip.npy", npy(np.array([{"a": 1}], dtype=object)), "", "allow_pickle=False"),
        ("clip.npz", npz(a=np.array([{"a": 1}], dtype=object)), "", "allow_pickle=False"),
        ("clip.npy", npy(np.array(["text"])), "", "not real numbers"),
        ("clip.npy", npy(COORDINATES * 1j), "", "complex128 values, not real numbers"),
        ("clip.npy", npy(COORDINATES)[:200], "", "cannot be read"),
        ("clip.npy", b"", "", "cannot be read"),
        ("clip.npz", npz(a=COORDINATES, b=COORDINATES), "", "variables a, b; say with `key`"),
        ("clip.npz", npz(a=COORDINATES), "b", "no variable b, it has a; correct `key`"),
        ("clip.mat", mat(a=COORDINATES), "b", "no variable b, it has a"),
        ("clip.mat", mat(a={"x": 1}), "", "not real numbers"),
        ("clip.mat", b"<html>", "", "cannot be read"),
        ("clip.json", b"[[1, 2], [3]]", "", "cannot be read"),
        ("clip.json", b'[["1", "2"]]', "", "not real numbers"),
        ("clip.json", b"[1,", "", "cannot be read"),
        ("clip.json", b"{}", "", "variables none"),
        ("clip.csv", b"\na,b,c\n1,2,3\n4,five,6\n", "", r"cannot be read \(line 4: 'five' is no number\)"),
        ("clip.csv", b"1,2,3\n4,,6\n", "", "cannot be read"),
        ("clip.csv", b"1,2,3\n4,5\n", "", r"cannot be read \(line 2 has 2 columns, line 1 has 3\)"),
        ("clip.csv", b"\n", "", r"cannot be read \(it holds no numbers\)"),
        ("clip.txt", b"x y z\n", "", r"cannot be read \(it holds no numbers\)"),
        ("clip.csv", b"1,x,3\n4,5,6\n", "", "cannot be read"),
        ("clip.csv", b"\xff\xfe\x00", "", "cannot be read"),
        ("clip.avi", b"RIFF", "", r"no known format; known are \.npy"),
    ],
)
def test_what_is_refused(name, content, key, words):
    with pytest.raises(BadRecording, match=f"^clip .*{words}") as refusal:
        read_array(content, name, key, "clip")
    assert "\n" not in str(refusal.value)


TABLE = COORDINATES.transpose(1, 0, 2).reshape(FRAMES, -1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("heading", [range(12), [f"{number}.0" for number in range(12)], ["x"] * 12])
def test_numbers_of_columns_are_a_heading(delimiter, heading):
    content = text(TABLE, delimiter, delimiter.join(map(str, heading)))
    assert np.array_equal(read_array(content, "clip.csv", "", "clip"), TABLE)


@pytest.mark.parametrize("first", [range(1, 13), [0.5, 1.5, 2.5, *range(9)], [0, 0, *range(10)]])
def test_a_first_frame_of_other_numbers_is_a_frame(first):
    content = text(TABLE, ",", ",".join(map(str, first)))
    assert len(read_array(content, "clip.csv", "", "clip")) == FRAMES + 1


@pytest.mark.parametrize("heading", ["", "frame"])
def test_the_index_of_a_data_frame_is_named(heading):
    content = text(np.column_stack([range(FRAMES), TABLE]), ",", heading + "," + ",".join(map(str, range(12))))
    array = read_array(content, "clip.csv", "", "clip")
    with pytest.raises(BadRecording, match=r"13 does not fit .* say `leading: \[frame\]` \(or \*\), else correct"):
        arrange(array, parse_axes("frames joints*xyz"), "clip")


@pytest.mark.parametrize("stamp", ["2024-05-01T12:00:0{}", "12:00:0{}", "frame {}"])
def test_a_column_of_times_is_to_be_left_out(stamp):
    rows = "\n".join(f"{stamp.format(number)},{number},2,3" for number in range(5))
    with pytest.raises(
        BadRecording, match=r"^clip: column 1 holds no numbers \('.*' and so on\); leave that column out$"
    ):
        read_array(rows.encode(), "clip.csv", "", "clip")


def test_matlab_7_3_is_to_be_saved_with_v7():
    content = b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(100)
    with pytest.raises(BadRecording, match=r"^clip cannot be read: it is a MATLAB 7.3 file; save it with -v7: "):
        read_array(content, "clip.mat", "", "clip")


def zipped(name, content):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("clip.npz", zipped("skeleton.npy", bytes(64 << 20)), "member-ratio"),
        ("clip.npz", npz(skeleton=np.zeros(10_000)), "member-bytes"),
        ("clip.json", b"[" * 70 + b"]" * 70, "json-depth"),
        ("clip.json", b"[" * 100_000, "json-depth"),
        ("clip.csv", b"1," * 1000, "line-bytes"),
        ("clip.txt", b"1 2 3\n" + b"9" * 2000, "line-bytes"),
    ],
)
def test_limits_are_named_with_their_key(name, content, key):
    limits = Limits(line_bytes=500, member_bytes=50_000 if key == "member-bytes" else 1 << 30)
    with pytest.raises(BadRecording, match=f"^clip cannot be read: .*`limits: {key}` allows; raise it"):
        read_array(content, name, "", "clip", limits)


@pytest.mark.parametrize("claim", [10**6, 10**12, 10**18, 10**30])
def test_arrays_that_claim_to_be_huge_are_refused(claim):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({claim},), }}".encode().ljust(118) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(80)
    with pytest.raises(BadRecording, match=r"clip cannot be read"):
        read_array(content, "clip.npy", "", "clip")
