"""Every analysis of a benchmark by name, which is the name of its files without their ending.

An analysis is one module with three functions:

* `tabulate(benchmark, summary) -> DataFrame`: the numbers, which become `{name}.csv`. What the benchmark cannot give
  (one seed, no test split, a sample of the cells, the last epoch alone) is a table without rows, but with its columns.
* `draw(table, facts) -> Figure`: `{name}.png` and `.svg`, from the table as it is read from the csv, and from nothing
  else but `provenance.Facts`. Never called with a table without rows. Left out where the row here says `draws=False`.
* `finding(table, facts) -> str`: the one sentence that these numbers allow; of a table without rows, why it has none.

`products` calls them. A new analysis is such a module, one row here, its name in the schema's list and, if it draws,
its caption in pages/captions/. Nothing is imported before it is needed: the workflow reads the names.
"""

from dataclasses import dataclass

FIGURE, TABLE = (".png", ".svg"), (".csv",)
THEMES = (  # in the order of the report
    "data",
    "learning",
    "noise",
    "selection",
    "landscape",
    "topology",
    "cost",
    "across",
    "search",
    "people",
)


@dataclass(frozen=True)
class Analysis:
    """Its theme (one of `THEMES`), the module of `skelnas.analysis` that makes it, whether it has a figure, whether it
    reads the networks that were trained once more (`results.networks.networks_path`) or the proxies
    (`results.proxies.proxies_path`), and its title, where that is not its name as words."""

    theme: str
    module: str
    draws: bool = True
    networks: bool = False
    proxies: bool = False
    title: str = ""

    def files(self, name: str) -> list[str]:
        """The files that it makes under that name."""
        return [f"{name}{end}" for end in TABLE + (FIGURE if self.draws else ())]


ANALYSES = {
    "learning-curves": Analysis("learning", "learning.curves"),
    "accuracy-distribution": Analysis("learning", "learning.accuracy_distribution"),
    "early-ranking": Analysis("learning", "learning.early"),
    "overfitting": Analysis("learning", "learning.overfitting"),
    "rank-agreement": Analysis("noise", "noise.rank_agreement"),
    "rank-scatter": Analysis("noise", "noise.rank_scatter"),
    "noise": Analysis("noise", "noise.deviations"),
    "intraclass-correlation": Analysis("noise", "noise.intraclass"),
    "measurement-error": Analysis("noise", "noise.measurement_error"),
    "rank-intervals": Analysis("noise", "noise.rank_intervals"),
    "not-told-from-best": Analysis("noise", "noise.not_told"),
    "choice-by-validation": Analysis("selection", "selection.choice"),
    "winners-curse": Analysis("selection", "selection.winners_curse", title="Winner's curse"),
    "ranking": Analysis("selection", "selection.ranking", draws=False),
    "variance-shares": Analysis("landscape", "landscape.variance"),
    "autocorrelation": Analysis("landscape", "landscape.locality"),
    "distance-to-best": Analysis("landscape", "landscape.distance"),
    "local-optima": Analysis("landscape", "landscape.optima"),
    "main-effects": Analysis("topology", "topology.main_effects"),
    "interactions": Analysis("topology", "topology.interactions"),
    "operations-by-rank": Analysis("topology", "topology.rank_operations"),
    "shape": Analysis("topology", "topology.shape"),
    "claims": Analysis("topology", "topology.claims"),
    "best-and-worst-cells": Analysis("topology", "topology.best_and_worst"),
    "operations-and-edges": Analysis("topology", "topology.operations_and_edges"),
    "structure-by-rank": Analysis("topology", "topology.structure_by_rank", draws=False),
    "accuracy-and-cost": Analysis("cost", "cost.accuracy_and_cost"),
    "pareto-front": Analysis("cost", "cost.front"),
    "one-more-convolution": Analysis("cost", "cost.convolutions"),
    "search": Analysis("search", "search.regret"),
    "proxies": Analysis("search", "search.proxies", proxies=True, title="Zero-cost proxies"),
    "confusion": Analysis("people", "people.confusion", networks=True),
    "classes": Analysis("people", "people.classes", networks=True),
    "mcnemar": Analysis("people", "people.pairs", networks=True, title="McNemar's test"),
    "hardest-recordings": Analysis("people", "people.hardest", networks=True),
}
# Of all benchmarks of a study that has two or more: `tabulate(benchmarks, summaries)`, and one `Facts` for each.
ACROSS = {
    "across-agreement": Analysis("across", "across.agreement"),
    "across-ranks": Analysis("across", "across.ranks"),
}
# Of the benchmarks of all folds of one data set and recipe, where a data set has folds; called as `ACROSS` is.
OF_FOLDS = {"folds": Analysis("across", "across.folds")}
FIGURES = tuple(name for name, analysis in ANALYSES.items() if analysis.draws)
