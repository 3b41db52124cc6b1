import numpy as np
import pytest

from skelnas.analysis.data.card import data_card
from skelnas.analysis.style import save_figure


@pytest.mark.parametrize("classes", [5, 40])
def test_the_card_counts_recordings_by_class_and_subject(classes, build, texts):
    image_set, said = build(classes)
    figure = data_card(image_set, said)
    by_class, by_subject = figure.axes[:2]
    assert len(by_class.patches) == 3 * classes
    assert len(by_subject.patches) == 3 * 6
    sizes = [
        max(bar.get_width(), bar.get_height()) if classes == 40 else bar.get_width() for bar in by_class.patches[:2]
    ]
    assert sizes == [3, 2]  # one training recording of the second class is excluded
    heights = np.array([bar.get_height() for bar in by_subject.patches]).reshape(3, 6)
    c = classes
    assert heights.tolist() == [[c, c - 1, c, 0, 0, 0], [0, 0, 0, c, 0, 0], [0, 0, 0, 0, c, c]]
    written = "\n".join(texts(figure))
    assert f"train ({3 * c - 1})" in written
    assert "3 frames in 1 recording" in written
    assert "2 x  named missing\n1 x  x.zip: … is truncated at line …" in written
    assert f"{6 * c - 1} recordings, encoding swap-axes, 4 x 16 pixels" in written


def test_equal_sets_give_equal_files(few, tmp_path):
    for ending in ("png", "svg"):
        for name in ("one", "two"):
            save_figure(data_card(*few), tmp_path / f"{name}.{ending}")
        assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"two.{ending}").read_bytes()
