"""What a machine lacks is noticed where it counts."""

import pytest

from .lacking import lacking


def test_a_test_is_skipped_on_a_laptop_and_fails_in_continuous_integration(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="a browser"):
        lacking("a browser")
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="a browser"):
        lacking("a browser")
