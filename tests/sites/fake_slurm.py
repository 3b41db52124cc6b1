"""A site that exists as a folder of commands: what it prints, what it refuses, and what it was asked."""

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

COMMANDS = ("sbatch", "srun", "sacct", "squeue", "sacctmgr", "sshare", "sinfo", "scontrol", "scancel")
GENERIC = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
FULL = f"sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: {GENERIC}"


@dataclass
class Site:
    """A folder to be put first on PATH.

    refuses: pairs of sbatch's words and the pattern of a command line that it refuses with them. full: its words while
    the queue is full, which it is for the first `full_times` jobs. conf: SLURM_CONF without which no command works.
    home: HOME in jobs.
    """

    folder: Path
    refuses: list[tuple[str, str]] = field(default_factory=list)
    banner: str = ""
    full: str = FULL
    full_times: int = 0
    conf: str = ""
    home: str = ""
    accounts: tuple[str, ...] = ("mine",)
    sinfo: str = "gpu*"
    sacctmgr: dict[str, list[str]] = field(default_factory=dict)
    scontrol: dict[str, str] = field(default_factory=lambda: {"show config": "MinJobAge = 300 sec"})

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).with_name("command.py"), self.folder)
        for name in COMMANDS:
            program = self.folder / name
            program.write_text(f"#!{sys.executable} -SE\nimport command\ncommand.main()\n")
            program.chmod(0o755)
        self.write()

    def write(self) -> None:
        """Let what was changed count from the next call on."""
        values = {key: value for key, value in vars(self).items() if key not in ("folder", "full_times")}
        (self.folder / "site.json").write_text(json.dumps(values))
        (self.folder / "full").write_text(str(self.full_times))

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of somebody who works there."""
        own = {key: value for key, value in os.environ.items() if not key.startswith(("SLURM_", "SKELNAS_"))}
        return {**own, "PATH": f"{self.folder}:{own['PATH']}", "OMP_NUM_THREADS": "1", **more}

    def calls(self, *names: str) -> list[list[str]]:
        """The calls of these commands so far, each as name and arguments."""
        try:
            lines = (self.folder / "calls.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [call for call in map(json.loads, lines) if call[0] in names]

    def lines(self, name: str) -> list[str]:
        """The calls of one command as people would read them: without the job itself, its name, log and folder."""
        hidden = r" --(parsable|export=ALL|job-name \S+|output \S+|comment \S+)| -D \S+| --wrap=.*| \S*python\S* -m .*"
        return [re.sub(hidden, "", " ".join(call), flags=re.DOTALL) for call in self.calls(name)]
