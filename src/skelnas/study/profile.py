"""What a profile of Snakemake says of the jobs that it submits."""

import re
import shlex
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


PREFIX = re.compile(r"^(?:gres[/:])?gpu(?=$|[:=])[:=]?")  # of an entry in a list of generic or trackable resources
NUMBER = re.compile(r"^(?:.+[:=])?(\d+)$")  # behind a type, or alone
LISTS, OF_GPUS = ("gres", "tres-per-"), ("gpus", "gpus-per-")  # options of sbatch that name GPUs among others, or alone


def gpus_in(entries: str, among_others: bool) -> int:
    """GPUs in a list of SLURM's: 4, a100, a100:4, and `among_others` gpu, gpu:4, gpu:a100:4, gres/gpu:4, shard:2...

    An entry without a number is one, whatever digits its type has; what stands in parentheses says where they are.
    """
    count = 0
    for entry in re.sub(r"\([^)]*\)", "", entries).strip("'\" ").split(","):
        rest = PREFIX.sub("", entry.strip())
        if among_others and not PREFIX.match(entry.strip()):
            continue
        found = NUMBER.match(rest)
        count += int(found[1]) if found else 1
    return count


def asked_gpus(resources: Mapping[str, Any]) -> int:
    """GPUs of one node that a job with these resources of Snakemake asks SLURM for, however it asks; 0 for none."""
    plain = {key: str(value).strip("'\" ") for key, value in resources.items() if value is not None}
    if plain.get("gpu_model") or plain.get("gpu", "0") != "0":
        return gpus_in(plain.get("gpu", "1"), among_others=False)
    return gpus_in(plain["gres"], True) if plain.get("gres") else _in_options(plain.get("slurm_extra", ""))


def _in_options(text: str) -> int:
    """The most that one of these options of sbatch names: -G, --gpus..., --gres, --tres-per-..."""
    try:
        words = shlex.split(text)
    except ValueError:  # a quote without its fellow, which sbatch will refuse
        words = text.split()
    most = 0
    for position, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name.startswith("-G") and not equals:
            name, value = "--gpus", name[2:] or next(iter(words[position + 1 :]), "")
        elif not equals:
            value = next(iter(words[position + 1 :]), "")
        name = name.removeprefix("--")
        if value and (name in LISTS or name.startswith(LISTS[1])):
            most = max(most, gpus_in(value, among_others=True))
        elif value and (name in OF_GPUS or name.startswith(OF_GPUS[1])):
            most = max(most, gpus_in(value, among_others=False))
    return most


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
