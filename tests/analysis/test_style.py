import pytest
from PIL import Image

from skelnas.analysis.style import INK, headline, ink_on, new_figure, save_figure, style
from skelnas.errors import InputError


def drawn():
    with style():
        figure = new_figure(4, 3)
        figure.subplots().plot([1, 2, 3], [3, 1, 2])
        headline(figure, "A title", "12 cells  ·  seed 777 " * 8)
    return figure


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_same_figure_is_the_same_file(tmp_path, ending):
    save_figure(drawn(), tmp_path / f"a.{ending}")
    save_figure(drawn(), tmp_path / f"b.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{ending}", f"b.{ending}"]


def test_the_last_bits_of_the_layout_do_not_matter(tmp_path):
    figure = drawn()
    save_figure(figure, tmp_path / "a.svg")
    edges = figure.axes[0].get_position().get_points()
    assert (edges == edges.round(6)).all()
    save_figure(figure, tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "a.svg").read_bytes()


def test_size_is_that_of_the_figure(tmp_path):
    save_figure(drawn(), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (640, 480)


def test_long_facts_are_wrapped_and_stay_inside():
    figure = drawn()
    figure.draw_without_rendering()
    facts = figure.texts[1]
    assert "\n" in facts.get_text()
    assert facts.get_window_extent().x1 <= figure.bbox.x1
    assert figure.axes[0].get_tightbbox().y1 <= facts.get_window_extent().y0


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"as \.svg or \.png"):
        save_figure(drawn(), tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())


def test_letters_are_white_on_dark_fields():
    assert [ink_on(value, 10, 20) for value in (10, 15, 16, 20)] == ["white", "white", INK, INK]
    assert [ink_on(value, 20, 10) for value in (10, 15, 16, 20)] == [INK, INK, "white", "white"]
    assert ink_on(3, 3, 3) == "white"
