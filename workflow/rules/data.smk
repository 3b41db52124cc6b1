"""Sources and image sets.

Inputs: the sources that config.yaml names (URL, local file, or a file that a person puts into data/raw/).
Outputs: results/sources/{file}.json, results/images/{dataset}.h5 and .json, results/images/{dataset}/ (figures);
results/images/{dataset}-fold{fold}.json for each fold.

Files below data/raw/ are outputs of no rule, so that no flag of Snakemake removes one; their receipts stand for them.
"""


rule synthesise:
    """Generate the recordings of the synthetic data set, in UTD-MHAD's own layout, and write their receipt."""
    localrule: True
    output:
        receipt=update("results/sources/synthetic/Skeleton.zip.json"),
    log:
        "logs/synthesise.log",
    params:
        standing=standing("synthetic/Skeleton.zip"),
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/synthesise.py"


ruleorder: synthesise > download


rule download:
    """Have one source file: what is there is checked and kept, what is missing is fetched; then write its receipt."""
    localrule: True
    output:
        # `update`: from the earlier receipt follows whether a file may be replaced.
        receipt=update("results/sources/{file}.json"),
    log:
        "logs/download/{file}.log",
    params:
        source=source_identity,
        standing=lambda wildcards: standing(wildcards.file),
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/download.py"


for file in study.source_files(config):

    rule:
        """Answer a call that names a raw file: it is there, and this is its receipt."""
        name:
            f"data/raw/{file}"
        localrule: True
        input:
            receipt=f"results/sources/{file}.json",
        log:
            f"logs/raw/{file}.log",
        params:
            file=file,
        conda:
            "../../envs/data.yaml"
        script:
            "../scripts/raw_file.py"


rule image_set:
    """Turn every recording of a data set into an image tensor, split and normalised as its block says.

    A killed job goes on from its journal.
    """
    input:
        check=known("dataset"),
        sources=source_receipts,
    output:
        images="results/images/{dataset}.h5",
        manifest="results/images/{dataset}.json",
    wildcard_constraints:
        dataset=WHOLE,
    log:
        "logs/image_set/{dataset}.log",
    benchmark:
        "benchmarks/image_set/{dataset}.jsonl"
    params:
        options=image_options,
    threads: 8
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/image_set.py"


rule fold:
    """Say which recordings test and validate in one fold of a data set."""
    localrule: True
    input:
        check=known_fold,
        images="results/images/{dataset}.h5",
    output:
        manifest="results/images/{dataset}-fold{fold}.json",
    wildcard_constraints:
        dataset=WHOLE,
    log:
        "logs/fold/{dataset}-fold{fold}.log",
    params:
        options=image_options,
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/fold.py"


rule contact_sheet:
    """Show one recording of each class as the network sees it."""
    localrule: True
    input:
        images="results/images/{dataset}.h5",
    output:
        figures=report(
            multiext("results/images/{dataset}/contact-sheet", ".png", ".svg"),
            caption="../../src/skelnas/pages/captions/contact-sheet.rst",
            category="Data",
            labels={"data set": "{dataset}", "figure": "contact sheet"},
        ),
    wildcard_constraints:
        dataset=WHOLE,
    log:
        "logs/contact_sheet/{dataset}.log",
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/contact_sheet.py"


rule data_card:
    """Describe an image set: recordings by class, subject and split, lengths, exclusions, frames without a body."""
    localrule: True
    input:
        images="results/images/{dataset}.h5",
        manifest="results/images/{dataset}.json",
    output:
        figures=report(
            multiext("results/images/{dataset}/data-card", ".png", ".svg"),
            caption="../../src/skelnas/pages/captions/data-card.rst",
            category="Data",
            labels={"data set": "{dataset}", "figure": "data card"},
        ),
        table="results/images/{dataset}/data-card.csv",
    wildcard_constraints:
        dataset=WHOLE,
    log:
        "logs/data_card/{dataset}.log",
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/data_card.py"


rule encodings:
    """Show the same recordings under every encoding."""
    localrule: True
    input:
        sources=source_receipts,
    output:
        figures=report(
            multiext("results/images/{dataset}/encodings", ".png", ".svg"),
            caption="../../src/skelnas/pages/captions/encodings.rst",
            category="Data",
            labels={"data set": "{dataset}", "figure": "encodings"},
        ),
    wildcard_constraints:
        dataset=WHOLE,
    log:
        "logs/encodings/{dataset}.log",
    params:
        options=image_options,
    conda:
        "../../envs/data.yaml"
    script:
        "../scripts/encodings.py"
