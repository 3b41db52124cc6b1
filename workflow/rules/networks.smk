"""Chosen cells of a run, trained once more to keep what they predict for every sample.

Inputs: the benchmark, which says what is the best cell and what each scored, and the image set.
Outputs: results/networks/{study}/{dataset}/{recipe}.h5.
"""


rule networks:
    """Train the cells that the study names by `predictions`, and hold their counts against the benchmark."""
    input:
        benchmark="results/benchmark/{study}/{dataset}/{recipe}.h5",
        images=ancient(training_images),
        fold=fold_manifest,
    output:
        networks="results/networks/{study}/{dataset}/{recipe}.h5",
    log:
        "logs/networks/{study}/{dataset}/{recipe}.log",
    benchmark:
        "benchmarks/networks/{study}/{dataset}/{recipe}.jsonl"
    params:
        wishes=lambda wildcards: config["studies"][wildcards.study]["predictions"],
        recipe=recipe_values,
    threads: 1
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/networks.py"
