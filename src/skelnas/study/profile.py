"""What a profile of Snakemake says of the jobs that it submits."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skelnas.errors import InputError


@dataclass(frozen=True)
class Profile:
    """The values of a profile's config.yaml; none where everything runs on this machine."""

    values: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def jobs(self) -> int:
        """Shards that train at a time."""
        return int(self.values.get("jobs", 1))

    @property
    def job_names(self) -> str:
        """What the names of its SLURM jobs begin with."""
        return str(self.values.get("slurm-jobname-prefix", ""))

    @property
    def devices(self) -> int:
        """GPUs that a job which trains asks for; one where the profile does not say, or asks for none."""
        asked = {**self.values.get("default-resources", {}), **self.values.get("set-resources", {}).get("train", {})}
        number = re.search(r"\d+$", str(asked.get("gpu") or asked.get("gres") or "").strip("'\""))
        return max(1, int(number[0])) if number else 1


def read_profile(folder: str) -> Profile:
    """The profile in `folder`; an empty one for an empty name.

    Raises:
        InputError: its config.yaml is missing or no YAML.
    """
    import yaml  # comes with snakemake; the package itself does without

    if not folder:
        return Profile()
    path = Path(folder, "config.yaml")
    try:
        return Profile(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"the profile {path} cannot be read ({' '.join(str(error).split())})") from error
