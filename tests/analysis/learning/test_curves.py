import numpy as np

from skelnas.analysis.learning.curves import mean_curves


def test_mean_curves_average_cells_and_seeds():
    curves = np.array([[[10.0, 20.0], [30.0, 40.0]], [[50.0, 60.0], [70.0, 100.0]]])  # 2 cells, 2 seeds, 2 epochs
    table = mean_curves(curves, (777, 888))
    assert table["epoch"].tolist() == [1, 2]
    assert table["mean"].tolist() == [40.0, 55.0]
    assert table["mean_seed777"].tolist() == [30.0, 40.0]
    assert table["mean_seed888"].tolist() == [50.0, 70.0]
    assert table["median"].tolist() == [40.0, 55.0]  # between the cells' seed means 20 and 60, 30 and 80
    assert table["q25"].tolist() == [30.0, 42.5]


def test_a_diverged_loss_does_not_spoil_the_mean_of_the_others():
    curves = np.array([[[1.0, 2.0]], [[3.0, np.inf]]])
    assert mean_curves(curves, (777,))["mean"].tolist() == [2.0, 2.0]
