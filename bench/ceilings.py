"""What the device could do at best, measured: bytes of a copy and FLOP of a matrix product, per second."""

import time
from collections.abc import Callable

import torch

from skelnas.training.precision import computing_in

COPY_BYTES = {"cpu": 1 << 28, "cuda": 1 << 32}  # far more than any cache holds
MATRIX = {"cpu": 2048, "cuda": 8192}  # rows and columns
TRIES = 8


def ceilings(device: torch.device, precisions: list[str]) -> dict[str, float | dict[str, float]]:
    """`bytes_per_second` of a copy, reading and writing counted, and `flop_per_second` by precision; the best of a few.

    On a CPU all threads that PyTorch is set to use work.
    """
    size = COPY_BYTES[device.type]
    source = torch.ones(size // 4, device=device)
    target = torch.empty_like(source)
    copied = 2 * size / fastest(lambda: target.copy_(source), device)
    rows = MATRIX[device.type]
    flop = {}
    for precision in precisions:
        left, right = (
            torch.randn(rows, rows, device=device).to({"bf16": torch.bfloat16}.get(precision, torch.float32))
            for _ in range(2)
        )
        with computing_in("tf32" if precision == "tf32" else "fp32", device):
            flop[precision] = 2 * rows**3 / fastest(lambda left=left, right=right: left @ right, device)
    return {"bytes_per_second": copied, "flop_per_second": flop}


def fastest(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of the fastest of a few runs, after one that does not count."""
    best = float("inf")
    for run in range(TRIES + 1):
        wait(device)
        begun = time.perf_counter()
        work()
        wait(device)
        if run:
            best = min(best, time.perf_counter() - begun)
    return best


def wait(device: torch.device) -> None:
    """Until everything asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
