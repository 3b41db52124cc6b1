"""What pip installs: the package with its data, and few requirements."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
QUESTION = """
from skelnas import example
with example() as benchmark:
    print(benchmark.path, len(benchmark), repr(benchmark.value(3, "valid", seed=888)))
"""


@pytest.mark.slow
def test_the_built_wheel_has_examples_and_profiles_and_asks_for_little(make_benchmark, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "*.h5"))
    for number, cells in enumerate(([0, 3], [3, 9, 123])):
        made = make_benchmark(cells)
        for ending in (".h5", ".loss.h5"):
            shutil.copy(made.with_suffix(ending), source / f"src/skelnas/examples/made-{number}{ending}")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
        str(source),
    ]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
        (metadata,) = (name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        needed = re.findall(r"^Requires-Dist: ([\w.-]+)$", packed.read(metadata).decode(), re.M)
    assert sorted(needed) == ["h5py", "numpy", "pandas", "pyarrow"]
    done = subprocess.run(
        [sys.executable, "-c", QUESTION],
        cwd=tmp_path / "installed",
        env={"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=True,
    )
    said = f"{tmp_path}/installed/skelnas/examples/made-1.h5 3 "
    assert done.stdout.startswith(said)
    assert "% (top1 of valid, cell 3, seed 888, after epoch 3 of 3)" in done.stdout
    profiles = {path.name for path in (ROOT / "src/skelnas/study/profiles").iterdir()}
    assert {path.name for path in (tmp_path / "installed/skelnas/study/profiles").iterdir()} == profiles
