"""What a machine lacks that tests need: some can be left out on a laptop, none where nobody would notice."""

import os
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """Skip the test for `reason`; in continuous integration, which sets CI, it fails."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
