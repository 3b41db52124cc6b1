"""What a profile of Snakemake says of the jobs that it submits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from skelnas.errors import InputError
from skelnas.files import write_text


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
    def asked(self) -> dict[str, Any]:
        """What a job that trains asks SLURM for, by the names of Snakemake's resources."""
        own = (self.values.get("set-resources") or {}).get("train") or {}
        return {**(self.values.get("default-resources") or {}), **own}

    @property
    def devices(self) -> int:
        """GPUs that a job which trains asks for; one where the profile does not say, or asks for none."""
        return max(1, self.asked_gpus)

    @property
    def asked_gpus(self) -> int:
        """The same, 0 where it asks for none: on sites that hand out whole nodes."""
        return asked_gpus(self.asked)


# gpu, gpu:4, gpu:a100 and gpu:a100:4 in a list of generic resources; without a number it is one.
GRES = re.compile(r"^gpu(?::(?!\d+$)[^:,()]+)?(?::(\d+))?$")
# --gpus-per-node=4, --gpus-per-node h100:4, --tres-per-node=gres/gpu:4
IN_EXTRA = re.compile(r"--(?:gpus-per-\w+|tres-per-\w+)[= ](?:gres[/:]gpu:)?(?:[^\s:=]+:)?(\d+)\b")


def asked_gpus(resources: Mapping[str, Any]) -> int:
    """GPUs that a job with these resources of Snakemake asks SLURM for, however it asks; 0 for none."""
    plain = {key: str(value).strip("'\" ") for key, value in resources.items() if value is not None}
    if plain.get("gpu", "0").isdigit() and int(plain.get("gpu", "0")):
        return int(plain["gpu"])
    if plain.get("gpu_model"):
        return 1
    for part in plain.get("gres", "").split(","):
        if found := GRES.match(part):
            return int(found[1] or 1)
    found = IN_EXTRA.search(plain.get("slurm_extra", ""))
    return int(found[1]) if found else 0


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


SHIPPED = Path("slurm/config.yaml")
SITE, REST = "# --- Your site", "# --- "  # the headings in it between which lies what differs between sites
TEMPLATES = files("skelnas.study") / "profiles"


def kinds() -> dict[str, str]:
    """The kinds of sites that there is a template for, each with its first line in words."""
    paths = sorted((file for file in TEMPLATES.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return {
        file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        for file in paths
    }


def make_profile(kind: str, folder: Path | str, shipped: Path = SHIPPED) -> Path:
    """Write the profile of a kind of site into `folder`: the shipped one with the kind's lines for the site.

    Raises:
        InputError: there is no such kind; the folder has a profile already; the shipped profile is not there.
    """
    if kind not in kinds():
        raise InputError(f"there is no kind {kind!r} of profiles; there are {', '.join(kinds())}")
    path = Path(folder, "config.yaml")
    if path.exists():
        raise InputError(f"{path} is there already: change it, or name another folder with --to")
    try:
        text = shipped.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{shipped} cannot be read ({error.strerror}): get it again with git checkout") from error
    before, heading, site = text.partition(SITE)
    _, next_heading, rest = site.partition(f"\n{REST}")
    if not heading or not next_heading:
        raise InputError(f"{shipped} has not the headings that it was shipped with: get it again with git checkout")
    own = (TEMPLATES / f"{kind}.yaml").read_text(encoding="utf-8")
    write_text(path, f"{before}{heading} {'-' * 103}\n\n{own}{next_heading}{rest}")
    return path
