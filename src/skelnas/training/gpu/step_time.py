"""A model of the time of a training step on GPUs that are not at hand: which of four limits binds each operation.

Nothing here is measured on a GPU. For each operation the model takes the longest of four times: its bytes at the rate
of a large copy (DRAM); these and what programs fetch again at the rate of the second-level cache (L2); the
instructions of the convolutions, counted in the machine code for sm_90 (`python -m bench.compiled`), at a share of the
issue rate; and their products at 80 % of the rate that is written on the card. Launches come on top. The good end of
each range is 75 % of the issue rate and taps that the first-level cache serves, the bad end 55 % and taps that all come
from the second. It knows no latency and no tail of half-filled devices, so even the bad end is rather too good.
`bench/model.py` prints it for the two studies, `study/modelled.py` asks it for a run.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from skelnas.training.gpu.traffic import Counted

SHARES = (0.75, 0.55)  # of the issue rate, at the good and at the bad end
OF_PRODUCTS = 0.8  # of what is written: an H200 reaches 769 to 798 of its 989 TFLOP/s in bf16 (measured elsewhere)


class Gpu(NamedTuple):
    """Rates per second: bytes of a copy, bytes of the second-level cache, warp-instructions, FLOP by precision; then
    seconds per launch, and bytes of memory."""

    name: str
    dram: float
    cache: float
    issue: float
    flop: dict[str, float]
    launch: float
    memory: float


A100 = {"fp32": 19.5e12, "tf32": 156e12, "bf16": 312e12}  # of NVIDIA's data sheets, without sparsity, SXM
H100 = {"fp32": 67e12, "tf32": 494e12, "bf16": 989e12}
# A copy reaches 4.3 TB/s on an H200 (measured elsewhere); the others in the same proportion to what is written on them.
GPUS = (
    Gpu("A100", 0.9 * 1.56e12, 4.0e12, 108 * 4 * 1.41e9, A100, 2e-6, 40e9),
    Gpu("H100", 0.9 * 3.35e12, 5.6e12, 132 * 4 * 1.83e9, H100, 2e-6, 80e9),
    Gpu("H200", 4.3e12, 5.6e12, 132 * 4 * 1.83e9, H100, 2e-6, 141e9),
)
# Warp-instructions per pixel that comes out, as `python -m bench.compiled` prints them by kernel size and channels (a
# loop over taps counted nine times, lines of taps and halves of outputs once each); a test holds the 3x3 ones of bf16.
# One of tf32 (1x1, 64 channels, to the source) has no loop: it is taken for twice that of 32 channels.
INSTRUCTIONS = {
    "bf16": {
        "convolve": {(9, 16): 14.9, (9, 32): 30.9, (9, 64): 73.3, (1, 16): 10.9, (1, 32): 20.5, (1, 64): 54.0},
        "input_gradient": {(9, 16): 6.6, (9, 32): 13.8, (9, 64): 28.1, (1, 16): 2.5, (1, 32): 5.0, (1, 64): 14.7},
        "weight_gradient": {(9, 16): 8.0, (9, 32): 19.1, (9, 64): 49.2, (1, 16): 5.0, (1, 32): 10.0, (1, 64): 20.0},
    },
    "tf32": {
        "convolve": {(9, 16): 36, (9, 32): 75, (9, 64): 174, (1, 16): 12.8, (1, 32): 22.5, (1, 64): 58},
        "input_gradient": {(9, 16): 24.2, (9, 32): 59, (9, 64): 128, (1, 16): 4.7, (1, 32): 7.8, (1, 64): 15.6},
        "weight_gradient": {(9, 16): 92, (9, 32): 180, (9, 64): 359, (1, 16): 10.9, (1, 32): 17.4, (1, 64): 39},
    },
    "fp32": {
        "convolve": {(9, 16): 121, (9, 32): 382, (9, 64): 1773, (1, 16): 19.3, (1, 32): 51.6, (1, 64): 225},
        "input_gradient": {(9, 16): 113, (9, 32): 368, (9, 64): 1660, (1, 16): 12.0, (1, 32): 40.1, (1, 64): 176},
        "weight_gradient": {(9, 16): 209, (9, 32): 583, (9, 64): 1973, (1, 16): 22.9, (1, 32): 55.8, (1, 64): 169},
    },
}
ROWS = {16: 20, 32: 10, 64: 5}  # that a program goes down, at UTD-MHAD's height; NTU's are more


class Work(NamedTuple):
    """What a step asks of one kernel: bytes moved, those fetched again from a cache, instructions of warps, FLOP."""

    moved: float
    weights: float
    taps: float
    instructions: float
    flop: float


def work_of(count: Counted, precision: str) -> list[Work]:
    """By kernel, from what was counted; what is no convolution is taken for bound by its bytes."""
    found = []
    for (name, taps, channels), pixels in count.pixels.items():
        moved = count.bytes_by_kernel[name, taps, channels]
        # A program fetches the weights, float32, for its columns; that of bfloat16 keeps them for all of its rows.
        columns = 128 if channels <= 32 else 64
        rows = ROWS.get(channels, 1) if precision == "bf16" else 1
        weights = 0 if name == "weight_gradient" else pixels * 4 * taps * channels**2 / (columns * rows)
        # A 3x3 kernel of bfloat16 reads its source three times, the others once for each tap.
        again = (2 * 2 if precision == "bf16" else 8 * 4) * pixels * channels if taps == 9 else 0
        instructions = pixels * INSTRUCTIONS[precision][name].get((taps, channels), 0)
        found.append(Work(moved, weights, again, instructions, 2 * count.macs[name, taps, channels]))
    found.append(Work(count.bytes.total() - sum(count.bytes_by_kernel.values()), 0, 0, 0, 0))
    return found


def seconds(work: Sequence[Work], launches: float, gpu: Gpu, precision: str, good: bool) -> dict[str, float]:
    """Of one step, by the limit that binds, at the good or at the bad end."""
    bound = defaultdict[str, float](float, launches=launches * gpu.launch)
    for one in work:
        times = {
            "DRAM": one.moved / gpu.dram,
            "L2": (one.moved + one.weights + (not good) * one.taps) / gpu.cache,
            "issue": one.instructions / (SHARES[not good] * gpu.issue),
            "products": one.flop / (OF_PRODUCTS * gpu.flop[precision]),
        }
        limit = max(times, key=lambda name: times[name])
        bound[limit] += times[limit]
    return bound
