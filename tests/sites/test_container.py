"""`--sdm apptainer`, with a stand-in for apptainer that runs the command without any image."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ..workflow.checkout import Checkout

pytestmark = pytest.mark.workflow

APPTAINER = f"""#!{sys.executable}
import json, os, sys
if "--version" in sys.argv:
    print("apptainer version 1.3.4")
    sys.exit()
with open("apptainer.json", "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
os.environ["PATH"] = {str(Path(sys.executable).parent)!r} + os.pathsep + os.environ["PATH"]  # the image's python
shell = sys.argv.index("-c") - 1
os.execvp(sys.argv[shell], sys.argv[shell:])
"""
PROFILE = """
software-deployment-method: apptainer
apptainer-args: "--nv"
"""  # as docs/cluster.md says


def test_every_step_runs_in_the_image_with_its_gpu(checkout: Checkout) -> None:
    folder = checkout.folder
    (folder / "skelnas.sif").touch()
    programs = folder / "bin"
    programs.mkdir()
    (programs / "apptainer").write_text(APPTAINER)
    (programs / "apptainer").chmod(stat.S_IRWXU)
    (folder / "own").mkdir()
    (folder / "own/config.yaml").write_text(PROFILE)
    options = ["--profile", "own", "--cores", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *options, "--", "results/images/synthetic.json"],
        cwd=folder,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    calls = [json.loads(line) for line in (folder / "apptainer.json").read_text().splitlines()]
    assert len(calls) > 1
    for call in calls:
        assert call[call.index("--home") + 1] == str(folder)
        assert "--nv" in call
        assert call[call.index("-c") - 2].endswith("skelnas.sif")
