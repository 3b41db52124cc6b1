"""No pickle makes anything happen but data."""

import io
import os
import pickle
from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skelnas import unpickling
from skelnas.errors import InputError

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def read(content: bytes, names: unpickling.Names | None = None) -> object:
    return unpickling.read(io.BytesIO(content), names or {}, "a.pkl")


@given(DATA)
def test_plain_data_comes_back(value):
    assert read(pickle.dumps(value, protocol=4)) == value


class Hostile:
    """Whatever `call` is, unpickling calls it."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize(
    ("function", "argument"),
    [(os.system, "touch {}"), (eval, "open('{}', 'w')"), (pickle.loads, b""), (Path, "x"), (getattr, "x")],
)
def test_what_is_not_on_the_list_is_refused_and_not_run(tmp_path, function, argument, protocol):
    mark = tmp_path / "mark"
    content = pickle.dumps(
        Hostile(function, (argument.format(mark) if isinstance(argument, str) else argument,)), protocol
    )
    with pytest.raises(unpickling.ForeignError, match=r"asks for .*, which data has no need of; nothing of it was run"):
        read(content, {("collections", "OrderedDict"): dict})
    assert not mark.exists()


def test_names_stand_for_what_the_caller_says():
    assert read(pickle.dumps(OrderedDict(a=1)), {("collections", "OrderedDict"): dict}) == {"a": 1}


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02\x82\x01.",  # a registered extension
        b"\x80\x02]}b.",  # the state of a list
        b"\x80\x02]K\x01\x85R.",  # a call of a list
        b"\x80\x02ccollections\nOrderedDict\n}b.",  # the state of a class itself
        b"\x80\x02K\x01Q.",  # something outside
        b"(ios\nsystem\n.",
    ],
)
def test_opcodes_that_data_has_no_need_of(content):
    with pytest.raises(InputError) as caught:
        read(content, {("collections", "OrderedDict"): unpickling.State})
    assert "a.pkl" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        pickle.dumps([1.5] * 50)[:100],
        b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.",  # claims to hold 9 exabytes
        b"]" * 100_000 + b"a" * 100_000,
    ],
)
def test_truncated_and_boastful_ones_are_a_sentence(content):
    with pytest.raises(InputError, match=r"a\.pkl is truncated or no pickle"):
        read(content)


def test_a_memo_may_claim_any_number():
    assert read(b"\x80\x02Nr\xff\xff\xff\x7f.") is None  # Python's own in C would take 32 GB for it
