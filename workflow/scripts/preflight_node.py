"""Look at a compute node from inside a job."""

import os
import socket
from dataclasses import asdict

from skelnas.files import write_json
from skelnas.script import run
from skelnas.study import paths, preflight


def look(device: str, facts_path: str) -> None:
    """Check the result folder and the GPU here, and write what was found with the versions here (JSON)."""
    found = preflight.gpu_facts()
    checks = [preflight.writable(paths.RESULTS), preflight.gpu(found, device, "SLURM_JOB_ID" in os.environ)]
    facts = {"host": socket.gethostname(), "versions": preflight.versions(), "gpu": found}
    write_json(facts_path, {**facts, "checks": [*map(asdict, checks)]})


if __name__ == "__main__":
    run(look, snakemake.log[0], device=snakemake.params.device, facts_path=snakemake.output.facts)
