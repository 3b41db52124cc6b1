"""Chosen cells of a run, trained once more to keep what they predict for every sample, and weights of some of them.

Inputs: the benchmark, which says what is the best cell and what each scored, and the image set.
Outputs: results/networks/{study}/{dataset}/{recipe}.h5; results/weights/{study}/{dataset}/{recipe}/, a file for each
network that `keep-weights` names.
"""


rule networks:
    """Train the cells that the study names by `predictions` or `keep-weights`, and hold their counts against the benchmark."""
    input:
        benchmark="results/benchmark/{study}/{dataset}/{recipe}.h5",
        images=ancient(training_images),
        fold=fold_manifest,
        manifest=ancient(whole_manifest),
    output:
        networks="results/networks/{study}/{dataset}/{recipe}.h5",
        weights=directory("results/weights/{study}/{dataset}/{recipe}"),
    log:
        "logs/networks/{study}/{dataset}/{recipe}.log",
    benchmark:
        "benchmarks/networks/{study}/{dataset}/{recipe}.jsonl"
    params:
        wishes=lambda wildcards: config["studies"][wildcards.study]["predictions"],
        keep=lambda wildcards: config["studies"][wildcards.study]["keep-weights"],
        licence=lambda wildcards: config["studies"][wildcards.study]["weights-licence"],
        options=recording_options,
        recipe=recipe_values,
    threads: 1
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/networks.py"
