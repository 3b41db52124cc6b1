"""Each profile of `skelnas profile` on a site that refuses what this kind of site refuses, from sbatch to the step."""

import subprocess
import sys
from pathlib import Path

import pytest

from ..workflow.checkout import Checkout
from .conftest import Call
from .fake_slurm import Site
from .kinds import KINDS
from .test_sbatch import submitted

pytestmark = pytest.mark.workflow
DOCS = (Path(__file__).resolve().parents[2] / "docs/cluster.md").read_text()


@pytest.mark.parametrize("name", KINDS)
def test_kind(name: str, tmp_path: Path, checkout: Checkout, snakemake: Call) -> None:
    kind = KINDS[name]
    values = {"refuses": list(kind.refuses), "banner": kind.banner, "sinfo": kind.sinfo, "accounts": kind.accounts}
    site = Site(tmp_path / "site", **values)
    before = snakemake(site, "slurm", "--", "logs/preflight/tiny.json")
    [tried] = site.lines("sbatch")[:1]
    assert (before.returncode == 0) == kind.takes_shipped
    assert kind.takes_shipped or submitted(site) == 0
    assert kind.takes_shipped or "this site would refuse the job: " in before.stderr

    made = [sys.executable, "-m", "skelnas", "profile", name]
    subprocess.run(made, cwd=checkout.folder, check=True, capture_output=True)
    site = Site(tmp_path / "again", **values)
    after = snakemake(site, f"slurm-{name}", "--forcerun", "preflight_login", "--", "logs/preflight/tiny.json")
    assert after.returncode == 0, after.stdout + after.stderr
    _, submission = site.lines("sbatch")
    [step] = site.lines("srun")
    print(f"\n{name}\n  {tried.replace(' --test-only', '')}\n  {submission}\n  {step}")
    for line in (submission, step):
        assert line in DOCS
