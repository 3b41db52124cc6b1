import pandas as pd

from skelnas.analysis.selection.ranking import ranking


def test_equal_cells_share_a_rank():
    table = ranking(pd.DataFrame({"index": [5, 2, 9, 1], "test_top1": [50.0, 70.0, 70.0, 10.0]}))
    assert table["index"].tolist() == [2, 9, 5, 1]
    assert table["rank"].tolist() == [1, 1, 3, 4]
