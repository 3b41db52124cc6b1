"""What a training step and an evaluation of a group ask of a GPU: the table of bytes and launches.

    python -m bench.traffic [--precision fp32|tf32|bf16]

Counted by `skelnas.training.gpu.traffic`. Held against what an ideal engine would have to move (`roofline.py`) this is
the largest share of the roofline that the engine can reach: memory that is fully busy all the time would give it.
"""

import argparse

from bench.roofline import Shape, epoch_bytes
from bench.shapes import NTU, UTD
from skelnas.cells import space
from skelnas.cells.edges import pruned
from skelnas.cells.selection import select
from skelnas.text import text_table
from skelnas.training.gpu.traffic import counted

HEADER = ("shape", "batch of", "moved", "ideal", "at most", "launches")
ONLY = {False: lambda batch: (batch, 0, 0), True: lambda batch: (0, batch, 0)}  # samples of train, valid and test


def lines(precision: str) -> list[tuple[str, ...]]:
    """The table's lines: both shapes, training and evaluation of the stratified sample, per cell."""
    cells, found = select("stratified-25"), []
    for study in (UTD, NTU):
        full, batch = study.full, study.full.batch_size
        for evaluating in (False, True):
            count = counted(cells, (batch, full.height, full.width), full.classes, precision, evaluating)
            one = Shape(full.height, full.width, full.classes, batch, *ONLY[evaluating](batch))
            ideal = sum(epoch_bytes(pruned(space.cell(cell)), one, precision) for cell in cells)
            moved, launches = sum(count.bytes.values()), sum(count.launches.values())
            found.append(
                (
                    study.name,
                    f"{'evaluation' if evaluating else 'training'}, {batch} images",
                    f"{1e-6 * moved / len(cells):,.0f} MB",
                    f"{1e-6 * ideal / len(cells):,.0f} MB",
                    f"{100 * ideal / moved:.0f} %",
                    f"{launches:,}",
                )
            )
    return found


def main() -> None:
    """Count and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="bf16")
    print(text_table(HEADER, lines(parser.parse_args().precision), left=2))


if __name__ == "__main__":
    main()
