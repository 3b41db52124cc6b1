"""The nodes of a SLURM partition, and what follows for a job: GPUs that idle, shards that are too small."""

from collections.abc import Iterable
from dataclasses import dataclass

from skelnas.study.profile import Profile, gpus_in
from skelnas.study.slurm import answer


@dataclass(frozen=True)
class Nodes:
    """The nodes of a partition: the GPUs of one (the most common number), and whether a job gets it for itself."""

    gpus: int
    whole: bool


def nodes(profile: Profile) -> Nodes | None:
    """The nodes of the profile's partition; None where SLURM is not there or knows of no GPUs in it."""
    partition = str(profile.asked.get("slurm_partition") or "")
    if not partition:
        return None
    gres = answer("sinfo", "--noheader", f"--partition={partition}", "--format=%D|%G")
    facts = answer("scontrol", "--oneliner", "show", "partition", partition)
    return nodes_of(gres or [], " ".join(facts or []))


def nodes_of(gres: Iterable[str], facts: str) -> Nodes | None:
    """The same from lines `number of nodes|gpu:a100:4(S:0-1),...` and the partition's `scontrol show partition`."""
    counts: dict[int, int] = {}
    for line in gres:
        number, _, resources = line.strip().partition("|")
        gpus = gpus_in(resources, among_others=True)
        if number.isdigit():
            counts[gpus] = counts.get(gpus, 0) + int(number)
    most = max(counts, key=lambda gpus: counts[gpus], default=0)
    return Nodes(most, "OverSubscribe=EXCLUSIVE" in facts) if most else None


def devices(profile: Profile, found: Nodes | None) -> int:
    """GPUs that a job trains on: those asked for, or all of a whole node where none is asked for."""
    return profile.asked_gpus or (found.gpus if found and found.whole else 1)


def idle_gpus(profile: Profile, found: Nodes | None) -> list[str]:
    """A sentence, where a job gets a whole node and asks for some of its GPUs only."""
    asked = profile.asked_gpus
    if not asked or not found or asked >= found.gpus:
        return []
    if not found.whole and "--exclusive" not in str(profile.asked.get("slurm_extra", "")):
        return []
    return [
        f"Each job gets a whole node with {found.gpus} GPUs and asks for {asked}: the others idle, and are paid for. "
        f"Ask for {found.gpus} in the profile; a job trains on all it gets."
    ]


def small_shards(folder: str, cells: int, gpus: int, group: int) -> list[str]:
    """A sentence, where a shard of `cells` does not give each of a job's GPUs a full group; `folder` names the run."""
    if gpus < 2 or not 0 < cells < gpus * group:
        return []
    return [
        f"{folder}: a shard of {cells} cells has {cells / gpus:.0f} for each of {gpus} GPUs, and a group takes "
        f"{group}: cells-per-shard: {gpus * group}, or one GPU a job, fills them."
    ]
