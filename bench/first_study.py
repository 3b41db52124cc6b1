"""As many cells as minutes allow, trained in index order on a machine that is lent, and packed into one file.

    python -m bench.first_study --images FILE --minutes N [--recipe sample-e12] [--out FILE]

FILE is an image set of the workflow (results/images/utd_mhad.h5). Cells are trained in parts, each a shard; a part
begins only if one as slow as the slowest so far would end in time, and the last seconds are kept for packing. The same
command goes on from what is there. `skelnas adopt` turns the packed file into ordinary shards (docs/first-gpu-run.md).
Needs no snakemake and no configuration.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from skelnas.cells.space import CELLS
from skelnas.errors import InputError
from skelnas.images.image_set import read_image_set
from skelnas.recipe import Recipe
from skelnas.results.parcel import pack
from skelnas.results.shard import read_header
from skelnas.training.engines import Settings
from skelnas.training.shard import train_shard

SEED = 777
RECIPES = {  # as config.yaml has them, which a bare machine cannot read
    "sample-e12": Recipe(epochs=12, batch_size=32),
    "sample-e12-bf16": Recipe(epochs=12, batch_size=32, precision="bf16", exact_epochs=1),
}
PACKING = 20  # seconds kept
PARTS = {"cuda": (250, 1000), "cpu": (1, 4)}  # cells of the first part, which tells the rate, and of the others


@dataclass
class Pace:
    """How many cells may begin: as slow as the slowest part so far, they must end by `ends` (monotonic seconds)."""

    ends: float
    first: int
    most: int
    slowest: float = 0.0  # seconds per cell

    def next(self, now: float) -> int:
        """Cells of the next part, 0 where no sensible number would end in time."""
        if not self.slowest:
            return self.first if now < self.ends else 0
        fit = min(self.most, int((self.ends - now) / self.slowest))
        return fit if fit >= min(self.first, self.most) else 0

    def took(self, cells: int, seconds: float) -> None:
        """Note a part."""
        self.slowest = max(self.slowest, seconds / cells)


def train(
    images_file: Path, minutes: float, recipe_name: str, device: str, folder: Path, parts: Sequence[int] | None = None
) -> list[Path]:
    """Train cells from the first on that `folder` does not hold; its shards, in index order.

    Raises:
        InputError: what `train_shard` refuses.
    """
    begun = time.monotonic()
    images, recipe = read_image_set(images_file), RECIPES[recipe_name]
    settings = Settings(device=device, processes=len(os.sched_getaffinity(0)))
    kind = settings.torch_device().type
    pace = Pace(begun + 60 * minutes - PACKING, *(parts or PARTS[kind]))
    folder.mkdir(parents=True, exist_ok=True)
    done = [file for file in sorted(folder.glob("*-*.h5")) if read_header(file).fingerprint == images.fingerprint]
    first = max((max(read_header(file).cells) for file in done), default=-1) + 1
    while first < CELLS and (count := pace.next(time.monotonic())):
        cells = range(first, min(first + count, CELLS))
        started, file = time.monotonic(), folder / f"{cells[0]:05d}-{cells[-1]:05d}.h5"
        train_shard(images, recipe, cells, SEED, file, settings, images.name, recipe_name)
        pace.took(len(cells), time.monotonic() - started)
        done.append(file)
        first = cells[-1] + 1
        left = max(0.0, pace.ends - time.monotonic())
        sys.stderr.write(f"{first:,} of {CELLS:,} cells, {left:,.0f} s left\n")
    return done


def main() -> int:
    """Train and pack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="an image set of the workflow")
    parser.add_argument("--minutes", type=float, required=True, help="in all")
    parser.add_argument("--recipe", choices=RECIPES, default="sample-e12")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--out", type=Path, default=Path("build/first-study.zip"), help="(default build/first-study.zip)"
    )
    parser.add_argument("--folder", type=Path, help="of the shards (default: that of --out)")
    given = parser.parse_args()
    folder = (given.folder or given.out.parent) / f"first-study-{given.recipe}"
    try:
        shards = train(given.images, given.minutes, given.recipe, given.device, folder)
        size = pack(shards, given.out)
    except InputError as error:
        parser.exit(1, f"first_study: {error}\n")
    cells = sum(len(read_header(file).cells) for file in shards)
    print(
        f"{given.out}: {cells:,} cells in {len(shards)} shards, {size:,} bytes; `skelnas adopt {given.out}` takes it in"
    )
    print(f"torch {torch.__version__}, {given.recipe}, seed {SEED}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
