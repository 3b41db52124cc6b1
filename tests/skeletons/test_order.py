from hypothesis import given
from hypothesis import strategies as st

from skelnas.skeletons.recording import natural_key


def test_numbers_count_as_numbers():
    names = ["a10_s1", "a2_s10", "a2_s9", "a1_s1", "b", "10", "9"]
    assert sorted(names, key=natural_key) == ["9", "10", "a1_s1", "a2_s9", "a2_s10", "a10_s1", "b"]


@given(st.text(), st.text())
def test_any_two_names_have_one_order(first, second):
    keys = natural_key(first), natural_key(second)
    assert (keys[0] < keys[1]) + (keys[0] > keys[1]) + (first == second) == 1


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_padding_does_not_change_the_order(first, second):
    if first < second:
        assert natural_key(f"a{first}.mat") < natural_key(f"a{second:09d}.mat")
