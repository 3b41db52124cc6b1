"""Finished studies that several tests look at."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from .checkout import UTD_MHAD, Checkout


@pytest.fixture(scope="session")
def new_utd_mhad(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Callable[[], Checkout]:
    """Makes checkouts that train three cells on the real recordings, taken from this machine, as the README says."""

    def make() -> Checkout:
        checkout = Checkout.make(tmp_path_factory.mktemp("utd_mhad"))
        source = {"file": "utd_mhad/Skeleton.zip", "url": str(real_data / "utd_mhad/Skeleton.zip")}
        local = {"datasets": {"utd_mhad": {"sources": [source]}}}
        (checkout.folder / "local.yaml").write_text(yaml.safe_dump(local))
        return replace(checkout, options=("--configfile", str(UTD_MHAD), "local.yaml"))

    return make


@pytest.fixture(scope="session")
def utd_mhad(new_utd_mhad: Callable[[], Checkout]) -> Checkout:
    """A finished study of three cells on the real recordings; read it, and change only copies of it."""
    checkout = new_utd_mhad()
    checkout.snakemake("utd_mhad")
    return checkout
