"""What would fail after hours, checked in seconds: one sentence each, and for a problem its remedy.

The machine that snakemake is called from looks at folders, disk, sources and SLURM's settings; a probe job looks at the
folders and the GPU of a compute node; then the versions of the two are compared. Checks find out; they never raise.
"""

import shutil
import socket
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skelnas import environment
from skelnas.addresses import shown
from skelnas.errors import InputError
from skelnas.files import check_readable, sha256_of_file, write_text
from skelnas.images.image_set import read_image_set
from skelnas.study import paths
from skelnas.study import runs as study
from skelnas.text import first_line, size

PACKAGES = ("torch", "triton", "numpy", "h5py")
SHORTEST_MIN_JOB_AGE = 120  # seconds; three times the 40 s after which the executor first asks for a job


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, in a sentence that says how it is and, where it did not pass, what to do."""

    passed: bool
    sentence: str


def versions() -> dict[str, str]:
    """Versions of Python, skelnas and the packages that results depend on; empty for one that is not installed."""
    return environment.versions(PACKAGES)


def writable(folder: Path | str) -> Check:
    """Whether a file can be written into `folder`, flushed, renamed and removed."""
    probe = Path(folder, f".preflight-{socket.gethostname()}")  # the same each time: the next removes what one left
    try:
        write_text(probe, "written to see whether it can be\n")
        probe.unlink(missing_ok=True)  # another preflight may have done so
    except (InputError, OSError) as error:
        return Check(False, f"{folder}/ cannot be written on {socket.gethostname()}: {error}")
    return Check(True, f"{folder}/ can be written on {socket.gethostname()}")


def enough_disk(need: int, free: int) -> Check:
    """Whether `free` bytes are enough for the `need` that `make plan` breaks down."""
    if need > free:
        return Check(
            False, f"the study writes at most {size(need)} more and {size(free)} are free: make room (`make plan`)"
        )
    return Check(True, f"the study writes at most {size(need)} more, {size(free)} are free (a quota may allow less)")


def data(config: study.Config, name: str, folder: Path = Path()) -> list[Check]:
    """Whether the image sets of a study are intact or, where they are not made yet, their sources are within reach."""
    found = []
    for dataset in dict.fromkeys(paths.whole(run.dataset) for run in study.runs(config, name)):
        path = folder / paths.images(dataset)
        if path.is_file():
            found.append(_image_set(path))
        else:
            entries = config["datasets"][dataset]["sources"]
            generated = config["datasets"][dataset]["reader"] == "synthetic"
            found += [_source(entry, folder, generated) for entry in entries]
    return list(dict.fromkeys(found))


def _image_set(path: Path) -> Check:
    try:
        images = read_image_set(path)
    except InputError as error:
        return Check(False, str(error))
    return Check(True, f"{path} is intact: {sum(images.counts.values()):,} images")


def _source(entry: Mapping[str, str], folder: Path, generated: bool) -> Check:
    if entry.get("folder"):
        present = Path(entry["folder"]).is_dir()
        sentence = "is there" if present else "is not there: correct `folder` in config.yaml"
        return Check(present, f"the folder {entry['folder']} {sentence}")
    path, url = folder / paths.raw(entry), entry.get("url", "")
    if path.is_file():
        return _file(path, entry.get("sha256", ""))
    if generated:
        return Check(True, f"{path} will be generated")
    if entry.get("register"):
        return Check(False, f"{path} is missing: get it from {entry['register']} and put it there")
    if url.startswith(("http:", "https:")):
        return Check(True, f"{path} will be downloaded by this machine from {shown(url)}")
    if url and Path(url.removeprefix("file://")).expanduser().is_file():
        return Check(True, f"{path} will be copied from {url}")
    return Check(False, f"{path} is missing: put it there, or say in config.yaml with `url` where it is")


def _file(path: Path, expected: str) -> Check:
    try:
        check_readable(path)
    except InputError as error:
        return Check(False, str(error))
    if expected and sha256_of_file(path) != expected.lower():
        return Check(False, f"{path} has not the SHA-256 that config.yaml expects: put the right file there")
    if path.suffix == ".zip" and not zipfile.is_zipfile(path):
        return Check(False, f"{path} is cut off or no zip archive: put a whole one in its place")
    return Check(True, f"{path} is there" + (" with the expected SHA-256" if expected else ""))


def gpu_facts() -> dict[str, str | int]:
    """What there is to know of the visible GPUs.

    `fault` (one sentence, empty when a small product came out right on each), `cuda` (the version PyTorch was built
    for, empty for a build without), and with working GPUs their `count`, and of the first `name`, `memory` (bytes),
    `driver` (empty where nvidia-smi is missing).
    """
    import torch  # whoever only looks at folders and sources does without

    cuda = torch.version.cuda or ""
    if not torch.cuda.is_available():
        why = "sees no GPU" if cuda else "is a build for processors only"
        return {"fault": f"PyTorch {torch.__version__} {why}", "cuda": cuda}
    count = torch.cuda.device_count()
    for number in range(count):
        try:
            ones = torch.ones(64, 64, device=f"cuda:{number}")
            product = float((ones @ ones).sum())
        except RuntimeError as error:  # no kernels for this GPU, another process has it to itself, out of memory
            return {"fault": f"GPU {number} cannot be used ({first_line(error)})", "cuda": cuda}
        if product != 64**3:
            return {"fault": f"GPU {number} computes wrongly: {product} instead of {64**3}", "cuda": cuda}
    properties = torch.cuda.get_device_properties(0)
    return {
        "fault": "",
        "cuda": cuda,
        "count": count,
        "name": properties.name,
        "memory": properties.total_memory,
        "driver": _driver(),
    }


def _driver() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def gpu(facts: Mapping[str, str | int], device: str, in_slurm_job: bool) -> Check:
    """Whether training will find what config.yaml's `training.device` asks for, given `gpu_facts`."""
    host, fault = socket.gethostname(), facts["fault"]
    if device == "cpu":
        return Check(True, f"training.device is cpu: no GPU is needed on {host}")
    if not fault:
        driver = f", driver {facts['driver']}" if facts["driver"] else ""
        what = f"{facts['name']} with {size(int(facts['memory']))}{driver}"
        some = f"{facts['count']} working GPUs, the first {what}" if int(facts["count"]) > 1 else f"a working {what}"
        return Check(True, f"{host} has {some}")
    if in_slurm_job:
        return Check(
            False,
            f"the probe job on {host} has no GPU to train on: {fault}; correct `train` in slurm/config.yaml, or "
            "PyTorch, or set training.device to cpu",
        )
    if device == "cuda":
        return Check(False, f"training.device is cuda, but on {host} {fault}; set it to auto or cpu")
    return Check(True, f"on {host} {fault}: cells train on the processor")


