"""Look at a compute node from inside a job."""

import os
import socket
from dataclasses import asdict

from skelnas.files import write_json
from skelnas.script import run
from skelnas.study import node, paths, preflight


def look(
    device: str, engine: str, trained: list, resources: dict, threads: int, own_path: list[str], facts_path: str
) -> None:
    """Check folders, cores, packages and the GPU here, and write what was found with the versions here (JSON).

    `trained` are the study's data sets and recipes, `resources` and `threads` what the job asked for, `own_path` the
    workflow's own folders of PYTHONPATH.
    """
    found = preflight.gpu_facts()
    in_job, on_gpu = "SLURM_JOB_ID" in os.environ, device != "cpu" and not found["fault"]
    checks = [
        preflight.writable(paths.RESULTS),
        node.hdf5(paths.RESULTS),
        node.home(os.environ),
        *node.packages(preflight.PACKAGES, own_path),
        *([node.cores(resources, threads)] if in_job else []),
        preflight.gpu(found, device, in_job),
        *([] if device == "cpu" else node.driver(str(found["cuda"]), str(found["fault"]))),
        *([*node.gpus(resources, found), *node.compiler(os.environ, engine == "fused")] if on_gpu else []),
        *(node.kernels(found, engine, node.trained_on(trained)) if on_gpu else []),
    ]
    facts = {"host": socket.gethostname(), "versions": preflight.versions(), "gpu": found}
    write_json(facts_path, {**facts, "checks": [*map(asdict, checks)]})


if __name__ == "__main__":
    run(
        look,
        snakemake.log[0],
        device=snakemake.params.device,
        engine=snakemake.params.engine,
        trained=snakemake.params.trained,
        resources=dict(snakemake.resources.items()),
        threads=snakemake.threads,
        own_path=[snakemake.params.source],
        facts_path=snakemake.output.facts,
    )
