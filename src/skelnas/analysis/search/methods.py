"""Search methods on a table: each gives the order in which it would train, many runs at once.

A method is `(table, random, runs, trainings) -> Trace`; `trainings` is how many whole trainings a run may cost.
The predictor is in `predictor.py`.
"""

import math
from dataclasses import dataclass

import numpy as np

from skelnas.analysis.search.table import Table
from skelnas.cells import space
from skelnas.cells.grid import cells_of, digits_of, neighbouring_cells

# Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019, with a population that suits
# some hundred trainings (NAS-Bench-201's own script takes 10 and 3 as well).
POPULATION, TOURNAMENT = 10, 3
REDUCTION = 3  # of successive halving: a third goes on, with three times the epochs


@dataclass(frozen=True)
class Trace:
    """Trainings in the order in which they end: integers (runs, n) each.

    epoch: the one after which it was looked at. since: the epoch that it went on from, 0 for a new training.
    """

    cell: np.ndarray
    seed: np.ndarray
    epoch: np.ndarray
    since: np.ndarray


def whole(cell: np.ndarray, seed: np.ndarray, epochs: int) -> Trace:
    """The trace of trainings from the first epoch to the last."""
    return Trace(cell, seed, np.full(cell.shape, epochs), np.zeros(cell.shape, dtype=int))


def random_search(table: Table, random: np.random.Generator, runs: int, trainings: int) -> Trace:
    """Cells drawn with replacement, each as likely as the others; `expected_best` is its closed form."""
    cells = random.integers(space.CELLS, size=(runs, trainings))
    return whole(cells, table.draw_seeds(cells, random), table.epochs)


def expected_best(table: Table, trainings: int) -> float:
    """What random search's choice is worth on average after so many trainings, in percent.

    Of all trainings in ascending order of what a search is told, the i-th is the best of n draws with probability
    F(i)^n - F(i-1)^n, F being the share of draws up to it.
    """
    seen = table.seen[..., -1].astype(np.float64)
    present = ~np.isnan(seen)
    weight = (present / present.sum(axis=1, keepdims=True) / len(seen))[present]
    order = np.argsort(seen[present], kind="stable")
    share = np.cumsum(weight[order])
    probability = np.diff((share / share[-1]) ** trainings, prepend=0.0)
    return float((probability * table.judged[present][order]).sum())


def evolution(table: Table, random: np.random.Generator, runs: int, trainings: int) -> Trace:
    """Regularised evolution: the oldest dies, so the population is always the last that were trained."""
    cells = np.empty((runs, trainings), dtype=int)
    seeds, told = np.empty_like(cells), np.empty((runs, trainings), dtype=np.float32)
    digits = digits_of(np.arange(space.CELLS))
    every = np.arange(runs)
    for step in range(trainings):
        if step < POPULATION:
            cells[:, step] = random.integers(space.CELLS, size=runs)
        else:
            candidates = random.integers(step - POPULATION, step, size=(runs, TOURNAMENT))
            parent = candidates[every, told[every[:, None], candidates].argmax(axis=1)]
            child = digits[cells[every, parent]].copy()
            edge = random.integers(len(space.EDGES), size=runs)
            other = random.integers(1, len(space.OPERATIONS), size=runs)  # never the operation that is there
            child[every, edge] = (child[every, edge] + other) % len(space.OPERATIONS)
            cells[:, step] = cells_of(child)
        seeds[:, step] = table.draw_seeds(cells[:, step], random)
        told[:, step] = table.told(cells[:, step], seeds[:, step])
    return whole(cells, seeds, table.epochs)


def local_search(table: Table, random: np.random.Generator, runs: int, trainings: int) -> Trace:
    """From a random cell to the best of its 24 neighbours until none is better, then anew from another one.

    Source: White, Nolen, Savani, "Exploring the Loss Landscape in Neural Architecture Search", UAI 2021. A cell that
    was trained before is not trained again.
    """
    cells = np.empty((runs, trainings), dtype=int)
    seeds = np.empty_like(cells)
    for run in range(runs):
        told: dict[int, float] = {}
        start = int(random.integers(space.CELLS))
        unseen, around = [start], [start]
        while len(told) < trainings:
            new = np.array(unseen[: trainings - len(told)], dtype=int)
            part = slice(len(told), len(told) + len(new))
            cells[run, part], seeds[run, part] = new, table.draw_seeds(new, random)
            told |= zip(new.tolist(), table.told(new, seeds[run, part]).tolist(), strict=True)
            best = max((cell for cell in around if cell in told), key=told.__getitem__)
            if best == start and len(around) > 1:  # a local optimum
                best = start = int(random.integers(space.CELLS))
                around = [start]
            else:
                start, around = best, [best, *neighbouring_cells()[best].tolist()]
            unseen = [cell for cell in random.permutation(around).tolist() if cell not in told]
    return whole(cells, seeds, table.epochs)


def halving(table: Table, random: np.random.Generator, runs: int, trainings: int) -> Trace:
    """Successive halving over epochs: brackets of new cells, of which a third goes on with three times the epochs.

    Source: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS
    2016. Trainings go on where they stopped; the first rung has at least one epoch and at most 27 cells.
    """
    rungs = rung_epochs(table.epochs)
    number = REDUCTION ** (len(rungs) - 1)
    before = [0, *rungs[:-1]]
    cost = sum(number // REDUCTION**rung * (rungs[rung] - before[rung]) for rung in range(len(rungs))) / table.epochs
    alive = random.integers(space.CELLS, size=(runs, math.ceil(trainings / cost), number))
    seeds = table.draw_seeds(alive, random)
    parts: list[Trace] = []
    for rung, epoch in enumerate(rungs):
        parts.append(Trace(alive, seeds, np.full(alive.shape, epoch), np.full(alive.shape, before[rung])))
        keep = alive.shape[-1] // REDUCTION
        best = np.argsort(-table.told(alive, seeds, epoch - 1), axis=-1, kind="stable")[..., :keep]
        alive, seeds = (np.take_along_axis(values, best, axis=-1) for values in (alive, seeds))
    joined = (
        np.concatenate([getattr(part, name) for part in parts], axis=-1).reshape(runs, -1)
        for name in ("cell", "seed", "epoch", "since")
    )
    return Trace(*joined)


def rung_epochs(epochs: int) -> list[int]:
    """The epochs of the rungs, the last one being all: 1, 4, 12 of 12; 7, 22, 67, 200 of 200."""
    rungs = [epochs]
    while rungs[0] / REDUCTION >= 1 and len(rungs) < 4:
        rungs.insert(0, max(1, round(rungs[0] / REDUCTION)))
    return rungs
