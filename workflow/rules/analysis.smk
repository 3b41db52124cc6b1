"""Analyses of a benchmark: one rule for each of the catalogue, which makes the table, and the figure from the table.

Inputs: results/benchmark/{study}/{dataset}/{recipe}.h5, its losses where it has them, and .parquet; where the study asks
for them and the analysis reads them, networks that were trained once more, and .proxies.parquet.
Outputs: results/analysis/{study}/{dataset}/{recipe}/ and, of all of a study together, results/analysis/{study}/across/;
tables as csv, figures as png and svg.
"""

from skelnas.analysis.catalogue import ACROSS, ANALYSES

for name, analysis in ANALYSES.items():

    rule:
        name:
            name.replace("-", "_")
        localrule: True
        input:
            benchmark="results/benchmark/{study}/{dataset}/{recipe}.h5",
            losses=losses,
            summary="results/benchmark/{study}/{dataset}/{recipe}.parquet",
            networks=networks if analysis.networks else [],
            proxies=proxies if analysis.proxies else [],
        output:
            **figure_outputs(name, analysis),
            table=f"results/analysis/{{study}}/{{dataset}}/{{recipe}}/{name}.csv",
        log:
            f"logs/analysis/{{study}}/{{dataset}}/{{recipe}}/{name}.log",
        params:
            name=name,
        conda:
            "../../envs/data.yaml"
        script:
            "../scripts/analysis.py"


for name in ACROSS:

    rule:
        name:
            name.replace("-", "_")
        localrule: True
        input:
            benchmarks=lambda wildcards: study_benchmarks(wildcards, ".h5"),
            summaries=lambda wildcards: study_benchmarks(wildcards, ".parquet"),
        output:
            table=f"results/analysis/{{study}}/across/{name}.csv",
            figures=report(
                multiext(f"results/analysis/{{study}}/across/{name}", ".png", ".svg"),
                caption=f"../../src/skelnas/pages/captions/{name}.rst",
                category="Across",
                subcategory="{study}",
                labels={"figure": name.replace("-", " ")},
            ),
        log:
            f"logs/analysis/{{study}}/across/{name}.log",
        params:
            name=name,
        conda:
            "../../envs/data.yaml"
        script:
            "../scripts/across.py"


rule folds:
    """The mean of every cell over the folds of a data set, their spread, and the counts of all folds together."""
    localrule: True
    input:
        benchmarks=lambda wildcards: fold_benchmarks(wildcards, ".h5"),
        summaries=lambda wildcards: fold_benchmarks(wildcards, ".parquet"),
    output:
        table="results/analysis/{study}/{dataset}/{recipe}/folds.csv",
        figures=report(
            multiext("results/analysis/{study}/{dataset}/{recipe}/folds", ".png", ".svg"),
            caption="../../src/skelnas/pages/captions/folds.rst",
            category="Across",
            subcategory="{study}",
            labels={"figure": "folds of {dataset}, {recipe}"},
        ),
    wildcard_constraints:
        dataset=WHOLE,
    log:
        "logs/analysis/{study}/{dataset}/{recipe}/folds.log",
    params:
        name="folds",
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/across.py"
