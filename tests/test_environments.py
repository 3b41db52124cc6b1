"""The lock, pyproject.toml and the conda environments name the same things in the same versions."""

import itertools
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
LOCK = dict(
    line.split("==") for line in (ROOT / "requirements.lock").read_text().splitlines() if line and line[0] != "#"
)
PYPI_NAMES = {"matplotlib-base": "matplotlib", "pytorch": "torch"}


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.name)
def test_conda_environment_has_the_locked_versions(path):
    pins = dict(pin.split("=") for pin in yaml.safe_load(path.read_text())["dependencies"])
    assert pins.pop("python") == "3.11"
    assert pins == {name: LOCK[PYPI_NAMES.get(name, name)] for name in pins}


def test_lock_has_every_direct_requirement_and_no_local_build():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    assert {re.split(r"[<>=\[]", requirement)[0].lower() for requirement in direct} <= LOCK.keys()
    assert [name for name, version in LOCK.items() if "+" in version] == []


def test_together_the_environments_hold_every_requirement_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = set()
    for path in (ROOT / "envs").glob("*.yaml"):
        found |= {
            PYPI_NAMES.get(pin.split("=")[0], pin.split("=")[0])
            for pin in yaml.safe_load(path.read_text())["dependencies"]
        }
    assert found - {"python"} == set(project["dependencies"])