def same_versions(here: Mapping[str, str], there: Mapping[str, str], node: str) -> list[Check]:
    """Whether the compute `node` has the versions that this machine has."""
    differing = [name for name in here if here[name] != there[name]]
    if not differing:
        return [Check(True, f"{node} has the same {', '.join(f'{name} {here[name]}' for name in here if here[name])}")]
    return [
        Check(
            False,
            f"{name} is {here[name] or 'missing'} here and {there[name] or 'missing'} on {node}: "
            "let both use one environment",
        )
        for name in differing
    ]


def slurm_memory() -> list[Check]:
    """Whether SLURM remembers finished jobs long enough for the executor; nothing where there is no SLURM."""
    if shutil.which("scontrol") is None:
        return []
    try:
        answer = subprocess.run(
            ["scontrol", "show", "config"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return [Check(False, "scontrol does not answer: SLURM's controller is away, try again later")]
    return min_job_age(answer)


def min_job_age(answer: str) -> list[Check]:
    """The same for an answer of `scontrol show config`."""
    fields: dict[str, Any] = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    seconds = next((int(value.split()[0]) for key, value in fields.items() if key.strip() == "MinJobAge"), None)
    if seconds is None:
        return []
    if seconds < SHORTEST_MIN_JOB_AGE:
        return [
            Check(
                False,
                f"SLURM forgets finished jobs after {seconds} s (MinJobAge): set "
                f"slurm-init-seconds-before-status-checks in slurm/config.yaml to {max(1, seconds // 3)} at most",
            )
        ]
    return [Check(True, f"SLURM remembers finished jobs for {seconds} s")]
