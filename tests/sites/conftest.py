"""A folder in which snakemake runs through a profile on a site of fakes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ..workflow.checkout import IMPATIENT, SYNTHETIC, Checkout
from .fake_slurm import Site

CONFIG = {
    "study": "tiny",
    "datasets": {"synthetic": SYNTHETIC},
    "recipes": {"e1": {"epochs": 1, "batch-size": 32}},
    "studies": {
        "tiny": {"runs": [{"dataset": "synthetic", "recipe": "e1", "seeds": [1], "cells": "0", "cells-per-shard": 1}]}
    },
    "training": {"device": "cpu"},
}
QUIET = ("--quiet", "rules", "progress", "host")  # as `make preflight` calls it
QUICK = ("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5")
Call = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A folder where nothing has been done yet."""
    return Checkout.make(tmp_path, CONFIG)


@pytest.fixture
def snakemake(checkout: Checkout) -> Call:
    """Calls snakemake on a site, through a profile; returns exit status and both streams."""

    def call(site: Site, profile: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", IMPATIENT, "--profile", profile, *QUIET, *QUICK, *arguments]
        return subprocess.run(
            command,
            cwd=checkout.folder,
            env=site.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return call
