"""Zero-cost proxies: one shard of one proxy is one job, for studies that name any by `proxies`.

Inputs: the image set's manifest (small, compared by content) and the image set itself.
Outputs: results/proxies/{dataset}/{proxy}/{shard}.record; results/benchmark/{study}/{dataset}/{recipe}.proxies.parquet.
"""


rule proxy_shard:
    """Score the untrained networks of some cells on a CPU, one for each class of equal networks."""
    input:
        manifest="results/images/{dataset}.json",
        images=ancient(training_images),
    output:
        shard="results/proxies/{dataset}/{proxy}/{shard}.record",
    log:
        "logs/proxies/{dataset}/{proxy}/{shard}.log",
    benchmark:
        "benchmarks/proxies/{dataset}/{proxy}/{shard}.jsonl"
    params:
        cells=proxy_cells,
    threads: 1
    conda:
        "../../envs/train.yaml"
    script:
        "../scripts/proxy_shard.py"


rule proxy_table:
    """Gather the proxies of every cell of a run into one table beside its benchmark."""
    localrule: True
    input:
        shards=proxy_shard_files,
        manifest="results/images/{dataset}.json",
    output:
        table="results/benchmark/{study}/{dataset}/{recipe}.proxies.parquet",
    log:
        "logs/proxies/{study}/{dataset}/{recipe}.log",
    params:
        cells=run_cells,
        proxies=lambda wildcards: config["studies"][wildcards.study]["proxies"],
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/proxy_table.py"
