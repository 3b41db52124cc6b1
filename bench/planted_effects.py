"""How often the statistics of topology and cost find what was planted on edges: `python -m bench.planted_effects`.

Samples of 500 cells are drawn 200 times each, with a stated seed. In `nothing` all cells are equally good and only the
noise of their trainings differs; in `planted` a 3x3 convolution on the edge from input to output is worth four points,
and a shortcut two.
"""

import argparse

import numpy as np

from bench.planted import DRAWS, NOISE, SEED
from skelnas.analysis.cost.convolutions import ALL, EDGE, gains
from skelnas.analysis.landscape.variance import variance_shares
from skelnas.analysis.topology.claims import NOT_SUPPORTED, SUPPORTED, claims
from skelnas.analysis.topology.effects import main_effects
from skelnas.analysis.topology.traits import traits
from skelnas.cells import cost, grid, space
from skelnas.cells.space import CONV3
from skelnas.text import text_table

CELLS, WORTH, SHORTCUT, PLANTED_ON = 500, 4.0, 2.0, 3
EVERY = np.arange(space.CELLS)
COSTS = np.stack(cost.costs(10, 32, 32), axis=1)


def worth(planted: bool) -> np.ndarray:
    """What each cell is worth, (15,625,)."""
    on_edge = grid.digits_of(EVERY)[:, PLANTED_ON] == CONV3
    return 60 + planted * (WORTH * on_edge + SHORTCUT * traits(EVERY)["shortcut"].to_numpy())


class Planted:
    """What is true of all cells: their worth, (15,625,), and what the statistics say of it without noise."""

    def __init__(self, worth: np.ndarray) -> None:
        self.worth = worth
        self.effects = main_effects(EVERY, worth)
        self.gains = gains(EVERY, worth, COSTS)
        self.shares = variance_shares(EVERY, worth).set_index("edges")["share"].fillna(0.0)


def draw(truth: Planted, random: np.random.Generator) -> dict[str, float]:
    """What one sample shows: per statistic 1 or 0, or a share; missing where it has no such row."""
    cells = np.sort(random.choice(space.CELLS, CELLS, replace=False))
    values = truth.worth[cells] + random.normal(0, NOISE, CELLS)
    both = main_effects(cells, values).merge(truth.effects, on=["edge", "operation"], suffixes=("", "_true"))
    keys = ["in_place_of", "convolution", "by", "value"]
    more = gains(cells, values, COSTS[cells]).merge(truth.gains, on=keys, suffixes=("", "_true"))
    shares = variance_shares(cells, values)
    scale = truth.worth.var() / (truth.worth.var() + NOISE**2)  # noise takes its part of the variance of a sample
    alone = shares[shares["order"] == 1].itertuples()
    held = [row.low <= scale * truth.shares.get(row.edges, 0.0) <= row.high for row in alone]
    told = claims(cells, values)
    return {
        "95 % interval of a main effect holds it": _share(both["effect_true"].between(both["low"], both["high"])),
        "95 % interval of an edge's share holds it": _share(held),
        "95 % interval of one more convolution holds it": _share(
            more["gain_true"].between(more["low"], more["high"])[more["by"] == EDGE]
        ),
        "the same over all edges": _share(more["gain_true"].between(more["low"], more["high"])[more["by"] == ALL]),
        "some claim of the thesis is supported": float((told["verdict"] == SUPPORTED).any()),
        "the claim on shortcuts is supported": float(told["verdict"].iloc[0] == SUPPORTED),
        "the claim on shortcuts is not supported": float(told["verdict"].iloc[0] == NOT_SUPPORTED),
    }


def _share(held: object) -> float:
    return float(np.mean(held)) if len(held) else float("nan")  # type: ignore[arg-type]


def rates(draws: int = DRAWS) -> dict[str, dict[str, float]]:
    """The mean of every statistic over the draws, by what was planted."""
    found = {}
    for name in ("nothing", "planted"):
        random, truth = np.random.default_rng(SEED), Planted(worth(name == "planted"))
        rows = [draw(truth, random) for _ in range(draws)]
        found[name] = {key: float(np.nanmean([row[key] for row in rows])) for key in rows[0]}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS, help="samples of each kind")
    found = rates(parser.parse_args().draws)
    header = ["mean over the draws", *found]
    print(text_table(header, [[key, *(f"{found[name][key]:.3f}" for name in found)] for key in found["nothing"]]))


if __name__ == "__main__":
    main()
