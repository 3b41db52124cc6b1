"""Look at everything that can be seen from the machine that snakemake is called from."""

import socket
from dataclasses import asdict

from skelnas.files import write_json
from skelnas.script import run
from skelnas.study import limits, paths, preflight
from skelnas.study import runs as study
from skelnas.study.estimate import estimate, files_at_peak, free_bytes
from skelnas.study.state import run_state


def look(study_name: str, config: dict, jobs: int | None, asked: dict, facts_path: str) -> None:
    """Check folders, disk, data and SLURM for a study, and write what was found with the versions here (JSON).

    `jobs` is how many a cluster runs at a time, None where everything runs here; `asked` what each asks SLURM for.
    """
    training = config["training"]
    states = [
        run_state(one, study.recipe(config, one.recipe), training["engine"]) for one in study.runs(config, study_name)
    ]
    found = estimate(states, [], training, jobs or 1)
    checks = [
        preflight.writable(paths.RESULTS),
        preflight.writable(paths.RAW),
        preflight.enough_disk(sum(one.need for one in found), free_bytes(paths.RESULTS)),
        *preflight.data(config, study_name),
        *limits.files(paths.RESULTS, files_at_peak(found)),
        *([*preflight.slurm_memory(), *limits.of_slurm(asked, jobs)] if jobs else []),
    ]
    facts = {"host": socket.gethostname(), "versions": preflight.versions(), "checks": [*map(asdict, checks)]}
    write_json(facts_path, facts)


if __name__ == "__main__":
    run(
        look,
        snakemake.log[0],
        study_name=snakemake.wildcards.study,
        config=snakemake.params.config,
        jobs=snakemake.params.jobs,
        asked=snakemake.params.asked,
        facts_path=snakemake.output.facts,
    )
