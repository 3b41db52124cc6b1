"""The checked configuration, closed wildcards, and what jobs are asked for with."""

import os
import re
import sys
from pathlib import Path

ROOT = Path(workflow.basedir)
if ROOT.name == "workflow":  # started by workflow/Snakefile
    ROOT = ROOT.parent
SOURCE = str(ROOT / "src")
sys.path.insert(0, SOURCE)

from skelnas.imports import broken, broken_foreign

# A job looks as well, in its own environment, before its script is started.
if found := broken(["numpy", "h5py"], [SOURCE]) or broken_foreign(["pandas", "scipy", "matplotlib", "torch"], [SOURCE]):
    raise SystemExit(found[0])

from skelnas import receipts
from skelnas.files import sha256_of_json
from skelnas.study import paths
from skelnas import caches
from skelnas.study import imported
from skelnas.study import outputs
from skelnas.study import runs as study
from skelnas.study import stand_ins
from skelnas.study.configuration import FILES, read
from skelnas.study.portable import study_configuration
from skelnas.errors import InputError
from skelnas.recipe import PROXIES

# Jobs find the package in this checkout, whatever environment they run in, and our stand-ins for SLURM's commands.
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [SOURCE, os.environ.get("PYTHONPATH", "")])),
    PATH=stand_ins.search_path(ROOT, os.environ),
    SKELNAS_SLURM_CONF=stand_ins.conf_file(os.environ),
    **stand_ins.main_process(),
)
if workflow.resource_settings.nodes or "SLURM_JOB_ID" in os.environ:
    os.environ.update(caches.cache_variables(Path(paths.RESULTS), os.environ))


def or_stop(function, *arguments):
    """Call a function of the package; a user's mistake ends the workflow with its sentence."""
    try:
        return function(*arguments)
    except InputError as error:
        # Below any other exception of an input function Snakemake prints a traceback.
        raise SystemExit(str(error)) from None


if re.search(r"[\s'\"\\$`&;()]", sys.executable):
    raise SystemExit(
        f"Python lies at {sys.executable!r}, a path with a blank, a quote or the like, at which Snakemake starts no "
        "script; move the folder to a path without, and make its .venv anew (make setup)"
    )


# What snakemake has read itself is YAML 1.1, without lines; jobs get the same files and values and read them here, too.
CONFIGURATION = [
    *([] if workflow.config_settings.replace_workflow_config else ["config.yaml"]),
    *workflow.overwrite_configfiles,
]
os.environ[FILES] = os.pathsep.join(map(str, CONFIGURATION))
WRITTEN = or_stop(
    read,
    CONFIGURATION,
    ROOT / "workflow/schemas/config.schema.yaml",
    workflow.config_settings.config_args,
)
config = WRITTEN.values
for name in config["recipes"]:
    or_stop(WRITTEN.located, study.recipe, config, name)
RUNS = or_stop(WRITTEN.located, study.runs_by_path, config)
or_stop(WRITTEN.located, study.runs, config, config["study"])
IMPORTS = or_stop(WRITTEN.located, imported.imports_by_path, config)


# Benchmarks and analyses as paths of skelnas 0.1 named them, without their study.
OLD_PATHS = r"(benchmark/({0})/[a-z0-9-]+(\.[a-z0-9]+)+|analysis/({0})/(?!across/)[a-z0-9-]+/[^/]+)".format(
    "|".join(config["datasets"])
)


WHOLE = r"[a-z0-9_]+"  # a data set; of one with folds, all of them together


wildcard_constraints:
    dataset=rf"{WHOLE}(-fold\d+)?",
    fold=r"[1-9]\d*",
    recipe=r"[a-z0-9][a-z0-9-]*",
    other=r"[a-z0-9][a-z0-9-]*",
    seed=r"\d+",
    proxy="|".join(PROXIES),
    shard=r"\d{5}-\d{5}(-[0-9a-f]{8})?",
    study="|".join(config["studies"]),
    file="|".join(re.escape(file) for file in study.source_files(config)) or "(?!)",


def asked_for_training(settings):
    """What the profile asks for a job that trains: plain values, by the names of Snakemake's resources."""
    default, own = settings.default_resources or {}, settings.overwrite_resources.get("train", {})
    pairs = {**dict(getattr(default, "items", dict)()), **dict(own.items())}.items()
    values = {key: getattr(value, "raw", value) for key, value in pairs}
    return {key: value for key, value in values.items() if isinstance(value, (int, str))}
