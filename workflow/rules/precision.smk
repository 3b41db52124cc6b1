"""Comparing two precisions of one recipe on the same cells and seeds.

Inputs: the two benchmark files and their losses.
Outputs: results/analysis/{study}/{dataset}/{recipe}-against-{other}/precision.png, .svg and .csv.
"""


rule precision:
    """Hold the difference between two precisions against the noise between seeds."""
    localrule: True
    input:
        first="results/benchmark/{study}/{dataset}/{recipe}.h5",
        second="results/benchmark/{study}/{dataset}/{other}.h5",
        losses=expand("results/benchmark/{{study}}/{{dataset}}/{one}.loss.h5", one=["{recipe}", "{other}"]),
    output:
        figures=report(
            multiext("results/analysis/{study}/{dataset}/{recipe}-against-{other}/precision", ".png", ".svg"),
            caption="../../src/skelnas/pages/captions/precision.rst",
            category="Benchmark",
            subcategory="{dataset}, {recipe}",
            labels={"figure": "precision, against {other}"},
        ),
        table="results/analysis/{study}/{dataset}/{recipe}-against-{other}/precision.csv",
    log:
        "logs/precision/{study}/{dataset}/{recipe}-against-{other}.log",
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/precision.py"
