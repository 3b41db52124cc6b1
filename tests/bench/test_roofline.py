"""FLOP and bytes by hand, and against the totals published in the project's performance notes."""

import numpy as np
import pytest

from bench.roofline import Moves, Shape, eager_moves, epoch_bytes, epoch_flop, ideal_moves
from skelnas.cells import space
from skelnas.cells.cost import macs
from skelnas.cells.edges import pruned

UTD = Shape(20, 68, classes=27, batch_size=32, train=323, valid=108, test=430)
NTU = Shape(28, 84, classes=60, batch_size=256, train=27_561, valid=12_530, test=16_487)
SKIPS, CONVOLUTIONS = space.cell(1835), space.cell(1462)
# (3x3, skip | 1x1, pool | none, 1x1) on edges 01 | 02 12 | 03 13 23.
MEAN = (space.CONV3, space.SKIP, space.CONV1, space.POOL, space.NONE, space.CONV1)


def test_steps_count_the_ragged_batch():
    assert (UTD.steps, NTU.steps) == (11, 108)


def test_flop_of_an_epoch_by_hand():
    # 10,337,755 multiply-accumulates forward, of them 432 x 1,360 in the stem.
    trained = 323 * (3 * 10_337_755 - 587_520)
    assert epoch_flop(SKIPS, UTD) == 2 * (trained + 538 * 10_337_755)


def test_moves_of_the_skip_cell_by_hand():
    # Eager: sums of 1, 2 and 3 terms; two and one additions of gradients.
    assert eager_moves(SKIPS) == Moves(2 + 5 + 8, 6 + 3, 2 + 5 + 8)
    # Ideal: node 1 is a copy of node 0; nodes 2 and 3 read two and three terms and are written.
    assert ideal_moves(SKIPS) == Moves(3 + 4, 6 + 3, 3 + 4)


def test_moves_of_a_mixed_cell_by_hand():
    assert eager_moves(MEAN) == Moves(3 * 7 + 4 + 15, 3 * 12 + 4 + 9, 3 * 6 + 4 + 15)
    # Nodes read 1, 2 and 2 terms; all three hold a convolution. Nodes 0, 1, 2 hand gradients back.
    forward = 3 * 2 + (2 + 3 + 3)
    backward = 3 * 5 + (3 + 3) + 1 + 2 + 3
    assert ideal_moves(MEAN) == Moves(forward, backward, 8)


def test_a_cell_without_operations_moves_nothing():
    nothing = (space.NONE,) * 6
    assert ideal_moves(nothing) == Moves(0, 0, 0)
    assert epoch_bytes(nothing, UTD, "bf16") < epoch_bytes(SKIPS, UTD, "bf16")


def test_half_the_width_is_half_the_bytes_of_activations():
    state = 4 * 6 * 1_532_651 * 11
    full, half = (epoch_bytes(CONVOLUTIONS, UTD, precision) - state for precision in ("fp32", "bf16"))
    assert full == 2 * half


@pytest.fixture(scope="module")
def cells():
    return space.all_cells()


def mean_moves(moves: list[Moves]) -> list[float]:
    return [float(np.mean([getattr(one, part) for one in moves])) for part in ("forward", "backward", "evaluation")]


def test_mean_moves_are_the_published_ones(cells):
    assert mean_moves([eager_moves(cell) for cell in cells]) == pytest.approx([36.6, 42.6, 34.2], abs=0.05)
    assert mean_moves([ideal_moves(cell) for cell in cells]) == pytest.approx([11.7, 22.6, 6.9], abs=0.05)
    live = [ideal_moves(pruned(cell)) for cell in cells]
    assert mean_moves(live) == pytest.approx([10.0, 19.3, 5.9], abs=0.05)


def test_totals_of_the_studies_are_the_published_ones(cells):
    assert np.mean([macs(cell, 20, 68, 27) for cell in cells]) == pytest.approx(73.01e6, rel=1e-4)
    assert np.mean([macs(cell, 28, 84, 60) for cell in cells]) == pytest.approx(126.26e6, rel=1e-4)
    assert 600 * sum(epoch_flop(cell, UTD) for cell in cells) == pytest.approx(2.06e18, rel=0.003)
    assert 200 * sum(epoch_flop(cell, NTU) for cell in cells) == pytest.approx(8.81e19, rel=0.003)


@pytest.mark.parametrize(
    ("shape", "trainings_per_cell", "precision", "ideal", "live", "hours"),
    [
        (UTD, 3, "fp32", False, False, 22.1),
        (UTD, 3, "bf16", True, False, 3.8),
        (UTD, 3, "bf16", True, True, 3.3),
        (NTU, 1, "fp32", False, False, 918),
        (NTU, 1, "bf16", True, False, 168),
        (NTU, 1, "bf16", True, True, 145),
    ],
)
def test_hours_of_the_studies_at_the_h200s_bandwidth(cells, shape, trainings_per_cell, precision, ideal, live, hours):
    total = sum(epoch_bytes(pruned(cell) if live else cell, shape, precision, ideal) for cell in cells)
    assert 200 * trainings_per_cell * total / 4.3e12 / 3600 == pytest.approx(hours, rel=0.015)
