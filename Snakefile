# skelnas: every cell of NAS-Bench-201, trained on skeleton-based human action recognition.
#
# Every file below is a target (`snakemake --cores all results/...`), and so is each study's name:
#
#   data/raw/{file}                                               a source: answered with its receipt, never removed
#   results/sources/{file}.json                                   the receipt: size, SHA-256, whence
#   results/images/{dataset}.h5 + {dataset}.json                  image tensors + the manifest that training depends on
#   results/images/{dataset}-fold{fold}.json                      of a data set with folds: which recordings test in it
#   results/images/{dataset}/{figure}.{svg,png}                   what the images look like
#   results/train/{dataset}/{recipe}/seed{seed}/{shard}.h5        cells first-last; 01459-01459 is a single cell
#   results/benchmark/{study}/{dataset}/{recipe}.h5 + .parquet    everything merged; one row per cell (.loss.h5: losses;
#                                                                 .proxies.parquet: zero-cost proxies)
#   results/proxies/{dataset}/{proxy}/{shard}.record              untrained networks scored: one proxy of some cells
#   results/networks/{study}/{dataset}/{recipe}.h5                chosen cells trained once more: what they predict
#   results/weights/{study}/{dataset}/{recipe}/                   the weights of those that `keep-weights` names
#   results/analysis/{study}/{dataset}/{recipe}/...               figures (svg + png) and tables (csv)
#   results/analysis/{study}/{dataset}/{recipe}/folds.{csv,...}   the mean of all folds, where a data set has some
#   results/analysis/{study}/across/...                           the study's data sets and recipes held together
#   results/analysis/{study}/{dataset}/{recipe}-against-{other}/  two precisions of one recipe compared
#   results/report/{study}.html                                   one page that tells what came out
#   results/explorer/{study}.html                                 one page in which every cell can be looked at
#   results/datasheet/{study}.md                                  what the study is, and a checklist of good practice
#   results/archive/{study}.zip                                   RO-Crate with checksums
#
# (...).timing.json and .timing.parquet beside them hold measured seconds, device and dates. Of them the
# datasheet and the archive take the devices, and the analyses search and pareto-front the seconds.

from snakemake.utils import min_version

min_version("9.0")


report: "workflow/report/workflow.rst"


# Looked at by `--sdm apptainer` alone: an image of envs/skelnas.def (docs/cluster.md, "Python on the nodes").
container: "skelnas.sif"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/networks.smk"
include: "workflow/rules/proxies.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/precision.smk"
include: "workflow/rules/pages.smk"
include: "workflow/rules/preflight.smk"


# One target per study, by its name. Here and not in a file of its own: what is included never sets the default target.
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
