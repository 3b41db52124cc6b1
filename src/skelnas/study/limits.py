"""Limits of a site that end a study after hours: account, wall time, submitted jobs, numbers of files, quotas."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skelnas.study.preflight import Check
from skelnas.study.slurm import answer
from skelnas.text import size

TIMEOUT = 20  # seconds for a file system to say its quotas


def of_slurm(asked: Mapping[str, Any], jobs: int) -> list[Check]:
    """What sacctmgr and scontrol say of jobs that ask for `asked` (Snakemake's resources), `jobs` of them at a time."""
    partition = str(asked.get("slurm_partition") or "")
    facts = " ".join(answer("scontrol", "--oneliner", "show", "partition", partition) or []) if partition else ""
    who = f"user={getpass.getuser()}"
    form = "--noheader", "--parsable2"
    mine = answer("sacctmgr", *form, "show", "associations", who, "format=account,maxsubmitjobs,defaultqos") or []
    qos = answer("sacctmgr", *form, "show", "qos", "format=name,maxsubmitjobsperuser") or []
    return [*account(asked, mine), *wall_time(asked, partition, facts), *submitted(asked, facts, mine, qos, jobs)]


def account(asked: Mapping[str, Any], associations: Iterable[str]) -> list[Check]:
    """Whether slurm_account is one that sacctmgr lists, to the letter: the executor refuses any other."""
    mine = sorted({line.split("|")[0] for line in associations if line.split("|")[0]})
    wanted = str(asked.get("slurm_account") or "")
    if not wanted or not mine:
        return []
    if wanted.lower() in map(str.lower, mine):
        return [Check(True, f"slurm_account {wanted} is yours")]
    return [Check(False, f"slurm_account {wanted} is none of yours: write one of {', '.join(mine)} into the profile")]


def wall_time(asked: Mapping[str, Any], partition: str, facts: str) -> list[Check]:
    """Whether the partition allows the run time asked for (`facts`: its `scontrol show partition`)."""
    most, wanted = minutes(_field(facts, "MaxTime")), asked.get("runtime")
    if most is None or not isinstance(wanted, int):
        return []
    if wanted > most:
        return [
            Check(False, f"jobs of partition {partition} may take {most} minutes, and runtime is {wanted}: lower it")
        ]
    return [Check(True, f"jobs of partition {partition} may take {most} minutes, runtime is {wanted}")]


def submitted(
    asked: Mapping[str, Any], facts: str, associations: Iterable[str], qos: Iterable[str], jobs: int
) -> list[Check]:
    """How many jobs may be submitted at a time, against the profile's `jobs`; more than that wait."""
    own = [line.split("|") for line in associations]
    own = [row for row in own if row[0].lower() == str(asked.get("slurm_account") or row[0]).lower()]
    of_qos = dict(line.split("|")[:2] for line in qos if "|" in line)
    names = [str(asked.get("qos") or ""), _field(facts, "QoS"), *(row[2] for row in own if len(row) > 2)]
    limits = [row[1] for row in own if len(row) > 1] + [of_qos.get(name, "") for name in names if name]
    known = [int(limit) for limit in limits if limit.isdigit()]
    if not known:
        return []
    if min(known) < jobs:
        return [
            Check(
                True,
                f"this site takes {min(known)} of your jobs at a time, and the profile says jobs: {jobs}: the others "
                f"wait their turn (jobs: {min(known)} says the same)",
            )
        ]
    return [Check(True, f"this site takes {min(known)} of your jobs at a time, the profile says jobs: {jobs}")]


def minutes(text: str) -> int | None:
    """SLURM's [days-]hours:minutes:seconds in whole minutes; None for UNLIMITED and for no time."""
    days, _, clock = text.rpartition("-")
    parts = clock.split(":")
    if not all(part.isdigit() for part in [*parts, days or "0"]):
        return None
    hours, mins = (int(parts[0]), int(parts[1])) if len(parts) == 3 else (0, int(parts[0]))
    return int(days or 0) * 1440 + hours * 60 + mins


def _field(facts: str, name: str) -> str:
    return next((word.partition("=")[2] for word in facts.split() if word.startswith(f"{name}=")), "")


def files(folder: Path | str, need: int) -> list[Check]:
    """Whether the file system of `folder` and its quotas have room for `need` more files."""
    existing = next(path for path in [Path(folder).absolute(), *Path(folder).absolute().parents] if path.exists())
    found = []
    free = os.statvfs(existing).f_favail
    if os.statvfs(existing).f_files and free < need:
        found.append(
            Check(False, f"{folder}/ has room for {free:,} more files, and the study needs {need:,} at its peak")
        )
    for name, command in {
        "lfs quota": ["lfs", "quota", "-q", "-u", getpass.getuser(), str(existing)],
        "quota": ["quota", "--no-wrap", "--hide-device", "-p"],
    }.items():
        if shutil.which(command[0]):
            found += quotas(name, _said(command), need)
    return found or [Check(True, f"{folder}/ has room for the {need:,} files that the study needs at its peak")]


def quotas(name: str, said: str, need_files: int) -> list[Check]:
    """Problems that a table `... kilobytes quota limit grace files quota limit grace` of lfs quota or quota shows."""
    found = []
    for line in said.splitlines():
        row = [word.rstrip("*") for word in line.split()]
        numbers = [int(word) if word.isdigit() else -1 for word in row][-8:]
        if len(numbers) < 8 or min(numbers[0], numbers[4]) < 0:
            continue
        used, soft, hard, _, count, soft_count, hard_count, _ = numbers
        where = row[0] if not row[0].isdigit() else "your files"
        most = min((limit for limit in (soft, hard) if limit > 0), default=0)
        most_files = min((limit for limit in (soft_count, hard_count) if limit > 0), default=0)
        if most and used >= most:
            found.append(Check(False, f"{name}: {where} has {size(1024 * used)} of {size(1024 * most)}: make room"))
        if most_files and count + need_files > most_files:
            found.append(
                Check(
                    False,
                    f"{name}: {where} has {count:,} of {most_files:,} files, and the study needs {need_files:,} more "
                    "at its peak: remove some, or work on another file system",
                )
            )
    return found


def _said(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
