"""A model of the time of a training step on GPUs that are not at hand: which of four limits binds each operation.

    python -m bench.model

Nothing here is measured on a GPU. For each operation the model takes the longest of three times: its bytes at the rate
of a large copy (DRAM); these and what programs fetch again at the rate of the second-level cache (L2); and the
instructions of the 3x3 and 1x1 kernels, counted in the machine code for sm_90 (`bench.compiled`), at a share of the
issue rate. Launches come on top. The good end of each range is 75 % of the issue rate and taps that the first-level
cache serves, the bad end 55 % and taps that all come from the second. It knows no latency and no tail of half-filled
devices, so even the bad end is rather too good.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import torch

from bench.roofline import Shape, epoch_bytes
from bench.shapes import NTU, UTD
from bench.traffic import Counted, counted
from skelnas.cells import space
from skelnas.cells.edges import pruned
from skelnas.cells.selection import select
from skelnas.text import text_table

HEADER = ("shape", "GPU", "ideal ms", "modelled ms", "of the byte roofline", "bound by")
SHARES = (0.55, 0.75)  # of the issue rate
CELLS = "stratified-25"


class Gpu(NamedTuple):
    """Rates per second: bytes of a copy, bytes of the second-level cache, warp-instructions; seconds per launch."""

    name: str
    dram: float
    cache: float
    issue: float
    launch: float


# A copy reaches 4.3 TB/s on an H200 (measured elsewhere); the others in the same proportion to what is written on them.
GPUS = (
    Gpu("A100", 0.9 * 1.56e12, 4.0e12, 108 * 4 * 1.41e9, 2e-6),
    Gpu("H100", 0.9 * 3.35e12, 5.6e12, 132 * 4 * 1.83e9, 2e-6),
    Gpu("H200", 4.3e12, 5.6e12, 132 * 4 * 1.83e9, 2e-6),
)
# Warp-instructions per pixel that come out, as `python -m bench.compiled` prints them for bf16 by kernel size and
# channels; a test holds those of the 3x3 kernels.
INSTRUCTIONS = {
    "convolve": {(9, 16): 14.9, (9, 32): 30.9, (9, 64): 73.3, (1, 16): 10.9, (1, 32): 20.5, (1, 64): 54.0},
    "input_gradient": {(9, 16): 6.6, (9, 32): 13.8, (9, 64): 28.1, (1, 16): 2.5, (1, 32): 5.0, (1, 64): 14.7},
    "weight_gradient": {(9, 16): 8.0, (9, 32): 19.1, (9, 64): 49.2, (1, 16): 5.0, (1, 32): 10.0, (1, 64): 20.0},
}


ROWS = {16: 20, 32: 10, 64: 5}  # that a program goes down, at UTD-MHAD's height; NTU's are more


class Work(NamedTuple):
    """What a step asks of one kernel: bytes moved, those fetched again from a cache, warp-instructions."""

    moved: float
    weights: float
    taps: float
    instructions: float


def work_of(count: Counted) -> list[Work]:
    """By kernel, from what `bench.traffic` counted; what is no convolution is taken for bound by its bytes."""
    found = []
    for (name, taps, channels), pixels in count.pixels.items():
        moved = count.bytes_by_kernel[name, taps, channels]
        # A program fetches the weights, float32, for its columns; a 3x3 one reads its source three times.
        columns = 128 if channels <= 32 else 64
        weights = (
            0 if name == "weight_gradient" else pixels * 4 * taps * channels**2 / (columns * ROWS.get(channels, 1))
        )
        again = 2 * pixels * 2 * channels if taps == 9 else 0
        found.append(Work(moved, weights, again, pixels * INSTRUCTIONS[name].get((taps, channels), 0)))
    found.append(Work(count.bytes.total() - sum(count.bytes_by_kernel.values()), 0, 0, 0))
    return found


def seconds(work: Sequence[Work], launches: float, gpu: Gpu, share: float, missing: bool) -> Counter[str]:
    """Of one step, by the limit that binds; `missing`: the first-level cache serves none of the taps, else all."""
    bound = Counter[str](launches=launches * gpu.launch)
    for one in work:
        times = {
            "DRAM": one.moved / gpu.dram,
            "L2": (one.moved + one.weights + missing * one.taps) / gpu.cache,
            "issue": one.instructions / (share * gpu.issue),
        }
        limit = max(times, key=lambda name: times[name])
        bound[limit] += times[limit]
    return bound


def lines() -> list[tuple[str, ...]]:
    """The table's lines: a training step of the stratified sample in bf16, per model, in groups of 375 and 50."""
    cells, found = select(CELLS), []
    for study, models in ((UTD, 375), (NTU, 50)):
        batch = study.full.batch_size
        count = counted(cells, study.full, "bf16", evaluating=False)
        # Launches are the same however many models there are.
        work, launches = work_of(count), count.launches.total() * len(cells) / models
        shape = Shape(study.full.height, study.full.width, study.full.classes, batch, batch, 0, 0)
        ideal_bytes = sum(epoch_bytes(pruned(space.cell(cell)), shape, "bf16") for cell in cells)
        for gpu in GPUS:
            ideal = ideal_bytes / gpu.dram
            bound = seconds(work, launches, gpu, SHARES[0], missing=True)
            slow, fast = bound.total(), seconds(work, launches, gpu, SHARES[1], missing=False).total()
            shares = ", ".join(f"{name} {100 * time / slow:.0f} %" for name, time in bound.most_common())
            found.append(
                (
                    study.name,
                    gpu.name,
                    f"{1e3 * ideal / len(cells):.3f}",
                    f"{1e3 * fast / len(cells):.3f}-{1e3 * slow / len(cells):.3f}",
                    f"{100 * ideal / slow:.0f}-{100 * ideal / fast:.0f} %",
                    shares,
                )
            )
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(text_table(HEADER, lines(), left=2))
