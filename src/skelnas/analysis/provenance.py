"""What every figure must say about where its numbers come from."""

from dataclasses import dataclass

import numpy as np

from skelnas.cells import space
from skelnas.recipe import SPLITS
from skelnas.results.query import Benchmark
from skelnas.text import counted


@dataclass(frozen=True)
class Facts:
    """The outline of one benchmark: its size, its seeds, its samples per split, and what it lacks.

    incomplete: cells that lack a seed; splits: those with an accuracy after the last epoch; curves: those with one
    after the first epoch too; losses: whether there are any.
    """

    dataset: str
    recipe: str
    cells: int
    seeds: tuple[int, ...]
    epochs: int
    samples: dict[str, int]
    classes: int
    incomplete: int = 0
    splits: tuple[str, ...] = SPLITS
    curves: tuple[str, ...] = SPLITS
    losses: bool = True

    @property
    def chance(self) -> float:
        """Accuracy of guessing, in percent: every class equally likely."""
        return 100 / self.classes

    @property
    def split(self) -> str:
        """The split that accuracies are reported on: test where it was measured, else validation, else training."""
        return next((split for split in ("test", "valid", "train") if split in self.splits), "test")

    @property
    def complete(self) -> bool:
        """Whether every cell of the search space is there, with every seed."""
        return self.cells == space.CELLS and not self.incomplete

    def line(self, *splits: str) -> str:
        """The line below a figure's title: data set, recipe, cells, seeds, and the samples of the splits shown."""
        seeds = ", ".join(map(str, self.seeds))
        gaps = f" ({self.incomplete:,} cells lack some)" if self.incomplete else ""
        parts = [
            f"{self.dataset}, {self.recipe} ({counted(self.epochs, 'epoch')})",
            counted(self.cells, "cell"),
            f"{'seed' if len(self.seeds) == 1 else 'mean of seeds'} {seeds}{gaps}",
            "samples: " + ", ".join(f"{self.samples[split]:,} {split}" for split in splits if self.samples[split]),
        ]
        return "  ·  ".join(parts)


def facts_of(benchmark: Benchmark) -> Facts:
    """The outline of an opened benchmark."""
    last = {split: benchmark.present(split) for split in SPLITS}
    return Facts(
        benchmark.dataset,
        benchmark.recipe_name,
        len(benchmark),
        benchmark.seeds,
        benchmark.epochs,
        benchmark.samples,
        benchmark.classes,
        int((~np.any(list(last.values()), axis=0)).any(axis=1).sum()),
        tuple(split for split in SPLITS if last[split].any()),
        tuple(split for split in SPLITS if last[split].any() and benchmark.present(split, epoch=0).any()),
        benchmark.has_losses,
    )
