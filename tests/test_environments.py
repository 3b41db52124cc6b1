"""The lock, pyproject.toml and the conda environments name the same things in the same versions."""

import itertools
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
LOCK = dict(
    re.findall(
        r"^([a-z0-9.-]+)==([^\s]+)", (ROOT / "requirements.lock").read_text() + (ROOT / "torch.lock").read_text(), re.M
    )
)
PYPI_NAMES = {"matplotlib-base": "matplotlib", "pytorch": "torch"}


def direct(project: dict) -> list[str]:
    """What pyproject.toml asks for, extras included, less the package's own extras."""
    everything = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    return [one for one in everything if not one.startswith("skelnas[")]


def test_every_package_of_the_lock_has_checksums_and_torch_has_none():
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / "requirements.lock").read_text(), flags=re.M)[1:]
    assert len(blocks) > 90
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert "hash=" not in (ROOT / "torch.lock").read_text()


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.name)
def test_conda_environment_has_the_locked_versions(path):
    pins = dict(pin.split("=") for pin in yaml.safe_load(path.read_text())["dependencies"])
    assert pins.pop("python") == "3.11"
    assert pins == {name: LOCK[PYPI_NAMES.get(name, name)] for name in pins}


def test_lock_has_every_direct_requirement_and_no_local_build():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {re.split(r"[<>=]", one)[0].lower().replace(".", "-") for one in direct(project)} <= LOCK.keys()
    assert [name for name, version in LOCK.items() if "+" in version] == []


def test_together_the_environments_hold_every_requirement_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = set()
    for path in (ROOT / "envs").glob("*.yaml"):
        found |= {
            PYPI_NAMES.get(pin.split("=")[0], pin.split("=")[0])
            for pin in yaml.safe_load(path.read_text())["dependencies"]
        }
    at_run_time = {"archive", "recordings", "figures", "train"}
    needed = {
        *project["dependencies"],
        *itertools.chain(*(project["optional-dependencies"][one] for one in at_run_time)),
    }
    assert found - {"python"} == needed


@pytest.mark.parametrize("name", ["a b", "it's", "$HOME", "a&b"])
def test_a_folder_in_which_nothing_starts_is_refused_first(name, tmp_path):
    folder = tmp_path / name
    folder.mkdir()
    for file in ("Makefile", "requirements.lock", "torch.lock", "pyproject.toml"):
        (folder / file).symlink_to(ROOT / file)
    done = subprocess.run(["make", "setup", "PYTHON=false"], cwd=folder, capture_output=True, text=True)
    assert done.returncode != 0
    assert f"{folder} has a blank, a quote or the like" in done.stdout
    assert not (folder / ".venv").exists()
