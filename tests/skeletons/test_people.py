import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skelnas.skeletons.people import chosen, tracks_by_nearness, tracks_by_number


def walker(start: float, speed: float, frames: int = 10) -> np.ndarray:
    pose = np.ones((frames, 4, 3)) * start
    pose[:, :, 0] += speed * np.arange(frames)[:, None] + np.arange(4)
    return pose


@given(st.lists(st.booleans(), min_size=10, max_size=10), st.sets(st.integers(1, 8), max_size=4))
def test_whoever_is_nearest_is_the_same_person(turned: list[bool], alone: set[int]) -> None:
    first, second = walker(0.5, 0.1), walker(30, -0.1)
    frames = []
    for time in range(10):
        people = [first[time], second[time]] if time not in alone else [second[time]]
        frames.append(np.array(people[::-1] if turned[time] else people))
    tracks = tracks_by_nearness(frames)
    low, high = sorted(tracks, key=lambda track: np.nanmean(track))
    there = [time for time in range(10) if time not in alone]
    assert np.array_equal(low[there], first[there])
    assert np.isnan(low[sorted(alone)]).all()
    assert np.array_equal(high, second)


def test_a_number_counts_more_than_nearness() -> None:
    first, second = walker(0, 1), walker(9, -1)  # they cross
    tracks = tracks_by_number(list(np.stack([first, second], axis=1)), [[7, 2**57 + 2]] * 10)
    assert np.array_equal(tracks, [first, second])


def test_who_is_drawn() -> None:
    still, moving = walker(5, 0), walker(1, 1)
    tracks = np.array([still, moving])
    tracks[0, :3] = np.nan
    assert np.array_equal(chosen(tracks, "main-actor"), moving.transpose(1, 0, 2))
    stacked = chosen(tracks, "stacked")
    assert np.array_equal(stacked[:4], moving.transpose(1, 0, 2))
    assert np.isnan(stacked[4:, :3]).all()
    mean = chosen(tracks, "averaged")
    assert np.array_equal(mean[:, :3], moving.transpose(1, 0, 2)[:, :3])
    assert np.allclose(mean[:, 3:], ((still + moving) / 2).transpose(1, 0, 2)[:, 3:])
    assert np.isnan(chosen(tracks[1:], "stacked")[4:]).all()
