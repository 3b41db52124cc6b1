"""A predictor-based search: a regression on what was trained so far proposes what to train next.

The regression is scikit-learn's ridge on operations on edges and pairs of them. Such a search with a cheap regressor is
the simplest of those in White, Neiswanger, Savani, "BANANAS", AAAI 2021, and in White et al., "How Powerful are
Performance Predictors in Neural Architecture Search?", NeurIPS 2021.
"""

import itertools

import numpy as np
from sklearn.linear_model import Ridge

from skelnas.analysis.search.methods import Trace, whole
from skelnas.analysis.search.table import Table
from skelnas.cells import space

FIRST, EACH = 20, 20  # cells drawn at random, and proposed at a time


def predictor(table: Table, random: np.random.Generator, runs: int, trainings: int) -> Trace:
    """Twenty random cells, then twenty at a time: those that the regression holds for the best and that are new."""
    features = pair_features()
    cells = np.empty((runs, trainings), dtype=int)
    seeds, told = np.empty_like(cells), np.empty((runs, trainings), dtype=np.float32)
    every = np.arange(runs)[:, None]
    for begin, end in _rounds(trainings):
        if begin == 0:
            proposed = np.stack([random.permutation(space.CELLS)[:end] for _ in range(runs)])
        else:
            models = [Ridge(alpha=1.0).fit(features[cells[run, :begin]], told[run, :begin]) for run in range(runs)]
            guessed = np.stack([model.coef_ for model in models]) @ features.T  # intercepts order nothing
            guessed[every, cells[:, :begin]] = -np.inf
            proposed = np.argpartition(-guessed, end - begin, axis=1)[:, : end - begin]
        cells[:, begin:end] = proposed
        seeds[:, begin:end] = table.draw_seeds(proposed, random)
        told[:, begin:end] = table.told(proposed, seeds[:, begin:end])
    return whole(cells, seeds, table.epochs)


def pair_features() -> np.ndarray:
    """For each cell which operation is on which edge, and on which pair of edges: float32 (cells, 30 + 375)."""
    digits = np.array(space.all_cells())
    number = len(space.OPERATIONS)
    edges = [np.eye(number, dtype=np.float32)[digits[:, edge]] for edge in range(len(space.EDGES))]
    pairs = [
        (edges[first][:, :, None] * edges[second][:, None, :]).reshape(len(digits), -1)
        for first, second in itertools.combinations(range(len(edges)), 2)
    ]
    return np.concatenate([*edges, *pairs], axis=1)


def _rounds(trainings: int) -> list[tuple[int, int]]:
    ends = [*range(FIRST, trainings, EACH), trainings]
    return list(zip([0, *ends[:-1]], ends, strict=True))
