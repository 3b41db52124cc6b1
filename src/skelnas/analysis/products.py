"""The first figures and tables of the catalogue, each of an opened benchmark and its summary."""

import pandas as pd
from matplotlib.figure import Figure

from skelnas.analysis import accuracy_figures, agreement, distribution, operations, ranking_figures
from skelnas.analysis.provenance import facts_of
from skelnas.recipe import SPLITS
from skelnas.results.query import Benchmark


def learning_curves(benchmark: Benchmark, summary: pd.DataFrame) -> Figure:
    curves = {split: distribution.mean_curves(benchmark.curves(split), benchmark.seeds) for split in SPLITS}
    return accuracy_figures.learning_curves(curves, facts_of(benchmark))


def learning_curves_table(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    tables = {
        (split, metric): distribution.mean_curves(
            benchmark.curves(split, metric), benchmark.seeds, benchmark.present(split, metric, epoch=None)
        )
        for split in SPLITS
        for metric in ("top1", "loss")
    }
    return pd.concat([table.assign(split=split, metric=metric) for (split, metric), table in tables.items()])


def accuracy_distribution(benchmark: Benchmark, summary: pd.DataFrame) -> Figure:
    return accuracy_figures.accuracy_distribution(summary, facts_of(benchmark))


def accuracy_and_cost(benchmark: Benchmark, summary: pd.DataFrame) -> Figure:
    return accuracy_figures.accuracy_and_cost(summary, facts_of(benchmark))


def best_and_worst_cells(benchmark: Benchmark, summary: pd.DataFrame) -> Figure:
    return ranking_figures.best_and_worst_cells(summary, facts_of(benchmark))


def operations_and_edges(benchmark: Benchmark, summary: pd.DataFrame) -> Figure:
    return ranking_figures.operations_and_edges(operations.by_operation_and_edge(summary), facts_of(benchmark))


def operations_and_edges_table(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    return operations.by_operation_and_edge(summary)


def rank_agreement(benchmark: Benchmark, summary: pd.DataFrame) -> Figure:
    valid, test = benchmark.values("valid"), benchmark.values("test")
    correlations = agreement.rank_agreement(valid, test, benchmark.seeds)
    return ranking_figures.rank_agreement(valid, test, correlations, facts_of(benchmark))


def rank_agreement_table(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    return agreement.rank_agreement(benchmark.values("valid"), benchmark.values("test"), benchmark.seeds)


def noise_table(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    representatives = summary["class_representative"].to_numpy()
    return agreement.noise(benchmark.values("test"), representatives, benchmark.samples["test"])


def ranking_table(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    return distribution.ranking(summary)


def structure_table(benchmark: Benchmark, summary: pd.DataFrame) -> pd.DataFrame:
    return operations.structure_by_rank(distribution.ranking(summary))
