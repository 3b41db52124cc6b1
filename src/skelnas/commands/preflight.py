"""Check in a minute what would fail after hours: folders, disk, sources, SLURM's settings, the GPU of a compute node.

    skelnas preflight --study thesis --profile slurm

Where a profile names a cluster, a short job looks at one of its nodes.
"""

import argparse
import importlib.util
import subprocess
import sys

from skelnas.commands.asked import add_study_arguments, read_asked
from skelnas.study import paths

add_arguments = add_study_arguments


def run(given: argparse.Namespace) -> int:
    if importlib.util.find_spec("snakemake") is None:
        raise ModuleNotFoundError("snakemake", name="snakemake")
    study = read_asked(given).study
    where = ["--profile", given.profile] if given.profile else ["--cores", "1"]
    configuration = ["--configfile", *given.configfile] if given.configfile else []
    command = [sys.executable, "-m", "snakemake", *where, "--quiet", "rules", "progress", "host", *configuration]
    # Everything is looked at afresh; the probe of the node follows from it.
    asked_for = ["--forcerun", "preflight_login", "--", paths.preflight(study)]
    return subprocess.run([*command, *asked_for], check=False).returncode
