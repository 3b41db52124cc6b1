"""Whether operations work on this device: every case against PyTorch's in float64, on the same rounded inputs.

A difference is held to the precision of the recipe, tensor by tensor, relative to the largest value of the tensor.
"""

import contextlib
import hashlib
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from skelnas.caches import CHECKED
from skelnas.files import sha256_of_json
from skelnas.training.gpu.graphs import Graphs, Step
from skelnas.training.gpu.operations import Operations, reference
from skelnas.training.gpu.operations.cases import ENTRIES, SAMPLES, SLOTS, Case, Inputs, all_cases
from skelnas.training.precision import computing_in

# Largest differences allowed, relative to a tensor's largest value; what is stored in bfloat16 is rounded once.
TOLERANCES = {"fp32": 1e-5, "tf32": 2e-3, "bf16": 1e-2}
OF_SUMS = 1e-4  # of float32 that bfloat16 operations leave: their products are exact


def check(
    operations: Operations,
    device: torch.device,
    precision: str,
    classes: int,
    samples: int = SAMPLES,
    cases: Sequence[Case] | None = None,
) -> None:
    """Hold every operation, or some `cases`, against PyTorch's in float64.

    Raises:
        ArithmeticError: an operation is further away than rounding explains; the sentence names it and the tensor.
    """
    for case in all_cases(classes) if cases is None else cases:
        with computing_in("tf32" if precision == "tf32" else "fp32", device):
            found = case.run(operations, Inputs(precision, samples, False, device))
        expected = case.run(reference, Inputs(precision, samples, True, device))
        for name, one in found.items():
            sums = precision == "bf16" and one.dtype == torch.float32
            allowed, other = OF_SUMS if sums else TOLERANCES[precision], expected[name]
            apart = ((one.double() - other).abs().max() / other.abs().max()).item()
            if not apart <= allowed:  # NaN is none
                raise ArithmeticError(
                    f"{case.name}: {name} in {precision} is {apart:.1e} away from PyTorch's, {allowed:.0e} is allowed"
                )


def check_replay(
    operations: Operations,
    device: torch.device,
    precision: str,
    ready: Callable[[Step], Step] | None = None,
    samples: int = SAMPLES,
) -> None:
    """Hold a replayed graph against the step that it was made of, bit for bit, on inputs that came after it was made.

    `ready` makes it, and is tests' to replace.

    Raises:
        ArithmeticError: they differ, or there is no graph.
    """
    inputs, graphs = Inputs(precision, samples, False, device), Graphs(device, True)
    source, out, weight = inputs.images(SLOTS, 16), inputs.images(ENTRIES, 16), inputs.vectors(ENTRIES, 9, 16, 16)
    slots, norms, to_weight = inputs.table(4, 0, 1), inputs.norms(ENTRIES, 16), torch.zeros_like(weight)
    others = [(torch.randn_like(source), torch.randn_like(weight)) for _ in range(2)]

    def step() -> None:
        sums = operations.tile_sums(out)
        operations.convolve(source, slots, weight, out, 1, True, sums)
        operations.batch_norm_stats(out, sums, norms)
        operations.weight_gradient(source, slots, out, to_weight)
        weight.sub_(to_weight)

    def after(run: Step, images: Tensor, values: Tensor) -> list[Tensor]:
        source.copy_(images)
        weight.copy_(values)
        run()
        return [one.clone() for one in (out, norms.mean, norms.factor, to_weight, weight)]

    with computing_in("tf32" if precision == "tf32" else "fp32", device), torch.no_grad():
        replay = (ready or graphs.ready)(step)
        if device.type == "cuda" and not graphs.capturing:
            raise ArithmeticError("a step cannot be recorded as a CUDA graph")
        for images, values in others:
            pairs = zip(after(replay, images, values), after(step, images, values), strict=True)
            if not all(torch.equal(one, other) for one, other in pairs):
                raise ArithmeticError(f"a replayed graph differs from the step itself, in {precision}")


def check_once(
    operations: Operations, device: torch.device, precisions: Sequence[str], classes: int, folder: Path | None = None
) -> None:
    """Check what `folder` does not remember as passed on such a card, with such a driver and the same kernels.

    By default the folder is the one in the results, where jobs of all nodes look, or else Triton's cache.

    Raises:
        ArithmeticError: as `check` and `check_replay` do.
    """
    folder = folder or remembered()
    for precision in precisions:
        checked = what_runs_here(device) | {"precision": precision, "classes": classes}
        mark = folder / f"{sha256_of_json(checked)}.passed"
        if mark.is_file():
            continue
        check(operations, device, precision, classes)
        check_replay(operations, device, precision)
        with contextlib.suppress(OSError):  # then the next process checks again
            folder.mkdir(parents=True, exist_ok=True)
            mark.touch()


def remembered() -> Path:
    """Where passes are remembered; Triton's own cache would not do on NFS, where each job has one and removes it."""
    import triton

    return Path(os.environ.get(CHECKED) or Path(triton.knobs.cache.dir, "skelnas"))


def what_runs_here(device: torch.device) -> dict[str, str]:
    """What a passed check holds for: the card, its driver, PyTorch, Triton, and the text of all operations."""
    import triton

    own = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        own.update(file.read_bytes())
    driver = ""
    if device.type == "cuda":
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            driver = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    return {
        "card": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "driver": driver,
        "torch": torch.__version__,
        "triton": triton.__version__,
        "kernels": own.hexdigest(),
    }
