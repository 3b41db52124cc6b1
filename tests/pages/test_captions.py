"""Every figure has one text that says how to read it, for both reports."""

import re
from importlib import resources

import pytest

from skelnas.analysis.catalogue import ACROSS, ANALYSES, OF_FOLDS
from skelnas.pages import captions


@pytest.mark.parametrize("name", [name for name, one in {**ANALYSES, **ACROSS, **OF_FOLDS}.items() if one.draws])
def test_every_figure_of_the_catalogue_has_a_caption(name):
    words = captions.caption(name, {"dataset": "some_set", "recipe": "some-recipe"})
    assert len(words.split()) > 8
    assert not re.search(r"\{\{|\*\*|``|\n", words)


def test_wildcards_are_filled_in():
    assert "all cells and seeds of some_set with some-recipe." in captions.caption(
        "learning-curves", {"dataset": "some_set", "recipe": "some-recipe"}
    )


def test_no_caption_is_of_a_figure_that_is_no_more():
    known = {*ANALYSES, *ACROSS, *OF_FOLDS, "data-card", "contact-sheet", "encodings", "precision"}
    files = [path.name for path in resources.files(captions).iterdir() if path.name.endswith(".rst")]
    assert {name.removesuffix(".rst") for name in files} <= known
    assert captions.caption("nothing-of-the-kind", {}) == ""
