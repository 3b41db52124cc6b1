import io

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import FancyArrowPatch

from skelnas.analysis.cell_drawing import COLOURS, FAINT, draw_cell
from skelnas.cells.space import EDGES, OPERATIONS, cell


def arrows(digits):
    axes = Figure().subplots()
    draw_cell(axes, digits)
    return [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]


def test_edges_have_their_operations_colours():
    for digits in (cell(0), cell(9), cell(123)):
        drawn = arrows(digits)
        assert len(drawn) == len(EDGES)
        assert [to_hex(patch.get_edgecolor()).upper() for patch in drawn] == [COLOURS[OPERATIONS[d]] for d in digits]


def test_edges_without_effect_are_faint():
    # Index 9: 0>1 is a pool that leads nowhere, 0>3 a skip, 2>3 a convolution of zero, the others none.
    opacity = [patch.get_alpha() for patch in arrows(cell(9))]
    assert opacity[3] == 1
    assert opacity[0] == FAINT
    assert FAINT < opacity[5] < 1
    assert max(opacity[1], opacity[2], opacity[4]) < opacity[5]
    solid = [patch.get_linestyle() == "solid" for patch in arrows(cell(9))]
    assert solid == [False, False, False, True, False, False]


def test_the_picture_shows_the_colours_and_nothing_is_cut_off():
    stream = io.BytesIO()
    figure = Figure(figsize=(4.4, 2.5), layout="constrained")
    draw_cell(figure.subplots(), (3, 2, 3, 1, 4, 3), "all operations")
    figure.savefig(stream, format="png", dpi=100)
    stream.seek(0)
    pixels = np.round(imread(stream)[..., :3] * 255).astype(int)
    for operation in OPERATIONS[1:]:
        colour = [int(COLOURS[operation][start : start + 2], 16) for start in (1, 3, 5)]
        assert (np.abs(pixels - colour).sum(axis=2) < 6).sum() > 50, operation
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    assert (border == 255).all()
