import contextlib
import io

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from skelnas.skeletons.matlab import MatlabError, read_variables

POSES = np.random.default_rng(1).normal(size=(20, 3, 7))


def saved(packed=False, **variables):
    stream = io.BytesIO()
    scipy.io.savemat(stream, variables, do_compression=packed)
    return stream.getvalue()


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">f8", ">i2"])
def test_arrays_are_those_of_scipy(kind, packed):
    content = saved(packed, d_skel=(100 * POSES).astype(kind), frame_rate=np.array([[30]], dtype=kind))
    found, theirs = read_variables(content), scipy.io.loadmat(io.BytesIO(content))
    assert list(found) == ["d_skel", "frame_rate"]
    for name, array in found.items():
        assert array.dtype == theirs[name].dtype
        assert np.array_equal(array, theirs[name])


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (2, 3), (4, 3, 2, 2), (0, 0)])
def test_any_shape_comes_back(shape):
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    assert np.array_equal(read_variables(saved(a=values))["a"], values)


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_no_array_of_numbers_is_named(packed):
    cells = np.array([[1, "a"]], dtype=object)
    content = saved(
        packed, s={"x": 1}, c=cells, t="text", z=POSES * 1j, m=scipy.sparse.eye(3), yes=np.array([True]), poses=POSES
    )
    found = read_variables(content)
    assert np.array_equal(found.pop("poses"), POSES)
    assert found.pop("yes") == [[1]]
    assert found == {"s": "a struct", "c": "a cell array", "t": "text", "z": "complex", "m": "a sparse matrix"}


def test_big_endian_files_are_read():
    # Laid out by hand: scipy writes the byte order of the machine alone.
    def tag(kind, *values, code):
        data = np.array(values, dtype=f">{code}").tobytes()
        return np.array([kind, len(data)], dtype=">u4").tobytes() + data + bytes(-len(data) % 8)

    parts = tag(6, 6, 0, code="u4") + tag(5, 2, 2, code="i4") + tag(1, 97, code="i1") + tag(9, 1, 2, 3, 4, code="f8")
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI"
    content = header + np.array([14, len(parts)], dtype=">u4").tobytes() + parts
    assert read_variables(content)["a"].tolist() == [[1, 3], [2, 4]]
    assert scipy.io.loadmat(io.BytesIO(content))["a"].tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "does not begin like a MATLAB 5 file; save it with -v7"),
        (b"<html>" * 100, "does not begin like a MATLAB 5 file"),
        (
            b"MATLAB 7.3 MAT-file".ljust(126) + b"IM" + bytes(384) + b"\x89HDF\r\n\x1a\n",
            "a MATLAB 7.3 file; save it with -v7",
        ),
        (b"\x89HDF\r\n\x1a\n" + bytes(1000), "a MATLAB 7.3 file; save it with -v7"),
        (saved(a=POSES)[:-9], "cut off"),
        (saved(a=POSES)[:132], "ends within a tag"),
        (saved(True, a=POSES)[:-9], "cut off"),
    ],
)
def test_other_files_are_refused_with_the_remedy(content, words):
    with pytest.raises(MatlabError, match=words):
        read_variables(content)


@pytest.mark.parametrize("place", ["data", "name", "dimensions", "flags"])
def test_a_wrong_type_tag_is_refused(place):
    # The tag of the data turned from 7 into 15 ends scipy's process; here it and its neighbours are sentences.
    content = bytearray(saved(a=POSES.astype("f4")))
    at = {"flags": 136, "dimensions": 152, "name": 176, "data": 184}[place]
    assert content[at] in (1, 5, 6, 7)
    content[at] ^= 8
    with pytest.raises(MatlabError):
        read_variables(bytes(content))


def test_a_variable_that_unpacks_to_more_than_allowed_is_refused():
    content = saved(True, a=np.zeros((1000, 1000)))
    assert len(content) < 20_000
    assert read_variables(content)["a"].shape == (1000, 1000)
    with pytest.raises(MatlabError, match="larger than allowed"):
        read_variables(content, 1_000_000)


@settings(max_examples=300)
@given(st.data())
def test_damage_gives_a_sentence_or_an_array(data):
    content = bytearray(saved(data.draw(st.booleans()), a=POSES[:2, :, :2], b=POSES[:1].astype("f4"), s={"x": 1}))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    with contextlib.suppress(MatlabError):
        assert all(isinstance(value, str | np.ndarray) for value in read_variables(bytes(content)).values())
