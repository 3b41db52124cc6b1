"""What a stage of `bench.gpu` has on its device: operations, precisions, and shapes with numbers of models."""

from collections.abc import Iterator
from typing import Any

import torch

from bench.engines import offered
from bench.shapes import NTU, UTD, Shape, scaled
from skelnas.training.gpu.operations import Operations, reference

Found = Iterator[tuple[str, Any]]
TINY = Shape(8, 12, 27, batch_size=4, train=11, valid=4, test=6)


def operations_on(device: torch.device) -> Operations:
    """The Triton kernels on a GPU, PyTorch's operations on a CPU."""
    if device.type == "cpu":
        return reference
    from skelnas.training.gpu.operations import triton as kernels

    return kernels


def precisions_on(device: torch.device) -> list[str]:
    """Of the operations: on a CPU those of PyTorch, which in bfloat16 do not sum as kernels do."""
    return offered(device) if device.type == "cuda" else ["fp32"]


def shapes_on(device: torch.device) -> dict[str, tuple[Shape, int]]:
    """Name, shape and models of what is timed; the training set of NTU is cut to a few steps."""
    if device.type == "cpu":
        return {"tiny": (TINY, 4)}
    return {"UTD-MHAD": (UTD.full, 375), "NTU RGB+D 60": (scaled(NTU.full, 3 * 256 + 169), 32)}


def said(error: BaseException) -> str:
    """An error in one line."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]
