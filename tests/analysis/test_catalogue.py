import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from skelnas.analysis import catalogue

REPORT = Path(__file__).resolve().parents[2] / "src/skelnas/pages/captions"


@pytest.mark.parametrize("name", catalogue.ANALYSES)
def test_every_row_names_a_module_that_keeps_the_contract(name):
    row = catalogue.ANALYSES[name]
    module = importlib.import_module(f"skelnas.analysis.{row.module}")
    assert row.theme in catalogue.THEMES
    assert list(inspect.signature(module.tabulate).parameters) == ["benchmark", "summary"]
    assert list(inspect.signature(module.finding).parameters) == ["table", "facts"]
    assert row.draws == hasattr(module, "draw")
    assert not row.draws or list(inspect.signature(module.draw).parameters) == ["table", "facts"]


@pytest.mark.parametrize("name", catalogue.FIGURES)
def test_every_figure_has_its_caption(name):
    assert (REPORT / f"{name}.rst").read_text().strip()


def test_names_of_files():
    assert catalogue.ANALYSES["noise"].files("noise") == ["noise.csv", "noise.png", "noise.svg"]
    assert catalogue.ANALYSES["ranking"].files("ranking") == ["ranking.csv"]


def test_the_names_alone_import_nothing_that_draws():
    code = "import sys, skelnas.analysis.catalogue; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"matplotlib", "pandas", "h5py", "numpy"} & set(loaded)
