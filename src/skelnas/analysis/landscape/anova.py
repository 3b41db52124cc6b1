"""Which edges accuracy hangs on: shares of its variance, exact where all cells are known, estimated from a sample.

All cells are a full factorial of 5^6 with every combination once, so the functional ANOVA (Hoeffding 1948; Sobol 1993)
is a matter of means: each of the 63 sets of edges has its share of the variance, and the shares sum to 1. A sample is
no factorial: there main effects, and pairs where the cells suffice, are fitted by least squares, and the interval of a
share comes from that of the non-centrality of its F statistic (Steiger 2004, Psychological Methods 9(2)).
"""

import itertools

import numpy as np
import scipy.optimize
import scipy.stats

from skelnas.cells.grid import EDGES, NEIGHBOURS, OPERATIONS

Edges = tuple[int, ...]
ORDERS = range(1, EDGES + 1)
MAIN = 1 + EDGES * (OPERATIONS - 1)  # parameters of the model with main effects alone
PAIRS = MAIN + EDGES * (EDGES - 1) // 2 * (OPERATIONS - 1) ** 2
PER_PARAMETER = 2  # so many cells must be there for each parameter of a model


def subsets(orders: range = ORDERS) -> list[Edges]:
    """Every set of edges with so many members, small ones first."""
    return [edges for order in orders for edges in itertools.combinations(range(EDGES), order)]


def effect(grid: np.ndarray, edges: Edges) -> np.ndarray:
    """The effect of a set of edges: what their operations together add to everything that fewer of them explain.

    Shape (5, ..., 5), an axis for each of `edges`; the empty set's is the mean.
    """
    rest = tuple(axis for axis in range(EDGES) if axis not in edges)
    value = grid.mean(axis=rest)
    for axis in range(len(edges)):
        value = value - value.mean(axis=axis, keepdims=True)
    return value


def exact_shares(grid: np.ndarray) -> dict[Edges, float]:
    """The share of the variance that each of the 63 sets of edges has; all are missing where the grid is constant."""
    variance = grid.var()
    constant = np.ptp(grid) == 0
    return {edges: np.nan if constant else float((effect(grid, edges) ** 2).mean() / variance) for edges in subsets()}


def shares_by_order(shares: dict[Edges, float]) -> np.ndarray:
    """The sum of the shares of 1, 2, ... 6 edges: float64 (6,)."""
    return np.array([sum(share for edges, share in shares.items() if len(edges) == order) for order in ORDERS])


def noise_share(order: int) -> float:
    """The share of independent noise, equally strong in every cell, that falls to a set of so many edges."""
    return (OPERATIONS - 1) ** order / (OPERATIONS**EDGES - 1)


def walk_correlation(by_order: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The autocorrelation of accuracy along a random walk, from the shares of each order.

    A step changes one edge, chosen at random, to another operation: an interaction of p edges keeps 1 - 5p/24 of its
    correlation (an eigenvalue of the Hamming graph H(6, 5); Stadler 1996, Journal of Mathematical Chemistry 20).
    """
    kept = 1 - np.array(ORDERS) * OPERATIONS / NEIGHBOURS
    return (by_order[:, None] * kept[:, None] ** np.asarray(steps)).sum(axis=0)


def distance_correlation(by_order: np.ndarray) -> np.ndarray:
    """The correlation of cells that differ on 0, 1, ... 6 edges, from the shares of each order: float64 (7,).

    By the Krawtchouk polynomials of H(6, 5) (Delsarte 1973).
    """
    return np.array(
        [
            sum(share * _krawtchouk(order, distance) for order, share in zip(ORDERS, by_order, strict=True))
            for distance in range(EDGES + 1)
        ]
    )


def _krawtchouk(order: int, distance: int) -> float:
    """1 at distance 0."""
    choose = scipy.special.comb
    value = sum(
        (-1) ** inside * (OPERATIONS - 1) ** (order - inside) * choose(distance, inside)
        * choose(EDGES - distance, order - inside)
        for inside in range(order + 1)
    )  # fmt: skip
    return float(value / (choose(EDGES, order) * (OPERATIONS - 1) ** order))


def largest_order(cells: int) -> int:
    """The order of the largest model that so many cells can carry: 0 for none, 1 for main effects, 2 for pairs."""
    return 2 if cells >= PER_PARAMETER * PAIRS else 1 if cells >= PER_PARAMETER * MAIN else 0


def design(digits: np.ndarray, order: int) -> dict[Edges, np.ndarray]:
    """Columns of the linear model, by set of edges: operations in contrast to the mean over operations.

    For one edge (cells, 4), for a pair (cells, 16): contrasts sum to zero, so that over all cells sets are orthogonal.
    """
    contrasts = np.vstack([-np.ones(OPERATIONS - 1), np.eye(OPERATIONS - 1)])
    columns: dict[Edges, np.ndarray] = {(edge,): contrasts[digits[:, edge]] for edge in range(EDGES)}
    for one, other in itertools.combinations(range(EDGES), 2) if order > 1 else ():
        product = columns[(one,)][:, :, None] * columns[(other,)][:, None, :]
        columns[(one, other)] = product.reshape(len(digits), -1)
    return columns


def sample_shares(digits: np.ndarray, values: np.ndarray, order: int, level: float = 0.95) -> dict[Edges, np.ndarray]:
    """Estimate and interval (3,) of the share of the variance of each set of up to `order` edges, from a sample of
    cells.

    digits: (n, 6); values: (n,). Each set is tested against the model without it. The estimate is corrected for what
    chance alone explains and cut off at 0. Missing where values are constant or cells do not suffice.
    """
    columns = design(digits, order)
    freedom = len(values) - 1 - sum(part.shape[1] for part in columns.values())
    if freedom < 1 or np.ptp(values) == 0:
        return {edges: np.full(3, np.nan) for edges in columns}
    full = np.column_stack([np.ones(len(values)), *columns.values()])
    products = full.T @ full
    if np.linalg.matrix_rank(products) < len(products):
        return {edges: np.full(3, np.nan) for edges in columns}
    inverse = np.linalg.inv(products)
    coefficients = inverse @ (full.T @ values)
    error = float(((values - full @ coefficients) ** 2).sum()) / freedom
    if error <= 1e-12 * values.var():
        return {edges: np.full(3, np.nan) for edges in columns}
    scale = error / len(values) / float(values.var(ddof=1))  # from non-centrality to a share of the variance
    shares, end = {}, 1
    for edges, part in columns.items():
        own = slice(end, end := end + part.shape[1])
        explained = float(coefficients[own] @ np.linalg.solve(inverse[own, own], coefficients[own]))
        number = part.shape[1]
        statistic = explained / number / error
        estimate = max(0.0, statistic * number * (freedom - 2) / freedom - number) if freedom > 2 else np.nan
        limits = non_centrality(statistic, number, freedom, level)
        shares[edges] = np.minimum(1.0, scale * np.array([estimate, *limits]))
    return shares


def non_centrality(statistic: float, numerator: int, denominator: int, level: float) -> tuple[float, float]:
    """The interval of an F statistic's non-centrality."""

    def solved(probability: float) -> float:
        def excess(value: float) -> float:
            # At 0 scipy's non-central distribution is the central one.
            return float(scipy.stats.ncf.cdf(statistic, numerator, denominator, value)) - probability

        if scipy.stats.f.cdf(statistic, numerator, denominator) <= probability:
            return 0.0
        top = 4.0 * numerator * statistic + 50
        while excess(top) > 0:
            top *= 2
        return float(scipy.optimize.brentq(excess, 1e-12, top))

    return solved((1 + level) / 2), solved((1 - level) / 2)
