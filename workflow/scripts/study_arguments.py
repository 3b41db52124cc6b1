"""What `make plan` and `make status` share: their arguments, and the outlook of the study that these name."""

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from skelnas.errors import InputError
from skelnas.study import configuration
from skelnas.study import runs as study
from skelnas.study.outlook import RunOutlook, outlook
from skelnas.study.plan import CALIBRATION, read_calibration
from skelnas.study.state import run_standing

SCHEMA = Path(__file__).resolve().parents[1] / "schemas" / "config.schema.yaml"


@dataclass(frozen=True)
class Asked:
    """The study asked for, its configuration, and the profile's values (empty without a profile)."""

    study: str
    config: dict[str, Any]
    profile: dict[str, Any]

    @property
    def jobs(self) -> int:
        """Shards that train at a time."""
        return int(self.profile.get("jobs", 1))

    @property
    def devices(self) -> int:
        """GPUs that a job which trains asks the profile for; one where it does not say, or asks for none."""
        asked = {**self.profile.get("default-resources", {}), **self.profile.get("set-resources", {}).get("train", {})}
        number = re.search(r"\d+$", str(asked.get("gpu") or asked.get("gres") or "").strip("'\""))
        return max(1, int(number[0])) if number else 1

    def outlooks(self, jobs: int) -> list[RunOutlook]:
        """The outlook of each run of the study, from the files in this folder."""
        training = self.config["training"]
        standings = [
            run_standing(run, study.recipe(self.config, run.recipe), training["engine"])
            for run in study.runs(self.config, self.study)
        ]
        return outlook(standings, read_calibration(CALIBRATION), training, jobs)


def answer(description: str, say: Callable[[Asked], str]) -> None:
    """Read the command line, and print what `say` makes of it; a user's mistake is one sentence and status 1."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--study", default="", help="a study of config.yaml; the one that it names, if left out")
    parser.add_argument("--configfile", nargs="*", default=[], help="read after config.yaml, as snakemake does")
    parser.add_argument("--profile", default="", help="the folder of a profile, for its number of jobs")
    given = parser.parse_args()
    try:
        config = configuration.read(["config.yaml", *given.configfile], SCHEMA)
        print(say(Asked(given.study or config["study"], config, _profile(given.profile))))
    except InputError as error:
        sys.exit(str(error))


def _profile(folder: str) -> dict[str, Any]:
    if not folder:
        return {}
    path = Path(folder, "config.yaml")
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"the profile {path} cannot be read ({' '.join(str(error).split())})") from error
