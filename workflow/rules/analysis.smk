"""Figures and tables of a benchmark: one rule for each figure of the catalogue, one for all tables.

Inputs: results/benchmark/{dataset}/{recipe}.h5 and .parquet.
Outputs: results/analysis/{dataset}/{recipe}/, figures as png and svg, tables as csv.
"""

from skelnas.analysis.catalogue import FIGURES, TABLES

for figure in FIGURES:

    rule:
        name:
            figure.replace("-", "_")
        localrule: True
        input:
            benchmark="results/benchmark/{dataset}/{recipe}.h5",
            summary="results/benchmark/{dataset}/{recipe}.parquet",
        output:
            figures=report(
                multiext(f"results/analysis/{{dataset}}/{{recipe}}/{figure}", ".png", ".svg"),
                caption=f"../report/{figure}.rst",
                category="Benchmark",
                subcategory="{dataset}, {recipe}",
                labels={"figure": figure.replace("-", " ")},
            ),
        log:
            f"logs/figure/{{dataset}}/{{recipe}}/{figure}.log",
        params:
            name=figure,
        conda:
            "../../envs/data.yaml"
        script:
            "../scripts/figure.py"


rule table:
    """Write one table of numbers."""
    localrule: True
    input:
        benchmark="results/benchmark/{dataset}/{recipe}.h5",
        losses="results/benchmark/{dataset}/{recipe}.loss.h5",
        summary="results/benchmark/{dataset}/{recipe}.parquet",
    output:
        table="results/analysis/{dataset}/{recipe}/{table}.csv",
    wildcard_constraints:
        table="|".join(TABLES),
    log:
        "logs/table/{dataset}/{recipe}/{table}.log",
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/table.py"
