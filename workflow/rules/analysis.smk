"""Figures and tables of a benchmark.

Inputs: results/benchmark/{dataset}/{recipe}.h5 and .parquet.
Outputs: results/analysis/{dataset}/{recipe}/, figures as png and svg, tables as csv.
"""


rule learning_curves:
    """Draw mean accuracy by epoch with its spread over the cells."""
    localrule: True
    input:
        benchmark="results/benchmark/{dataset}/{recipe}.h5",
        summary="results/benchmark/{dataset}/{recipe}.parquet",
    output:
        figures=report(
            multiext("results/analysis/{dataset}/{recipe}/learning-curves", ".png", ".svg"),
            caption="../report/learning-curves.rst",
            category="Benchmark",
            subcategory="{dataset}, {recipe}",
            labels={"figure": "learning curves"},
        ),
    log:
        "logs/figure/{dataset}/{recipe}/learning-curves.log",
    params:
        name="learning-curves",
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/figure.py"


use rule learning_curves as accuracy_distribution with:
    localrule: True
    output:
        figures=report(
            multiext("results/analysis/{dataset}/{recipe}/accuracy-distribution", ".png", ".svg"),
            caption="../report/accuracy-distribution.rst",
            category="Benchmark",
            subcategory="{dataset}, {recipe}",
            labels={"figure": "accuracy distribution"},
        ),
    log:
        "logs/figure/{dataset}/{recipe}/accuracy-distribution.log",
    params:
        name="accuracy-distribution",


use rule learning_curves as accuracy_and_cost with:
    localrule: True
    output:
        figures=report(
            multiext("results/analysis/{dataset}/{recipe}/accuracy-and-cost", ".png", ".svg"),
            caption="../report/accuracy-and-cost.rst",
            category="Benchmark",
            subcategory="{dataset}, {recipe}",
            labels={"figure": "accuracy and cost"},
        ),
    log:
        "logs/figure/{dataset}/{recipe}/accuracy-and-cost.log",
    params:
        name="accuracy-and-cost",


use rule learning_curves as best_and_worst_cells with:
    localrule: True
    output:
        figures=report(
            multiext("results/analysis/{dataset}/{recipe}/best-and-worst-cells", ".png", ".svg"),
            caption="../report/best-and-worst-cells.rst",
            category="Benchmark",
            subcategory="{dataset}, {recipe}",
            labels={"figure": "best and worst cells"},
        ),
    log:
        "logs/figure/{dataset}/{recipe}/best-and-worst-cells.log",
    params:
        name="best-and-worst-cells",


use rule learning_curves as operations_and_edges with:
    localrule: True
    output:
        figures=report(
            multiext("results/analysis/{dataset}/{recipe}/operations-and-edges", ".png", ".svg"),
            caption="../report/operations-and-edges.rst",
            category="Benchmark",
            subcategory="{dataset}, {recipe}",
            labels={"figure": "operations and edges"},
        ),
    log:
        "logs/figure/{dataset}/{recipe}/operations-and-edges.log",
    params:
        name="operations-and-edges",


use rule learning_curves as rank_agreement with:
    localrule: True
    output:
        figures=report(
            multiext("results/analysis/{dataset}/{recipe}/rank-agreement", ".png", ".svg"),
            caption="../report/rank-agreement.rst",
            category="Benchmark",
            subcategory="{dataset}, {recipe}",
            labels={"figure": "rank agreement"},
        ),
    log:
        "logs/figure/{dataset}/{recipe}/rank-agreement.log",
    params:
        name="rank-agreement",


rule table:
    """Write one table of numbers."""
    localrule: True
    input:
        benchmark="results/benchmark/{dataset}/{recipe}.h5",
        summary="results/benchmark/{dataset}/{recipe}.parquet",
    output:
        table="results/analysis/{dataset}/{recipe}/{table}.csv",
    log:
        "logs/table/{dataset}/{recipe}/{table}.log",
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/table.py"
