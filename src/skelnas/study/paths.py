"""The path grammar of the workflow, relative to its folder; the top of the Snakefile explains each path.

Rules spell the same paths with wildcards. Nothing else in the package knows where a file lies.
"""

import re
from collections.abc import Mapping

RESULTS, RAW = "results", "data/raw"
LOSSES, PROXIES, TIMING = ".loss.h5", ".proxies.parquet", ".timing.parquet"
BENCHMARK = (".h5", LOSSES, ".parquet")  # the endings of a benchmark's files: counts, losses, summary


def raw(source: Mapping[str, str]) -> str:
    """A source of a data set: a file below data/raw/, or a folder that is read in place."""
    return source.get("folder") or raw_file(source["file"])


def raw_file(file: str) -> str:
    """A source file; of no rule, so that it is never removed."""
    return f"{RAW}/{file}"


def receipt(file: str) -> str:
    """What a source file is: size, SHA-256, whence."""
    return f"{RESULTS}/sources/{file}.json"


def fold(dataset: str, number: int) -> str:
    """The name of a fold, which is that of a data set to whatever trains on it."""
    return f"{dataset}-fold{number}"


def whole(dataset: str) -> str:
    """The data set that a fold is one of; any other data set is its own."""
    return re.sub(r"-fold\d+$", "", dataset)


def images(dataset: str) -> str:
    """The image set; all folds of a data set share one."""
    return f"{RESULTS}/images/{whole(dataset)}.h5"


def manifest(dataset: str) -> str:
    """What training depends on of the image set."""
    return f"{RESULTS}/images/{dataset}.json"


def image_figure(dataset: str, file: str) -> str:
    """What the images look like."""
    return f"{RESULTS}/images/{dataset}/{file}"


def trained(dataset: str) -> str:
    """The folder of all shards of a data set, whatever their recipe and seed."""
    return f"{RESULTS}/train/{dataset}"


def shards(run: str, seed: int) -> str:
    """The folder of the shards of a run (`{dataset}/{recipe}`) with one seed."""
    return f"{RESULTS}/train/{run}/seed{seed}"


def shard(run: str, seed: int, name: str) -> str:
    """One shard."""
    return f"{shards(run, seed)}/{name}.h5"


def shard_log(dataset: str, recipe: str, seed: int, name: str) -> str:
    """What the shard's last job said."""
    return f"logs/train/{dataset}/{recipe}/seed{seed}/{name}.log"


def shard_comment(dataset: str, recipe: str, seed: int, name: str) -> str:
    """What SLURM shows as the comment of the shard's job (`squeue --format %k`)."""
    return f"rule_train_wildcards_{dataset}_{recipe}_{seed}_{name}"


def benchmark(study: str, run: str, ending: str = ".h5") -> str:
    """Everything of a study's run merged: one of the files that end as `BENCHMARK` says."""
    return f"{RESULTS}/benchmark/{study}/{run}{ending}"


def networks(study: str, run: str) -> str:
    """Chosen cells of a study's run, trained once more: what they predict."""
    return f"{RESULTS}/networks/{study}/{run}.h5"


def weights(study: str, run: str) -> str:
    """The folder of the weights that a study's run keeps."""
    return f"{RESULTS}/weights/{study}/{run}"


def proxy_shard(dataset: str, proxy: str, name: str) -> str:
    """One proxy of some cells."""
    return f"{RESULTS}/proxies/{dataset}/{proxy}/{name}.record"


def analysis(study: str, run: str, file: str) -> str:
    """A figure or a table of a study's run."""
    return f"{RESULTS}/analysis/{study}/{run}/{file}"


def across(study: str, file: str) -> str:
    """A figure or a table of all benchmarks of a study together."""
    return f"{RESULTS}/analysis/{study}/across/{file}"


def comparison(study: str, dataset: str, recipe: str, other: str, file: str) -> str:
    """A figure or a table of two recipes compared."""
    return analysis(study, f"{dataset}/{recipe}-against-{other}", file)


def explorer(study: str) -> str:
    """The page in which a study's cells are explored."""
    return f"{RESULTS}/explorer/{study}.html"


def report(study: str) -> str:
    """The page that tells what came out of a study."""
    return f"{RESULTS}/report/{study}.html"


def datasheet(study: str) -> str:
    """What a study is, for those who did not make it."""
    return f"{RESULTS}/datasheet/{study}.md"


def archive(study: str) -> str:
    """The study, packed with checksums."""
    return f"{RESULTS}/archive/{study}.zip"


def preflight(study: str) -> str:
    """What `skelnas preflight` found."""
    return f"logs/preflight/{study}.json"
