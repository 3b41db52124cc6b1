"""Peaks, basins and passes against brute force on the definitions."""

import numpy as np
import pytest

from skelnas.analysis.landscape.optima import local_optima
from skelnas.analysis.landscape.peaks import maxima, peaks
from skelnas.cells import grid

INDICES = np.arange(15625)


def landscape(seed: int, levels: int) -> np.ndarray:
    """Smooth enough for few peaks; with few levels, plateaus."""
    random = np.random.default_rng(seed)
    value = sum(random.normal(size=[5 if axis == edge else 1 for axis in range(6)]) for edge in range(6))
    for one in range(5):
        value = value + 0.9 * random.normal(size=[5 if axis in (one, one + 1) else 1 for axis in range(6)])
    flat = np.broadcast_to(value, grid.SHAPE).ravel()
    return np.round((flat - flat.min()) / np.ptp(flat) * levels)


def test_neighbours_differ_on_one_edge():
    digits = np.stack(np.unravel_index(np.arange(15625), grid.SHAPE), axis=1)
    for place in (0, 7, 15624):
        around = grid.neighbours()[place]
        assert len(set(around)) == 24
        assert ((digits[around] != digits[place]).sum(axis=1) == 1).all()


@pytest.mark.parametrize(("seed", "levels"), [(0, 10**6), (1, 40), (2, 12)])
def test_against_the_definitions(seed, levels):
    flat = landscape(seed, levels)
    table, around = peaks(flat), grid.neighbours()
    cells = grid.cells_of_places()
    where = {int(cell): place for place, cell in enumerate(cells)}
    # A peak: everything that can be reached over cells of equal height, and nothing higher beside it.
    found = set()
    for place in np.flatnonzero((flat[around] <= flat[:, None]).all(axis=1)):
        reached, waiting = {int(place)}, [int(place)]
        while waiting:
            here = waiting.pop()
            equal = {int(other) for other in around[here] if flat[other] == flat[here]} - reached
            reached |= equal
            waiting += equal
        if all((flat[around[one]] <= flat[place]).all() for one in reached):
            found.add((min(int(cells[one]) for one in reached), len(reached), flat[place]))
    assert set(zip(table["cell"], table["cells"], table["accuracy"], strict=True)) == found
    assert table["basin"].sum() == 15625
    # A pass: the highest level on which a peak and something better are connected.
    for row in table.to_dict("records"):
        if row["parent"] < 0:
            assert row["accuracy"] == flat.max()
            continue
        level, start = row["pass"], where[row["cell"]]
        assert connected(flat, around, start, level) >= row["accuracy"]
        assert where[row["parent"]] in reach(flat, around, start, level)
        above = flat[flat > level].min(initial=np.inf)
        assert connected(flat, around, start, above) == row["accuracy"]
        inside = reach(flat, around, start, above)
        assert all(flat[one] < row["accuracy"] or cells[one] >= row["cell"] for one in inside)


def reach(flat, around, start, level):
    reached, waiting = {start}, [start]
    while waiting:
        new = {int(other) for other in around[waiting.pop()] if flat[other] >= level} - reached
        reached |= new
        waiting += new
    return reached


def connected(flat, around, start, level):
    return max(flat[one] for one in reach(flat, around, start, level))


def test_steepest_ways_up():
    flat = landscape(3, 10**9)
    table, around = peaks(flat), grid.neighbours()
    ends = np.arange(len(flat))
    for place in range(len(flat)):
        here = place
        while flat[around[here]].max() > flat[here]:
            here = int(around[here][flat[around[here]].argmax()])
        ends[place] = here
    basins = np.bincount(ends, minlength=len(flat))
    assert {int(grid.cells_of_places()[top]): int(basins[top]) for top in np.flatnonzero(basins)} == dict(
        zip(table["cell"], table["basin"], strict=True)
    )


def test_strict_and_weak():
    flat = np.zeros(15625)
    flat[[5, 6, 500]] = 1, 1, 2  # 5 and 6 are neighbours
    strict, weak = maxima(flat)
    assert np.flatnonzero(strict).tolist() == [500]
    assert weak[[5, 6, 500]].all()
    assert not weak[grid.neighbours()[500]].any()


def test_seeds_that_agree():
    flat = landscape(4, 10**9)
    values = flat[grid.places_of(INDICES)]
    other = landscape(5, 10**9)[grid.places_of(INDICES)]
    gap = np.where(INDICES == 3, np.nan, values)
    table = local_optima(INDICES, values, np.stack([values, other, gap], axis=1))
    assert (table["seeds_tested"] == 2).all()
    also = maxima(other[np.argsort(grid.places_of(INDICES))])[1][grid.places_of(table["cell"].to_numpy())]
    assert (table["seeds_agreeing"] == 1 + also).all()


def test_no_optimum_without_all_neighbours():
    values = np.random.default_rng(0).random(15625)
    values[7] = np.nan
    assert local_optima(INDICES, values, values[:, None]).empty
    assert local_optima(INDICES[:200], values[:200], values[:200, None]).empty
    assert local_optima(INDICES, np.ones(15625), np.ones((15625, 1))).empty
