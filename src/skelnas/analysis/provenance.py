"""What every figure must say about where its numbers come from."""

from dataclasses import dataclass

from skelnas.results.query import Benchmark


@dataclass(frozen=True)
class Facts:
    """The outline of one benchmark: its size, its seeds, its samples per split."""

    dataset: str
    recipe: str
    cells: int
    seeds: tuple[int, ...]
    epochs: int
    samples: dict[str, int]
    classes: int

    @property
    def chance(self) -> float:
        """Accuracy of guessing, in percent: every class equally likely."""
        return 100 / self.classes

    def line(self, *splits: str) -> str:
        """The line below a figure's title: data set, recipe, cells, seeds, and the samples of the splits shown."""
        seeds = ", ".join(map(str, self.seeds))
        parts = [
            f"{self.dataset}, {self.recipe} ({counted(self.epochs, 'epoch')})",
            counted(self.cells, "cell"),
            f"{'seed' if len(self.seeds) == 1 else 'mean of seeds'} {seeds}",
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
    )


def counted(number: int, noun: str) -> str:
    """'1 cell', '15,625 cells'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
