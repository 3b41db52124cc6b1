"""Merging shards into benchmark files, reading those of others, and archiving a study.

Inputs: every shard of a run, or what an importer reads; every file of a study.
Outputs: results/benchmark/{study}/{dataset}/{recipe}.h5, .loss.h5, .parquet and .timing.parquet; results/archive/{study}.zip.
"""


rule aggregate:
    """Merge the shards of a run into one benchmark file, its losses into another, and one summary row per cell."""
    localrule: True
    input:
        shards=shard_files,
        manifest="results/images/{dataset}.json",
    output:
        benchmark="results/benchmark/{study}/{dataset}/{recipe}.h5",
        losses="results/benchmark/{study}/{dataset}/{recipe}.loss.h5",
        summary="results/benchmark/{study}/{dataset}/{recipe}.parquet",
        timing="results/benchmark/{study}/{dataset}/{recipe}.timing.parquet",
    wildcard_constraints:
        study=rf"(?!({'|'.join(map(re.escape, IMPORTS)) or '(?!)'})\.)({'|'.join(config['studies'])})",
    log:
        "logs/aggregate/{study}/{dataset}/{recipe}.log",
    benchmark:
        "benchmarks/aggregate/{study}/{dataset}/{recipe}.jsonl"
    params:
        cells=run_cells,
        recipe=recipe_values,
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/aggregate.py"


for with_losses in (True, False):

    rule:
        name:
            "import_losses" if with_losses else "import_benchmark"
        localrule: True
        input:
            lambda wildcards: IMPORTS[wildcards.imported].source or [],
        output:
            **import_outputs(with_losses),
        wildcard_constraints:
            imported=imported_paths(with_losses),
        log:
            "logs/import/{imported}.log",
        params:
            importer=lambda wildcards: IMPORTS[wildcards.imported].importer,
            source=lambda wildcards: IMPORTS[wildcards.imported].source,
            dataset=lambda wildcards: IMPORTS[wildcards.imported].dataset,
            recipe_name=lambda wildcards: IMPORTS[wildcards.imported].recipe,
            recipe=lambda wildcards: or_stop(study.recipe, config, IMPORTS[wildcards.imported].recipe).as_dict(),
        conda:
            "../../envs/data.yaml"
        script:
            "../scripts/import_benchmark.py"


rule archive:
    """Pack a study's results, configuration and software versions with checksums, the same bytes every time."""
    localrule: True
    input:
        results=archived_files,
        timings=archived_timings,
        lock="requirements.lock",
        citation="CITATION.cff",
        codemeta="codemeta.json",
        licence="LICENSE",
        workflow=WORKFLOW_FILES,
    output:
        archive="results/archive/{study}.zip",
    log:
        "logs/archive/{study}.log",
    params:
        config=archived_configuration,
        runs=trained_runs,
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/archive.py"


rule moved:
    """Answer a path of before, which did not name the study, with the new one."""
    localrule: True
    input:
        answered_with_new_path,
    output:
        "results/{old}",
    wildcard_constraints:
        old=OLD_PATHS,
    log:
        "logs/moved/{old}.log",
    conda:
        "../../envs/data.yaml"
    shell:
        "false > {log}"
