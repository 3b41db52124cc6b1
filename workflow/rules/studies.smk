"""One target per study, by its name; a bare `snakemake` builds the one that config.yaml names."""

for name in config["studies"]:
    if workflow.is_rule(name):
        or_stop(WRITTEN.located, study.taken, name)

    rule:
        name:
            name
        localrule: True
        default_target: name == config["study"]
        input:
            study_files(name),
