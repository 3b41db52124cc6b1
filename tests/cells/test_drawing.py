import xml.etree.ElementTree as ET

import pytest

from skelnas.cells import drawing, space

SVG = "{http://www.w3.org/2000/svg}"


def test_lines_lead_from_source_to_target_and_name_what_is_idle():
    cell = space.of_digits((3, 1, 0, 4, 0, 0))  # what arrives at nodes 1 and 2 goes no further
    assert drawing.lines(cell) == [
        "in    1     2     out",
        "├────▶│     │     │   nor_conv_3x3 no effect on the output",
        "├──────────▶│     │   skip_connect no effect on the output",
        "│     ├╌╌╌╌▶│     │   none",
        "├────────────────▶│   avg_pool_3x3",
        "│     ├╌╌╌╌╌╌╌╌╌╌▶│   none",
        "│     │     ├╌╌╌╌▶│   none",
    ]
    assert drawing.lines(cell, "ascii")[3] == "|     |....>|     |   none"


@pytest.mark.parametrize("index", [0, 1651, 1835, 9_999])
def test_the_svg_has_every_node_and_edge(index):
    root = ET.fromstring(drawing.svg(space.cell(index), f"cell <{index}>"))
    assert len(root.findall(f"{SVG}circle")) == 4
    assert len(root.findall(f"{SVG}path")) == 6
    words = [text.text for text in root.findall(f"{SVG}text")]
    assert words[0] == f"cell <{index}>"
    drawn = [drawing.SHORT[space.OPERATIONS[digit]] for digit in space.cell(index) if digit]
    assert sorted(words[1:]) == sorted([*drawn, *drawing.NODE_NAMES])
