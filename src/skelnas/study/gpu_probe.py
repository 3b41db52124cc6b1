"""Whether PyTorch can really use a GPU here, found out by using it."""

import subprocess

import torch


def gpu_facts() -> dict[str, str | int]:
    """What there is to know of the visible GPUs.

    `fault` (one sentence, empty when a small product came out right on each), `cuda` (the version PyTorch was built
    for, empty for a build without), and with working GPUs their `count`, and of the first `name`, `memory` (bytes),
    `driver` (empty where nvidia-smi is missing).
    """
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
            return {"fault": f"GPU {number} cannot be used ({str(error).splitlines()[0]})", "cuda": cuda}
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
