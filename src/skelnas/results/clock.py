"""What a cell costs, and a clock that charges what its training took."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from skelnas.cells import naming
from skelnas.errors import InputError
from skelnas.results import query
from skelnas.results.number import Number


def timing_table(benchmark: Path | str) -> Path:
    """The file of measured seconds beside a benchmark file."""
    return Path(benchmark).with_suffix(".timing.parquet")


@dataclass(frozen=True)
class Cost:
    """What a cell costs. macs: multiply-accumulates for one image; seconds: of one training, mean over the seeds that
    were timed, or None where nobody measured; devices: those they were measured on."""

    cell: int
    parameters: int
    macs: int
    seconds: Number | None
    devices: tuple[str, ...]


def cost(benchmark: "query.Benchmark", cell: int) -> Cost:
    """The cost of a cell by its index."""
    row = int(np.searchsorted(benchmark.cells, cell))
    seconds = measured(benchmark) if timing_table(benchmark.path).is_file() else {}
    own = {seed: found for (index, seed), found in seconds.items() if index == cell}
    devices = tuple(sorted({device for _, device in own.values()}))
    return Cost(
        cell,
        int(benchmark.parameters[row]),
        int(benchmark.macs[row]),
        _seconds(benchmark, cell, [own[seed][0] for seed in own], tuple(own), devices) if own else None,
        devices,
    )


def measured(benchmark: "query.Benchmark") -> dict[tuple[int, int], tuple[float, str]]:
    """Seconds and device of each training, by cell and seed, from the file beside the benchmark.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    from skelnas.results.summary import read_table  # pandas is slow to import

    path = timing_table(benchmark.path)
    if not path.is_file():
        raise InputError(f"{path} is not there, so nobody knows how long training took; put it beside {benchmark.path}")
    table = read_table(path)
    columns = (table[name].tolist() for name in ("index", "seed", "seconds", "device"))
    return {(index, seed): (seconds, device) for index, seed, seconds, device in zip(*columns, strict=True)}


def _seconds(
    benchmark: "query.Benchmark", cell: int, found: list[float], seeds: tuple[int, ...], devices: tuple[str, ...]
) -> Number:
    note = f"measured on {', '.join(devices)}"
    return Number(float(np.mean(found)), "s", "training", "", cell, seeds, None, benchmark.epochs, note)


class Clock:
    """Search as if it trained: each answer charges the seconds that its epochs took.

    An epoch takes its share of the training's seconds. Epochs that were charged are not charged again: whoever asks for
    more epochs of a training goes on where it stopped. Without a seed all seeds are trained, and charged.
    """

    def __init__(self, benchmark: "query.Benchmark") -> None:
        self.benchmark, self.seconds = benchmark, 0.0
        self._measured = measured(benchmark)
        self._trained: dict[tuple[int, int], int] = {}  # cell and seed -> epochs that were charged

    def train(
        self,
        cell: naming.Named,
        epochs: int | None = None,
        seed: int | None = None,
        split: str = "valid",
        metric: str = "top1",
    ) -> Number:
        """The value after so many epochs (None: all), and its seconds are charged.

        Raises:
            InputError: a wrong argument, a training that nobody has, or one that was not timed; nothing is charged.
        """
        benchmark = self.benchmark
        number = benchmark.epochs if epochs is None else naming.whole("number of epochs", epochs)
        if not 1 <= number <= benchmark.epochs:
            raise InputError(f"{number} epochs cannot be trained; from 1 to {benchmark.epochs} can")
        value = benchmark.value(cell, split, metric, number - 1, seed)
        if np.isnan(value) and not value.seeds:
            raise InputError(f"{benchmark.path} has no training of cell {value.cell} that recorded epoch {number - 1}")
        trainings = [(value.cell, one) for one in value.seeds]
        if untimed := [training for training in trainings if training not in self._measured]:
            raise InputError(f"nobody measured cell {untimed[0][0]} with seed {untimed[0][1]}: see `benchmark.cost`")
        for training in trainings:
            more = max(0, number - self._trained.get(training, 0))
            self.seconds += self._measured[training][0] * more / benchmark.epochs
            self._trained[training] = max(number, self._trained.get(training, 0))
        return value
