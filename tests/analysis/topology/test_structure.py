import numpy as np
import pandas as pd
import pytest

from skelnas.analysis.topology.structure import by_operation_and_edge, structure, structure_by_rank
from skelnas.cells import space
from skelnas.results.summary import EDGE_COLUMNS


def summary_of(cells, accuracy):
    table = pd.DataFrame({"index": cells, "test_top1": accuracy})
    for edge, name in enumerate(EDGE_COLUMNS):
        table[name] = [space.OPERATIONS[space.cell(cell)[edge]] for cell in cells]
    return table


def test_over_all_cells_every_operation_is_on_every_edge_equally_often():
    cells = list(range(space.CELLS))
    accuracy = [float(space.cell(cell)[4]) for cell in cells]  # depends on the operation on edge 1>3 alone
    table = by_operation_and_edge(summary_of(cells, accuracy)).set_index(["operation", "edge"])
    assert len(table) == 30
    assert (table["cells"] == 3125).all()
    for digit, operation in enumerate(space.OPERATIONS):
        assert table.loc[(operation, "1>3"), "mean"] == digit
        assert table.loc[(operation, "1>3"), "std"] == 0
        assert table.loc[(operation, "0>3"), "mean"] == pytest.approx(2)


def test_an_operation_that_no_cell_has_is_missing():
    table = by_operation_and_edge(summary_of([1462], [80.0])).set_index(["operation", "edge"])
    assert table.loc[("nor_conv_3x3", "0>1"), ["cells", "mean"]].tolist() == [1, 80.0]
    assert table.loc[("none", "0>1"), "cells"] == 0
    assert np.isnan(table.loc[("none", "0>1"), "mean"])


def test_structure_of_known_cells():
    table = structure(np.array([1651, 1835, 1462, 11472]))  # all none, all skip, all 3x3, ResNet's
    assert table["connected"].tolist() == [False, True, True, True]
    assert table["skip_path"].tolist() == [False, True, False, True]
    assert table["convolution_depth"].tolist() == [0, 0, 3, 2]
    assert table["live_nor_conv_3x3"].tolist() == [0, 0, 6, 2]
    assert table["live_skip_connect"].tolist() == [0, 6, 0, 2]


def test_groups_by_rank():
    ranked = pd.DataFrame({"index": [1462] * 10 + [1835] * 90, "test_top1": [90.0] * 10 + [50.0] * 90})
    table = structure_by_rank(ranked).set_index("group")
    assert table["cells"].to_dict() == {"best 1%": 1, "best 10%": 10, "all": 100, "worst 10%": 10, "worst 1%": 1}
    assert table.loc["best 10%", "convolution_depth"] == 3
    assert table.loc["all", ["test_top1", "skip_path"]].tolist() == [54.0, 0.9]
    assert table.loc["worst 1%", "skip_path"] == 1
