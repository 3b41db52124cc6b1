"""`snakemake` without a target builds the study that the configuration names, from either Snakefile."""

from pathlib import Path

import pytest

from .checkout import Checkout

pytestmark = pytest.mark.workflow


def test_no_target_is_the_study_of_the_configuration(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path)
    wanted = checkout.plan("demo")
    assert wanted["train"] > 1
    assert checkout.plan(flags=["--config", "study=demo"]) == wanted
    inner = checkout.plan(flags=["--snakefile", "workflow/Snakefile"])
    assert {name: count for name, count in inner.items() if name not in ("total", "study_of_config")} == {
        name: count for name, count in wanted.items() if name not in ("total", "demo")
    }
