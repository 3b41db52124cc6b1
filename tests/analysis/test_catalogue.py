import subprocess
import sys
from pathlib import Path

import pytest

from skelnas.analysis import catalogue

REPORT = Path(__file__).resolve().parents[2] / "workflow/report"


@pytest.mark.parametrize("name", catalogue.ANALYSES)
def test_every_row_names_functions_that_are_there(name):
    assert name in catalogue.FIGURES or name in catalogue.TABLES
    assert name not in catalogue.FIGURES or callable(catalogue.figure(name))
    assert name not in catalogue.TABLES or callable(catalogue.table(name))


@pytest.mark.parametrize("name", catalogue.FIGURES)
def test_every_figure_has_its_caption(name):
    assert (REPORT / f"{name}.rst").read_text().strip()


def test_names_of_files():
    assert catalogue.ANALYSES["rank-agreement"].files("rank-agreement") == [
        "rank-agreement.png",
        "rank-agreement.svg",
        "rank-agreement.csv",
    ]
    assert catalogue.ANALYSES["noise"].files("noise") == ["noise.csv"]


def test_the_names_alone_import_nothing_that_draws():
    code = "import sys, skelnas.analysis.catalogue; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"matplotlib", "pandas", "h5py", "numpy"} & set(loaded)
