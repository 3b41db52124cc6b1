"""A study of a benchmark that others trained, from the package to the archive."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from .checkout import Checkout

pytestmark = pytest.mark.workflow
CONFIG = {
    "study": "others",
    "datasets": {},
    "recipes": {"e2": {"epochs": 2, "batch-size": 256}},
    "studies": {
        "others": {
            "imports": [{"importer": "nasbench201", "dataset": "cifar100", "recipe": "e2"}],
            "analyses": ["ranking", "learning-curves"],
        }
    },
}


def test_a_study_of_imports(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path, CONFIG)
    checkout.snakemake("others")
    made = {str(path.relative_to(tmp_path)) for path in (tmp_path / "results").rglob("*.*")}
    folder = "others/cifar100/e2"
    assert made == {
        *(f"results/benchmark/{folder}{end}" for end in (".h5", ".parquet", ".timing.parquet")),
        f"results/analysis/{folder}/ranking.csv",
        *(f"results/analysis/{folder}/learning-curves{end}" for end in (".csv", ".png", ".svg")),
        *(f"results/{page}/others.html" for page in ("explorer", "report")),
        "results/datasheet/others.md",
        "results/archive/others.zip",
    }
    assert pd.read_csv(tmp_path / f"results/analysis/{folder}/ranking.csv")["index"][0] == 9930
    assert checkout.plan("others") == {}
    command = [sys.executable, "-m", "skelnas", "verify", "results/archive/others.zip"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "others.zip" in said
