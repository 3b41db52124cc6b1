"""The model of a training step's time, for the two studies on three cards.

    python -m bench.model [--precision fp32|tf32|bf16]

`skelnas.training.gpu.step_time` says what it takes into account. Nothing here is measured on a GPU.
"""

import argparse

import torch

from bench.roofline import Shape, epoch_bytes
from bench.shapes import NTU, UTD
from skelnas.cells import space
from skelnas.cells.edges import pruned
from skelnas.cells.selection import select
from skelnas.text import text_table
from skelnas.training.gpu.step_time import GPUS, seconds, work_of
from skelnas.training.gpu.traffic import counted

HEADER = ("shape", "GPU", "ideal ms", "modelled ms", "of the byte roofline", "bound by")
CELLS = "stratified-25"


def lines(precision: str) -> list[tuple[str, ...]]:
    """The table's lines: a training step of the stratified sample, per model, in groups of 375 and 50."""
    cells, found = select(CELLS), []
    for study, models in ((UTD, 375), (NTU, 50)):
        full, batch = study.full, study.full.batch_size
        count = counted(cells, (batch, full.height, full.width), full.classes, precision, evaluating=False)
        # Launches are the same however many models there are.
        work, launches = work_of(count, precision), count.launches.total() * len(cells) / models
        shape = Shape(full.height, full.width, full.classes, batch, batch, 0, 0)
        ideal_bytes = sum(epoch_bytes(pruned(space.cell(cell)), shape, precision) for cell in cells)
        for gpu in GPUS:
            ideal = ideal_bytes / gpu.dram
            bound = seconds(work, launches, gpu, precision, good=False)
            slow, fast = (sum(seconds(work, launches, gpu, precision, good).values()) for good in (False, True))
            shares = ", ".join(
                f"{name} {100 * time / slow:.0f} %" for name, time in sorted(bound.items(), key=lambda one: -one[1])
            )
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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="bf16")
    torch.set_num_threads(1)
    print(text_table(HEADER, lines(parser.parse_args().precision), left=2))


if __name__ == "__main__":
    main()
