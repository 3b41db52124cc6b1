import numpy as np
import pytest

from skelnas.cells import cost
from skelnas.cells.space import all_cells, cell, parse
from skelnas.errors import InputError


def test_every_row_of_the_original_counter(oracle):
    rows = oracle("net_oracle")["rows"]
    assert len(rows) == 50
    for row in rows:
        _, _, height, width = row["shape"]
        assert parse(row["arch"]) == cell(row["index"])
        assert cost.parameters(cell(row["index"]), row["classes"]) == row["params_exact"]
        assert cost.macs(cell(row["index"]), height, width, row["classes"]) == row["flops_exact"]


def test_all_cells_at_once_equal_one_by_one():
    parameters, macs = cost.costs(classes=27, height=20, width=68)
    assert parameters.dtype == macs.dtype == np.int64
    assert parameters.shape == macs.shape == (15_625,)
    for index in range(0, 15_625, 997):
        assert parameters[index] == cost.parameters(all_cells()[index], 27)
        assert macs[index] == cost.macs(all_cells()[index], 20, 68, 27)
    # recipe.md, section 8: the mean forward pass of the space.
    assert macs.mean() / 1e6 == pytest.approx(73.01, abs=0.005)


@pytest.mark.parametrize(("height", "width"), [(25, 68), (20, 66), (0, 68), (20, -4)])
def test_sizes_that_cannot_be_halved_twice_are_refused(height, width):
    with pytest.raises(InputError, match=f"{height} x {width} cannot be halved twice: .* multiples of 4"):
        cost.macs(cell(0), height, width, 27)
