"""Pages of a study for people, each one file that needs no other.

Inputs: a study's benchmarks.
Outputs: results/explorer/{study}.html.
"""


rule explorer:
    """Put every cell of a study into one page in which they can be filtered, drawn and compared."""
    localrule: True
    input:
        explored_files,
    output:
        page="results/explorer/{study}.html",
    log:
        "logs/explorer/{study}.log",
    params:
        runs=benchmarks_of,
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/explorer.py"
