"""Checks before the first job (`make preflight`): what would fail after hours fails now, in a sentence each.

Inputs: none; everything is looked at afresh, so call it with `--forcerun preflight_login`.
Outputs: logs/preflight/{study}.json, which nothing depends on: it is what was seen on one day, no result.
"""


rule preflight:
    """Check the study that config.yaml names."""
    localrule: True
    input:
        report=f"logs/preflight/{config['study']}.json",


rule preflight_login:
    """Look at folders, disk, sources and SLURM's settings on the machine that snakemake is called from."""
    localrule: True
    output:
        facts="logs/preflight/{study}.login.json",
    log:
        "logs/preflight/{study}.login.log",
    params:
        config=config,
        jobs=workflow.resource_settings.nodes,
        asked=asked_for_training(workflow.resource_settings),
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/preflight_login.py"


rule preflight_node:
    """Look at folders and GPU on a compute node, in a job that asks for what `train` asks for."""
    input:
        login="logs/preflight/{study}.login.json",
    output:
        facts="logs/preflight/{study}.node.json",
    log:
        "logs/preflight/{study}.node.log",
    params:
        device=config["training"]["device"],
        engine=config["training"]["engine"],
        trained=trained_recipes,
        source=SOURCE,
    threads: 1
    # What this site refuses it refuses again.
    retries: 0
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/preflight_node.py"


rule preflight_report:
    """Compare both, say everything in one place, and fail where a check did not pass."""
    localrule: True
    input:
        login="logs/preflight/{study}.login.json",
        node="logs/preflight/{study}.node.json",
    output:
        report="logs/preflight/{study}.json",
    log:
        "logs/preflight/{study}.log",
    # What did not pass a moment ago will not pass now.
    retries: 0
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/preflight_report.py"
