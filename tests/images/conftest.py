"""The small image set of the tests."""

import pytest

from skelnas.images.image_set import ImageSet

from .small import small


@pytest.fixture(scope="session")
def image_set() -> ImageSet:
    """Three classes of four subjects, 8 x 12 pixels."""
    return small()
