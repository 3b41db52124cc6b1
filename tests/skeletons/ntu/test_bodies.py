import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.ntu_generate import FIGURE
from skelnas.skeletons.ntu.bodies import CHOICES, actors, both, first_listed, main_actor, tracks
from skelnas.skeletons.ntu.text import Bodies

FIRST = 72057594037944736  # float64 cannot tell these ids apart: their spacing there is 16


def skeleton(shift: float, width: float = 1.0) -> np.ndarray:
    """A standing person, `shift` metres to the right; float64 (25, 3)."""
    return np.column_stack([FIGURE[:, 0] * width + shift, FIGURE[:, 1], np.full(25, 3.0)])


def bodies(frames: list[list[tuple[int, np.ndarray]]]) -> Bodies:
    listed = [(number, body_id, joints) for number, frame in enumerate(frames) for body_id, joints in frame]
    return Bodies(
        len(frames),
        np.array([number for number, _, _ in listed], dtype=np.int64),
        np.array([body_id for _, body_id, _ in listed], dtype=np.uint64),
        np.array([joints for _, _, joints in listed], dtype=np.float64).reshape(-1, 25, 3),
    )


def walk(body_id: int, frames: range, speed: float, start: float = 0.0, width: float = 1.0) -> dict[int, tuple]:
    """Somebody seen in `frames`, `speed` metres further in each."""
    return {number: (body_id, skeleton(start + speed * number, width)) for number in frames}


def scene(length: int, *people: dict[int, tuple]) -> Bodies:
    return bodies([[person[number] for person in people if number in person] for number in range(length)])


def shifts(coordinates: np.ndarray) -> list[float]:
    """How far right the middle of the spine is in each frame."""
    return coordinates[1, :, 0].round(9).tolist()


def test_first_listed_goes_by_the_position_in_the_frame() -> None:
    one, two = skeleton(1), skeleton(2)
    coordinates, without = first_listed(
        bodies([[(FIRST, one), (FIRST + 2, two)], [], [(FIRST + 2, two), (FIRST, one)]])
    )
    assert coordinates.shape == (25, 3, 3)
    assert np.array_equal(coordinates[:, 0], one)
    assert not coordinates[:, 1].any()
    assert np.array_equal(coordinates[:, 2], two)
    assert without == 1


def test_main_actor_follows_the_id_wherever_it_is_listed() -> None:
    still = walk(FIRST, range(20), 0.0, start=5)
    walker = walk(FIRST + 2, range(20), 0.1)
    frames = [[still[n], walker[n]] if n % 2 else [walker[n], still[n]] for n in range(20)]
    coordinates, without = main_actor(bodies(frames))
    assert shifts(coordinates) == pytest.approx([0.1 * n for n in range(20)])
    assert without == 0


def test_a_body_that_vanishes_and_returns_keeps_its_places_in_time() -> None:
    walker = walk(FIRST, range(20), 0.1)
    seen = {number: walker[number] for number in (*range(3, 9), *range(12, 18))}
    coordinates, without = main_actor(scene(20, seen))
    expected = [0.3] * 3 + [0.1 * n for n in range(3, 18)] + [1.7, 1.7]  # stands, walks on a line over the gap, stands
    assert shifts(coordinates) == pytest.approx(expected)
    assert without == 8


def test_a_person_found_again_under_another_id_is_one_actor() -> None:
    coordinates, without = main_actor(scene(30, walk(FIRST, range(14), 0.1), walk(FIRST + 1, range(15, 30), 0.1)))
    assert shifts(coordinates) == pytest.approx([0.1 * n for n in range(30)])
    assert without == 1


def test_somebody_seen_together_with_the_actor_does_not_fill_its_gaps() -> None:
    walker = {number: body for number, body in walk(FIRST, range(30), 0.1).items() if not 10 <= number < 15}
    coordinates, _ = main_actor(scene(30, walker, walk(FIRST + 1, range(30), 0.0, start=9)))
    assert shifts(coordinates) == pytest.approx([0.1 * n for n in range(30)])


