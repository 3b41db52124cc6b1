"""What a compute node must have for training, looked at from inside a job that asks for what training asks for."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skelnas import imports
from skelnas.errors import InputError
from skelnas.recipe import Recipe
from skelnas.study import paths
from skelnas.study.preflight import Check
from skelnas.study.profile import asked_gpus
from skelnas.text import first_line

TIMEOUT = 20  # seconds for nvidia-smi
USUAL_CLASSES = 60  # of NTU RGB+D 60


def asked_cores(resources: Mapping[str, Any], threads: int) -> int:
    """Cores that a job with these resources of Snakemake asks for its step."""
    task, gpu = resources.get("cpus_per_task"), resources.get("cpus_per_gpu")
    if isinstance(task, int) and task > 0:
        return task
    if isinstance(gpu, int) and gpu > 0:
        return gpu * max(1, asked_gpus(resources))
    return threads


def cores(resources: Mapping[str, Any], threads: int, has: int | None = None, there: int | None = None) -> Check:
    """Whether the step has the cores that were asked for; `has` and `there` are its own and all of the machine's."""
    has = len(os.sched_getaffinity(0)) if has is None else has
    there = there or os.cpu_count() or 1
    asked = asked_cores(resources, threads)
    # A machine that has fewer altogether is a test's.
    if has < min(asked, there):
        return Check(
            False,
            f"the job step on {socket.gethostname()} has {_cores(has)} of the {asked} asked for: with gres or "
            "slurm_extra write cpus_per_task into the profile, in place of cpus_per_gpu",
        )
    if has == 1 and asked_gpus(resources) and there > 1:
        return Check(
            False,
            f"the job step on {socket.gethostname()} has one core for its GPU: write cpus_per_task: 4 under train",
        )
    return Check(True, f"the job step on {socket.gethostname()} has {_cores(has)}")


def _cores(number: int) -> str:
    return "one core" if number == 1 else f"{number} cores"


def gpus(resources: Mapping[str, Any], facts: Mapping[str, str | int]) -> list[Check]:
    """Whether the job sees as many GPUs as it asked for; nothing where none works or none was asked for."""
    asked, seen = asked_gpus(resources), int(facts.get("count") or 0)
    if not asked or not seen or seen >= asked:
        return []
    return [Check(False, f"the job asked for {asked} GPUs and sees {seen}: is `nodes: 1` in the profile?")]


def hdf5(folder: Path | str) -> Check:
    """Whether a small HDF5 file can be written in `folder`; it is read again, everything, before it gets its name."""
    host = socket.gethostname()
    path = Path(folder, f".preflight-{host}.h5")  # the same each time: the next removes what one left
    try:
        import numpy as np

        from skelnas.hdf5 import Stored, write

        write(path, {"numbers": Stored(np.arange(1000), chunks=(100,))}, {})
    except (InputError, OSError, RuntimeError, ImportError) as error:
        return Check(False, f"{folder}/ on {host} takes no HDF5 file: {first_line(error)}; put results on another disk")
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
    return Check(True, f"{folder}/ on {host} holds HDF5 files")


def home(environment: Mapping[str, str]) -> Check:
    """Whether programs that write below HOME can; where they cannot, caches must be elsewhere."""
    folder, host = environment.get("HOME", ""), socket.gethostname()
    if folder and os.access(folder, os.W_OK):
        return Check(True, f"HOME ({folder}) can be written on {host}")
    if environment.get("XDG_CACHE_HOME") and os.access(environment["XDG_CACHE_HOME"], os.W_OK):
        return Check(
            True, f"HOME ({folder}) cannot be written on {host}; caches are in {environment['XDG_CACHE_HOME']}"
        )
    return Check(
        False,
        f"HOME ({folder or 'not set'}) cannot be written on {host}: before snakemake, export XDG_CACHE_HOME=... with a "
        "folder that nodes can write",
    )


