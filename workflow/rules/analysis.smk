"""Figures and tables of a benchmark: one rule for each figure of the catalogue, one for all tables.

Inputs: results/benchmark/{study}/{dataset}/{recipe}.h5 and .parquet.
Outputs: results/analysis/{study}/{dataset}/{recipe}/, figures as png and svg, tables as csv.
"""

from skelnas.analysis.catalogue import FIGURES, TABLES

for figure in FIGURES:

    rule:
        name:
            figure.replace("-", "_")
        localrule: True
        input:
            benchmark="results/benchmark/{study}/{dataset}/{recipe}.h5",
            summary="results/benchmark/{study}/{dataset}/{recipe}.parquet",
        output:
            figures=report(
                multiext(f"results/analysis/{{study}}/{{dataset}}/{{recipe}}/{figure}", ".png", ".svg"),
                caption=f"../report/{figure}.rst",
                category="Benchmark",
                subcategory="{dataset}, {recipe}",
                labels={"figure": figure.replace("-", " ")},
            ),
        log:
            f"logs/figure/{{study}}/{{dataset}}/{{recipe}}/{figure}.log",
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
        benchmark="results/benchmark/{study}/{dataset}/{recipe}.h5",
        losses="results/benchmark/{study}/{dataset}/{recipe}.loss.h5",
        summary="results/benchmark/{study}/{dataset}/{recipe}.parquet",
    output:
        table="results/analysis/{study}/{dataset}/{recipe}/{table}.csv",
    wildcard_constraints:
        table="|".join(TABLES),
    log:
        "logs/table/{study}/{dataset}/{recipe}/{table}.log",
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/table.py"
