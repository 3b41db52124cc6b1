"""Which cells of a benchmark are trained once more: `predictions` and `keep-weights` of a study, resolved."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skelnas.cells import naming, space
from skelnas.cells.edges import is_connected
from skelnas.cells.names import RESNET, named
from skelnas.errors import InputError
from skelnas.results.query import Benchmark

ROLES = ("best", "median", "worst", "resnet")


@dataclass(frozen=True)
class Chosen:
    """A cell, the first seed it was trained with, and what it was chosen as: one of `ROLES`, "best 2", or "cell"."""

    role: str
    cell: int
    seed: int


def kept(wish: str | Sequence[str | int]) -> list[str | int]:
    """`keep-weights` as wishes of `choose`: `best 3` is the best, the second and the third best; a list is as it is."""
    if not isinstance(wish, str):
        return list(wish)
    _, _, number = wish.partition(" ")
    return ["best", *(f"best {rank}" for rank in range(2, int(number or 1) + 1))]


def choose(benchmark: Benchmark, wishes: Sequence[str | int]) -> list[Chosen]:
    """The networks that `wishes` name, in their order and each cell once.

    `best` and `median` go by validation accuracy (mean over seeds), so that the test split has no say in what is shown
    on it, and so does `worst`, the worst cell with a path from input to output; of equals the smallest index. `best 2`
    is the second best. `resnet` is cell 11472, or where it was not trained the first cell that is the same graph, and
    left out where there is none. A cell goes by its index or its string.

    Raises:
        InputError: a cell is not in the benchmark, or no cell has an accuracy.
    """
    accuracy, trained = _accuracy(benchmark)
    found: dict[int, Chosen] = {}
    for wish in wishes:
        cell = _cell(benchmark, wish, accuracy)
        if cell is not None and cell not in found:
            row = int(np.searchsorted(benchmark.cells, cell))
            role = wish if isinstance(wish, str) and not wish.startswith("|") else "cell"
            found[cell] = Chosen(role, cell, benchmark.seeds[int(trained[row].argmax())])
    return list(found.values())


def _accuracy(benchmark: Benchmark) -> tuple[np.ndarray, np.ndarray]:
    """Mean validation accuracy (cells,), of test where nobody has that, and which seeds a cell has (cells, seeds)."""
    split = "valid" if benchmark.present("valid").any() else "test"
    return benchmark.seed_means(split), benchmark.present(split)


def _cell(benchmark: Benchmark, wish: str | int, accuracy: np.ndarray) -> int | None:
    cells = benchmark.cells
    if not isinstance(wish, str) or wish.startswith("|"):
        if naming.index_of(wish) not in cells:
            raise InputError(f"{benchmark.path} has no cell {wish}; name one that the study trains")
        return naming.index_of(wish)
    if wish == "resnet":
        alike = cells[named("resnet")[cells]]
        return RESNET if RESNET in alike else int(alike[0]) if len(alike) else None
    eligible = ~np.isnan(accuracy)
    if wish == "worst":
        connected = eligible & np.array([is_connected(space.cell(int(cell))) for cell in cells])
        eligible = connected if connected.any() else eligible
    if not eligible.any():
        raise InputError(f"no cell of {benchmark.path} has an accuracy to be chosen by")
    ranked = cells[eligible][np.argsort(-accuracy[eligible], kind="stable")]
    if wish == "worst":
        return int(cells[eligible][accuracy[eligible].argmin()])
    if wish == "median":
        return int(ranked[len(ranked) // 2])
    rank = int(wish.removeprefix("best") or 1)
    if rank > len(ranked):
        raise InputError(
            f"{benchmark.path} has an accuracy of {len(ranked)} cells, too few for {wish!r}; ask for fewer"
        )
    return int(ranked[rank - 1])