def compiler(environment: Mapping[str, str], needed: bool) -> list[Check]:
    """Whether Triton, which compiles a small C program on each node, finds a compiler; nothing where none is needed."""
    if not needed:
        return []
    path = environment.get("PATH", "")
    for name in filter(None, (environment.get("CC", "").split(" ")[0], "cc", "gcc", "clang")):
        if shutil.which(name, path=path):
            return [Check(True, f"{socket.gethostname()} has a C compiler ({name})")]
    return [
        Check(
            False,
            f"{socket.gethostname()} has no C compiler (CC, cc, gcc, clang), which Triton needs: load a module that "
            "has one (GCC) before snakemake; without it training is several times slower",
        )
    ]


def driver(built_for: str, fault: str, said: str | None = None) -> list[Check]:
    """Why PyTorch sees no GPU although the node has one: its driver is older than PyTorch's CUDA.

    `built_for` is PyTorch's CUDA version, `fault` what the probe found (empty: nothing), `said` what nvidia-smi prints.
    """
    if not fault or not built_for:
        return []
    said = _nvidia_smi() if said is None else said
    words = said.split()
    version = words[words.index("Version:", words.index("CUDA")) + 1] if "CUDA" in words and "Version:" in words else ""
    if not version or _numbers(version) >= _numbers(built_for):
        return []
    return [
        Check(
            False,
            f"the driver on {socket.gethostname()} knows CUDA up to {version}, and the installed PyTorch is built for "
            f"{built_for}: install one from another index (docs/cluster.md, 'Python on the nodes')",
        )
    ]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def _nvidia_smi() -> str:
    try:
        return subprocess.run(["nvidia-smi"], capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def packages(names: Sequence[str], own: Sequence[str]) -> list[Check]:
    """Whether each package can be imported, and comes from this environment; `own` are our folders of PYTHONPATH."""
    found = [Check(False, sentence) for sentence in [*imports.broken(names, own), *imports.foreign(names, own)]]
    return found or [Check(True, f"the packages on {socket.gethostname()} come from {sys.prefix}")]


def kernels(facts: Mapping[str, str | int], engine: str, trained: Sequence[tuple[Recipe, int]]) -> list[Check]:
    """Whether the fused engine's kernels compute rightly on this node's GPU what each of `trained` asks of them.

    `trained` are recipes and numbers of classes. Nothing without a GPU; a pass is remembered for the jobs to come.
    """
    if facts["fault"] or engine != "fused":
        return []
    import torch

    from skelnas.training.gpu.operations import check, triton
    from skelnas.training.precision import check_precision, precisions_of

    device, name, passed = torch.device("cuda"), facts["name"], dict[str, None]()
    for recipe, classes in trained:
        try:
            check_precision(recipe, device)
            check.check_once(triton, device, precisions_of(recipe), classes)
        except InputError as error:
            return [Check(False, str(error))]
        except Exception as error:  # whatever it is, training would go on without them
            return [
                Check(
                    False,
                    f"the kernels do not work on {name} ({type(error).__name__}: {first_line(error)}): training would "
                    "go on with the engine graphed, which is slower (`training: fallback` in config.yaml)",
                )
            ]
        passed |= dict.fromkeys(f"{precision} with {classes} classes" for precision in precisions_of(recipe))
    return [Check(True, f"the kernels compute rightly on {name}, in {', '.join(passed)}")] if passed else []


def trained_on(runs: Sequence[tuple[str, Mapping[str, Any]]], folder: Path = Path()) -> list[tuple[Recipe, int]]:
    """Recipes and numbers of classes from (data set, recipe as plain values); classes as the image set's manifest has.

    Before its images are made, those of NTU RGB+D 60: then training's first job checks its own number.
    """
    found = []
    for dataset, values in runs:
        classes = USUAL_CLASSES
        with contextlib.suppress(OSError, ValueError, KeyError):
            manifest = json.loads((folder / paths.manifest(dataset)).read_text(encoding="utf-8"))
            classes = len(manifest["classes"])
        found.append((Recipe(**values), classes))
    return found
