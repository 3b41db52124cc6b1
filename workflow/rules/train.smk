"""Training: one shard is one job.

Inputs: the image set's manifest (small, compared by content) and the image set itself (which never retrains anything).
Outputs: results/train/{dataset}/{recipe}/seed{seed}/{shard}.h5 and .timing.json.
"""


rule train:
    """Train the cells of one shard with one seed; a killed job goes on from its journal."""
    input:
        check=known("recipe"),
        manifest="results/images/{dataset}.json",
        images=ancient(training_images),
    output:
        # `update` leaves the shard of an earlier run in place: where its identity still fits, nothing is trained again.
        shard=update("results/train/{dataset}/{recipe}/seed{seed}/{shard}.h5"),
        timing=update("results/train/{dataset}/{recipe}/seed{seed}/{shard}.timing.json"),
    log:
        "logs/train/{dataset}/{recipe}/seed{seed}/{shard}.log",
    benchmark:
        "benchmarks/train/{dataset}/{recipe}/seed{seed}/{shard}.jsonl"
    params:
        cells=shard_cells,
        recipe=recipe_values,
        identity=training_hash,
    threads: 1
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/train.py"
