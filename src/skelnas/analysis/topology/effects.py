"""What each operation on each edge adds to accuracy, alone and in pairs, from all cells or from a sample.

Effects are contrasts to the mean: those of an edge sum to zero over its operations, those of a pair of edges along
both. Of all cells they are means, and exact. Of a sample they are the coefficients of a least-squares fit with main
effects, and with pairs where the cells suffice (`anova.largest_order`); their intervals allow for noise that differs
from cell to cell (HC3; MacKinnon and White 1985, Journal of Econometrics 29).
"""

import itertools
import math

import numpy as np
import pandas as pd
import scipy.stats

from skelnas.analysis.landscape import anova
from skelnas.analysis.landscape.variance import EXACT, SAMPLE
from skelnas.cells import space
from skelnas.cells.grid import EDGES, OPERATIONS, digits_of, grid_of

MAIN_COLUMNS = ("edge", "operation", "effect", "low", "high", "cells", "method", "mean")
PAIR_COLUMNS = ("edge", "operation", "other_edge", "other_operation", "effect", "low", "high", "method")


def main_effects(cells: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """One row per edge and operation: effect (points of percent) with its 95 % interval (missing where exact), cells
    that have it, method, and the mean of all, in every row alike. No rows where cells do not suffice."""
    fitted = _fit(cells, values, 1)
    if fitted is None:
        return pd.DataFrame(columns=list(MAIN_COLUMNS))
    effects, method = fitted
    there = ~np.isnan(values)
    digits = digits_of(cells[there])
    rows = [
        {"edge": name(edge), "operation": operation, **_numbers(effects[(edge,)], (place,)),
         "cells": int((digits[:, edge] == place).sum()), "method": method, "mean": float(values[there].mean())}
        for edge in range(EDGES)
        for place, operation in enumerate(space.OPERATIONS)
    ]  # fmt: skip
    return pd.DataFrame(rows)[list(MAIN_COLUMNS)]


def interactions(cells: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    """One row per pair of edges and operations on them: what they add together beyond the two main effects."""
    fitted = _fit(cells, values, 2)
    if fitted is None:
        return pd.DataFrame(columns=list(PAIR_COLUMNS))
    effects, method = fitted
    rows = [
        {
            "edge": name(one),
            "operation": space.OPERATIONS[place],
            "other_edge": name(other),
            "other_operation": space.OPERATIONS[there],
            **_numbers(effects[(one, other)], (place, there)),
            "method": method,
        }
        for one, other in itertools.combinations(range(EDGES), 2)
        for place, there in np.ndindex(OPERATIONS, OPERATIONS)
    ]
    return pd.DataFrame(rows)[list(PAIR_COLUMNS)]


def name(edge: int) -> str:
    return f"{space.EDGES[edge][0]}>{space.EDGES[edge][1]}"


def _numbers(effects: np.ndarray, place: tuple[int, ...]) -> dict[str, float]:
    return dict(zip(("effect", "low", "high"), (float(one[place]) for one in effects), strict=True))


def _fit(cells: np.ndarray, values: np.ndarray, order: int) -> tuple[dict[anova.Edges, np.ndarray], str] | None:
    """Effect, low and high (3, 5) of each edge or (3, 5, 5) of each pair, and the method; None where cells do not
    suffice."""
    grid = grid_of(cells, values)
    if grid is not None:
        exact = {edges: anova.effect(grid, edges) for edges in anova.subsets(range(1, order + 1))}
        return {edges: np.stack([one, *[np.full_like(one, np.nan)] * 2]) for edges, one in exact.items()}, EXACT
    there = ~np.isnan(values)
    largest = anova.largest_order(int(there.sum()))
    if largest < order:
        return None
    fitted = sample_effects(digits_of(cells[there]), values[there], largest)
    return None if fitted is None else (fitted, SAMPLE[largest])


def sample_effects(
    digits: np.ndarray, values: np.ndarray, order: int, level: float = 0.95
) -> dict[anova.Edges, np.ndarray] | None:
    """Effects and intervals of the fit to a sample, (3, 5) or (3, 5, 5) for each set of edges; None where operations
    are missing."""
    columns = anova.design(digits, order)
    full = np.column_stack([np.ones(len(values)), *columns.values()])
    products = full.T @ full
    freedom = len(values) - len(products)
    if freedom < 1 or np.linalg.matrix_rank(products) < len(products):
        return None
    inverse = np.linalg.inv(products)
    coefficients = inverse @ (full.T @ values)
    leverage = np.einsum("ij,jk,ik->i", full, inverse, full)
    off = (values - full @ coefficients) / np.maximum(1e-9, 1 - leverage)
    covariance = inverse @ (full.T * off**2 @ full) @ inverse
    reach = scipy.stats.t.ppf((1 + level) / 2, freedom)
    every = np.vstack([-np.ones(OPERATIONS - 1), np.eye(OPERATIONS - 1)])  # from coefficients to all operations
    effects, end = {}, 1
    for edges, part in columns.items():
        own = slice(end, end := end + part.shape[1])
        spread = every if len(edges) == 1 else np.kron(every, every)
        value = spread @ coefficients[own]
        half = reach * np.sqrt(np.einsum("ij,jk,ik->i", spread, covariance[own, own], spread))
        shape = (OPERATIONS,) * len(edges)
        effects[edges] = np.stack([value, value - half, value + half]).reshape(3, *shape)
    return effects


def reach_of(values: np.ndarray) -> float:
    """The largest of some numbers, whatever their sign; 1 where there is none but 0."""
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    return largest if largest and math.isfinite(largest) else 1.0