def test_short_and_wide_bodies_are_noise() -> None:
    person = walk(FIRST, range(30), 0.01)
    flash = walk(FIRST + 1, range(11), 1.0)  # 11 frames are too few, however fast it moves
    sofa = walk(FIRST + 2, range(30), 0.5, width=4.0)
    assert np.ptp(skeleton(0, 4.0)[:, 0]) > 0.8 * np.ptp(FIGURE[:, 1])
    for chosen in (actors(scene(30, flash, sofa, person), 1), actors(scene(30, flash, sofa, person), 2)):
        assert len(chosen) == 1
        assert np.array_equal(chosen[0].joints[:, 1, 0], 0.01 * np.arange(30))
    twelve = actors(scene(30, walk(FIRST + 1, range(12), 1.0), person), 1)
    assert len(twelve[0].frame) == 12


def test_a_rule_that_would_leave_nobody_is_not_applied() -> None:
    coordinates, without = main_actor(scene(5, walk(FIRST, range(1, 4), 0.1, width=4.0)))
    assert shifts(coordinates) == pytest.approx([0.1, 0.1, 0.2, 0.3, 0.3])
    assert without == 2


def test_motion_counts_sound_frames_only() -> None:
    track = tracks(scene(30, walk(FIRST, range(20), 0.1) | walk(FIRST, range(20, 30), 5.0, width=4.0)))[0]
    assert track.sound().tolist() == [True] * 20 + [False] * 10
    sound = track.joints[:20].reshape(-1, 3)
    assert track.motion() == pytest.approx(((sound - sound.mean(axis=0)) ** 2).mean(axis=0).sum())


def test_both_stacks_the_second_actor_and_leaves_it_zero_where_it_is_not() -> None:
    walker, other = walk(FIRST, range(30), 0.1), walk(FIRST + 1, range(10, 25), 0.02, start=4)
    del other[15]
    coordinates, without = both(scene(30, other, walker))
    assert coordinates.shape == (50, 30, 3)
    assert shifts(coordinates[:25]) == pytest.approx([0.1 * n for n in range(30)])
    assert shifts(coordinates[25:]) == pytest.approx([0.0] * 10 + [4 + 0.02 * n for n in range(10, 25)] + [0.0] * 5)
    assert without == 0
    alone, _ = both(scene(30, walker))
    assert not alone[25:].any()
    assert np.array_equal(alone[:25], coordinates[:25])


def test_an_id_listed_twice_in_a_frame_counts_once() -> None:
    (track,) = tracks(bodies([[(FIRST, skeleton(1)), (FIRST, skeleton(2))], [(FIRST, skeleton(3))]]))
    assert track.frame.tolist() == [0, 1]
    assert track.joints[:, 1, 0].tolist() == [1, 3]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.integers(0, 3), unique=True, max_size=4), min_size=1, max_size=40), st.randoms())
def test_whatever_comes_and_goes_nothing_moves_in_time(presence: list[list[int]], chance) -> None:
    shift = {(number, body): chance.uniform(-3, 3) for number, frame in enumerate(presence) for body in frame}
    recording = bodies(
        [[(FIRST + body, skeleton(shift[number, body])) for body in frame] for number, frame in enumerate(presence)]
    )
    main, without = main_actor(recording)
    pair, _ = both(recording)
    assert np.array_equal(pair[:25], main)
    seen = [
        number
        for number, frame in enumerate(presence)
        if any(np.array_equal(main[:, number], skeleton(shift[number, body])) for body in frame)
    ]
    assert len(seen) >= len(presence) - without  # in all other frames the actor stands where it really stood
    for choose in CHOICES.values():
        coordinates, without = choose(recording)
        assert np.isfinite(coordinates).all()
        assert sum(not frame for frame in presence) <= without <= len(presence)
