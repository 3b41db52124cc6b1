"""The whole thesis as a plan."""

import time
from pathlib import Path

import pytest

from .checkout import Checkout

pytestmark = pytest.mark.workflow


def test_thesis_is_585_trainings_and_a_few_local_jobs(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    checkout = Checkout.make(tmp_path)
    begun = time.monotonic()
    plan = checkout.plan("thesis")
    seconds = time.monotonic() - begun
    with capsys.disabled():
        print(f"\nsnakemake -n thesis: {plan['total']} jobs in {seconds:.1f} s")
    assert plan["train"] == 585
    assert plan["total"] - plan["train"] <= 140  # an analysis of three benchmarks is three
    assert seconds < 60
