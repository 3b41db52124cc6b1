"""What is measured: image shapes of the two studies, sets of cells, and random images in those shapes."""

from dataclasses import dataclass, replace

import numpy as np

from bench.roofline import Shape
from skelnas.cells import space
from skelnas.cells.selection import select
from skelnas.images.image_set import ImageSet, sealed


@dataclass(frozen=True)
class Study:
    """One of the two studies: its shape in full, and the trainings of all 15,625 cells that it asks for."""

    name: str
    full: Shape
    epochs: int
    seeds: int


UTD = Study("UTD-MHAD", Shape(20, 68, 27, batch_size=32, train=323, valid=108, test=430), epochs=200, seeds=3)
NTU = Study(
    "NTU RGB+D 60", Shape(28, 84, 60, batch_size=256, train=27_561, valid=12_530, test=16_487), epochs=200, seeds=1
)

# About the mean of the search space in multiply-accumulates, and a costlier mixture; edges 01 | 02 12 | 03 13 23.
MEAN_CELL = (space.CONV3, space.SKIP, space.CONV1, space.POOL, space.NONE, space.CONV1)
MIXED_CELL = (space.CONV3, space.CONV1, space.POOL, space.SKIP, space.NONE, space.CONV3)


SETS = ("all-skip", "mean", "mixed", "all-3x3")  # from the cheapest to the dearest


def cell_sets(stratified: int) -> dict[str, tuple[int, ...]]:
    """Architecture indices by the name of the set; `stratified` cells in the last one."""
    single = (1835, space.index(MEAN_CELL), space.index(MIXED_CELL), 1462)
    return {
        **{name: (cell,) for name, cell in zip(SETS, single, strict=True)},
        f"stratified-{stratified}": select(f"stratified-{stratified}"),
    }


def scaled(shape: Shape, train: int) -> Shape:
    """The shape with `train` training samples and as many fewer samples in the other splits."""
    share = train / shape.train
    return replace(shape, train=train, valid=round(shape.valid * share), test=round(shape.test * share))


def random_images(shape: Shape) -> ImageSet:
    """An image set of random pixels and labels; what pixels hold changes no time."""
    random = np.random.default_rng(0)
    pool = shape.train + shape.valid

    def images(number: int) -> np.ndarray:
        return random.integers(0, 256, (number, shape.height, shape.width, 3), dtype=np.uint8)

    return sealed(
        ImageSet(
            name="random",
            pool_images=images(pool),
            pool_labels=random.integers(0, shape.classes, pool),
            pool_names=tuple(f"p{number}" for number in range(pool)),
            pool_subjects=np.ones(pool, dtype=np.int64),
            test_images=images(shape.test),
            test_labels=random.integers(0, shape.classes, shape.test),
            test_names=tuple(f"t{number}" for number in range(shape.test)),
            test_subjects=np.ones(shape.test, dtype=np.int64),
            train_index=np.arange(shape.train),
            valid_index=np.arange(shape.train, pool),
            class_names=tuple(f"class {number}" for number in range(shape.classes)),
            mean=np.full(3, 127.5),
            std=np.full(3, 73.9),
            encoding="random",
            fingerprint="",
        )
    )
