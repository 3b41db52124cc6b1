"""Pages of a study for people, each one file that needs no other.

Inputs: a study's benchmarks; everything that it made of them.
Outputs: results/explorer/{study}.html; results/report/{study}.html; results/datasheet/{study}.md.
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


rule page_report:
    """Tell what came out of a study: findings, figures and tables, what is missing, and how it was made."""
    localrule: True
    input:
        reported_files,
    output:
        page="results/report/{study}.html",
    log:
        "logs/report/{study}.log",
    params:
        runs=benchmarks_of,
        analyses=analyses_of,
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/report.py"


rule datasheet:
    """Say what a study is to those who did not make it, and how it stands to good practice, from what its files say."""
    localrule: True
    input:
        described_files,
        timings=measured_times,
        citation="CITATION.cff",
    output:
        page="results/datasheet/{study}.md",
    log:
        "logs/datasheet/{study}.log",
    params:
        runs=benchmarks_of,
        config=archived_configuration,
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/datasheet.py"
