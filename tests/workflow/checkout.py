"""A folder with its own configuration and results, in which the workflow of this checkout runs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import yaml

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    "Snakefile",
    "workflow",
    "src",
    "envs",
    "slurm",
    "profiles",
    "requirements.lock",
    "CITATION.cff",
    "LICENSE",
    "codemeta.json",
)
UTD_MHAD = ROOT / "tests/workflow/utd_mhad/config.yaml"
# What Python runs in place of `-m snakemake` where it uses SLURM: it looks after jobs every few seconds. The executor
# itself waits ten seconds longer each time that no job has ended.
IMPATIENT = """
from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor
Executor.next_seconds_between_status_checks = property(lambda self: 2, lambda self, seconds: None)
main()
"""


# A data set for a configuration: the generated recordings, in small images.
SYNTHETIC = {
    "reader": "synthetic",
    "sources": [{"file": "synthetic/Skeleton.zip"}],
    "width": 20,
    "split": {"rule": "subjects", "train": [1, 3, 5, 7], "valid": [7]},
}


@dataclass(frozen=True)
class Checkout:
    """One folder to run snakemake in; `options` are given to every call."""

    folder: Path
    options: tuple[str, ...] = ()

    @classmethod
    def make(cls, folder: Path, config: dict | None = None) -> "Checkout":
        """A folder with links to the workflow, and `config` (or else the shipped one) as its config.yaml."""
        for part in PARTS:
            (folder / part).symlink_to(ROOT / part)
        text = (ROOT / "config.yaml").read_text() if config is None else yaml.safe_dump(config, sort_keys=False)
        (folder / "config.yaml").write_text(text)
        return cls(folder)

    def copy(self, folder: Path) -> "Checkout":
        """The same results and the same memory of how they were made, in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return replace(self, folder=folder)

    def snakemake(self, *targets: str, flags: Iterable[str] = (), succeeds: bool = True) -> str:
        """Run snakemake to its end and return what it printed (both streams)."""
        with self.start(*targets, flags=flags) as process:
            output, _ = process.communicate()
        assert (process.returncode == 0) == succeeds, output
        return output

    def start(
        self, *targets: str, flags: Iterable[str] = (), output: int | TextIO = subprocess.PIPE
    ) -> subprocess.Popen:
        """Start snakemake in a session of its own; both of its streams go to `output`."""
        return subprocess.Popen(
            self.command(*targets, flags=flags),
            cwd=self.folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )

    def command(self, *targets: str, flags: Iterable[str] = ()) -> list[str]:
        """The command that makes `targets`, to be called in the folder."""
        return [sys.executable, "-m", "snakemake", "--cores", "2", *self.options, *flags, "--", *targets]

    def plan(self, *targets: str, flags: Iterable[str] = ()) -> dict[str, int]:
        """How many jobs of each rule snakemake would run now; none when there is nothing to do."""
        output = self.snakemake(*targets, flags=["--dry-run", *flags])
        if "Nothing to be done" in output:
            return {}
        table = output[output.index("Job stats:") :]
        return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}

    def files(self, *folders: str) -> list[str]:
        """Every file below these folders, hidden ones included."""
        found = (file for folder in folders for file in (self.folder / folder).rglob("*"))
        return sorted(str(file.relative_to(self.folder)) for file in found if file.is_file())

    def bytes_of_results(self) -> dict[str, bytes]:
        """Every result that must not depend on when, where and how often it was made."""
        names = [
            name for name in self.files("results") if ".timing." not in name and ".journal" not in Path(name).parts
        ]
        return {name: (self.folder / name).read_bytes() for name in names}
