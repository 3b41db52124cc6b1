"""How well search methods do on this table: the regret of what they choose against the seconds that they cost."""

import importlib.util

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis.provenance import Facts, facts_of
from skelnas.analysis.search import methods
from skelnas.analysis.search.table import Table, asked
from skelnas.analysis.style import headline, new_figure, style
from skelnas.results import clock
from skelnas.results.query import Benchmark

RUNS, TRAININGS, SEED = 500, 200, 0
POINTS = 60  # of the curves, from the cost of FROM trainings to that of all
FROM = 5
BAND = (10, 90)  # percentiles over the runs
LABELS = {
    "random": "random search",
    "evolution": "regularised evolution",
    "local": "local search",
    "halving": "successive halving over epochs",
    "predictor": "ridge predictor",
}
COLOURS = {
    "random": "#616e7c",
    "evolution": "#d55e00",
    "local": "#009e73",
    "halving": "#cc79a7",
    "predictor": "#0072b2",
}
COLUMNS = ("method", "cost", "unit", "trainings", "regret", "regret_low", "regret_high", "worth", "split", "runs")


def tabulate(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    """For each method and cost: mean and band of the regret over 500 runs, in points of accuracy; needs every cell.

    cost is in `unit` (recorded seconds, or whole trainings where no seconds are); trainings the same as a number of
    mean trainings; worth is the best accuracy less the regret; split the one that the choice is judged on.
    """
    facts = facts_of(benchmark)
    valid = benchmark.curves("valid") if "valid" in facts.curves else benchmark.values("valid")[..., None]
    try:
        table = asked(valid, benchmark.values("test"), _seconds(benchmark))
    except ValueError:
        return pd.DataFrame(columns=list(COLUMNS))
    costs = np.geomspace(FROM, TRAININGS, POINTS) * np.nanmean(table.seconds)
    rows = []
    for name in _methods(table):
        regret = regrets(table, _trace(name, table), costs)
        low, high = np.percentile(regret, BAND, axis=0)
        rows.append(
            pd.DataFrame(
                {
                    "method": name,
                    "cost": costs,
                    "unit": table.unit,
                    "trainings": costs / np.nanmean(table.seconds),
                    "regret": regret.mean(axis=0),
                    "regret_low": low,
                    "regret_high": high,
                    "worth": table.best - regret.mean(axis=0),
                    "split": facts.split,
                    "runs": RUNS,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)[list(COLUMNS)]


def regrets(table: Table, trace: methods.Trace, costs: np.ndarray) -> np.ndarray:
    """The regret in points of what each run would choose after each cost: float64 (runs, costs).

    The choice is the training that went furthest, and of those the one with the highest validation accuracy, the first
    of equals. A training counts once it has ended; before the first has, the choice is the first one's.
    """
    spent = np.cumsum(table.seconds[trace.cell, trace.seed] * (trace.epoch - trace.since) / table.epochs, axis=1)
    told = table.seen[trace.cell, trace.seed, trace.epoch - 1]
    standing = trace.epoch * 1000.0 + told  # accuracies are percent: more epochs always stand above fewer
    best = np.maximum.accumulate(standing, axis=1)
    first = np.where(standing == best, np.arange(standing.shape[1]), 0)
    new = np.concatenate([np.ones((len(best), 1), dtype=bool), best[:, 1:] > best[:, :-1]], axis=1)
    chosen = np.maximum.accumulate(np.where(new, first, 0), axis=1)
    worth = np.take_along_axis(table.judged[trace.cell, trace.seed], chosen, axis=1)
    ended = np.stack([np.searchsorted(row, costs * (1 + 1e-9), side="right") - 1 for row in spent])
    return table.best - np.take_along_axis(worth, np.maximum(ended, 0), axis=1)


def draw(table: pd.DataFrame, facts: Facts) -> Figure:
    """Regret of each method against cost, both on logarithmic scales, with the band over the runs."""
    unit, split = table["unit"].iloc[0], table["split"].iloc[0]
    with style():
        figure = new_figure(height=5.2)
        axes = figure.subplots()
        for name, rows in table.groupby("method", sort=False):
            colour = COLOURS[str(name)]
            axes.fill_between(rows["cost"], rows["regret_low"], rows["regret_high"], color=colour, alpha=0.12, lw=0)
            last = rows["regret"].iloc[-1]
            axes.plot(rows["cost"], rows["regret"], color=colour, label=f"{LABELS[str(name)]}: {last:.2f} points")
        axes.set(xscale="log", yscale="log")
        positive = table["regret"][table["regret"] > 0]
        axes.set_ylim(bottom=0.5 * positive.min() if len(positive) else None)
        for axis in (axes.xaxis, axes.yaxis):  # a logarithmic axis would write mathematics
            axis.set_major_formatter(lambda value, _: f"{value:,.12g}")
            axis.set_minor_formatter(lambda value, _: f"{value:,.12g}" if f"{value:e}"[0] in "25" else "")
        axes.set_xlabel("recorded seconds of training" if unit == "seconds" else "trainings (no seconds were recorded)")
        axes.set_ylabel(f"regret in points of {split} accuracy")
        axes.legend(loc="lower left", title=f"at the end ({TRAININGS} trainings' cost)", alignment="left")
        about = f"mean of {int(table['runs'].iloc[0])} runs, band from the {BAND[0]}th to the {BAND[1]}th percentile"
        headline(figure, "Which search finds good cells soonest?", f"{facts.line('valid', 'test')}\n{about}")
    return figure


def finding(table: pd.DataFrame, facts: Facts) -> str:
    """The best method at the end, beside random search."""
    if table.empty:
        return "Search methods need all 15,625 cells with a validation accuracy each, and this table lacks some."
    last = table[table["cost"] == table["cost"].max()].set_index("method")["regret"]
    best = last.idxmin()
    if best == "random":
        return (
            f"No search method beats random search, which is {last['random']:.2f} points from the best cell at the end."
        )
    missing = [] if "halving" in last else ["successive halving needs accuracies of earlier epochs"]
    sentence = (
        f"For the cost of {TRAININGS} trainings the {LABELS[str(best)]} comes within {last[best]:.2f} points of the "
        f"best cell, random search within {last['random']:.2f}"
    )
    return f"{'; '.join([sentence, *missing])}."


def _methods(table: Table) -> list[str]:
    """The methods that this table and this installation allow."""
    rungs = methods.rung_epochs(table.epochs)
    whole = not np.isnan(table.seen[..., [rung - 1 for rung in rungs]][~np.isnan(table.seen[..., -1])]).any()
    names = ["random", "evolution", "local"]
    names += ["halving"] if whole and len(rungs) > 1 else []
    return names + (["predictor"] if importlib.util.find_spec("sklearn") else [])


def _trace(name: str, table: Table) -> methods.Trace:
    from skelnas.analysis.search.predictor import predictor  # scikit-learn is slow to import

    run = {
        "random": methods.random_search,
        "evolution": methods.evolution,
        "local": methods.local_search,
        "halving": methods.halving,
        "predictor": predictor,
    }[name]
    # Cheap cells leave seconds for more trainings; the predictor's are dear ones.
    trainings = TRAININGS + TRAININGS // 5 if name == "predictor" else 2 * TRAININGS
    return run(table, np.random.default_rng(SEED), RUNS, trainings)


def _seconds(benchmark: Benchmark) -> np.ndarray | None:
    """Recorded seconds of each training (cells, seeds), where there are any."""
    if not clock.timing_table(benchmark.path).is_file():
        return None
    measured = clock.measured(benchmark)
    nothing = (float("nan"), "")
    return np.array(
        [[measured.get((int(cell), seed), nothing)[0] for seed in benchmark.seeds] for cell in benchmark.cells]
    )
