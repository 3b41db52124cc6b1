"""What every figure must say about where its numbers come from."""

from dataclasses import dataclass

import numpy as np

from skelnas.recipe import SPLITS
from skelnas.results.query import Benchmark
from skelnas.text import counted


@dataclass(frozen=True)
class Facts:
    """The outline of one benchmark: its size, its seeds, its samples per split; `incomplete` cells lack a seed."""

    dataset: str
    recipe: str
    cells: int
    seeds: tuple[int, ...]
    epochs: int
    samples: dict[str, int]
    classes: int
    incomplete: int = 0

    @property
    def chance(self) -> float:
        """Accuracy of guessing, in percent: every class equally likely."""
        return 100 / self.classes

    def line(self, *splits: str) -> str:
        """The line below a figure's title: data set, recipe, cells, seeds, and the samples of the splits shown."""
        seeds = ", ".join(map(str, self.seeds))
        gaps = f" ({self.incomplete:,} cells lack some)" if self.incomplete else ""
        parts = [
            f"{self.dataset}, {self.recipe} ({counted(self.epochs, 'epoch')})",
            counted(self.cells, "cell"),
            f"{'seed' if len(self.seeds) == 1 else 'mean of seeds'} {seeds}{gaps}",
            "samples: " + ", ".join(f"{self.samples[split]:,} {split}" for split in splits),
        ]
        return "  ·  ".join(parts)


def facts_of(benchmark: Benchmark) -> Facts:
    """The outline of an opened benchmark."""
    return Facts(
        benchmark.dataset,
        benchmark.recipe_name,
        len(benchmark),
        benchmark.seeds,
        benchmark.epochs,
        benchmark.samples,
        benchmark.classes,
        int((~np.any([benchmark.present(split) for split in SPLITS], axis=0)).any(axis=1).sum()),
    )
