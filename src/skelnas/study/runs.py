"""From a checked configuration to runs, their shards, and the sources of their data sets."""

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from skelnas.cells.equivalence import representatives
from skelnas.cells.selection import select, shard_cells, shard_name, shards
from skelnas.errors import InputError, Misconfigured
from skelnas.files import sha256_of_json
from skelnas.options import stated
from skelnas.recipe import NETWORK_VERSION, Recipe
from skelnas.study import paths

Config = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One data set trained with one recipe: cells (ascending indices) x seeds, cut into shards."""

    dataset: str
    recipe: str
    seeds: tuple[int, ...]
    cells: tuple[int, ...]
    cells_per_shard: int
    selection: str = field(compare=False)  # the cells as config.yaml words them
    study: str = field(default="", compare=False)

    @property
    def folder(self) -> str:
        """`{dataset}/{recipe}`, the middle of every path that belongs to the run."""
        return f"{self.dataset}/{self.recipe}"

    @property
    def losses(self) -> bool:
        """Whether there is a file of losses: of what is trained, always."""
        return True

    def shards(self) -> list[tuple[int, ...]]:
        """The cells of each shard, the same for every seed."""
        return shards(self.cells, self.cells_per_shard)

    def proxy_shards(self) -> list[tuple[int, ...]]:
        """The cells that are scored in place of those of the run, one for each class of equal networks."""
        return shards(representatives(self.cells), self.cells_per_shard)

    def proxy_paths(self, proxy: str) -> list[str]:
        """Every shard of one proxy."""
        return [paths.proxy_shard(self.dataset, proxy, shard_name(cells)) for cells in self.proxy_shards()]

    def shard_paths(self) -> list[str]:
        """Every shard file of the run, seed by seed."""
        names = [shard_name(cells) for cells in self.shards()]
        return [paths.shard(self.folder, seed, name) for seed in self.seeds for name in names]


def runs(config: Config, study: str) -> list[Run]:
    """The runs of one study.

    Raises:
        InputError: an unknown study, data set or recipe, or a wrong selection of cells, by its place in the file.
    """
    if study not in config["studies"]:
        words = f"there is no study {study!r}; there are {', '.join(config['studies'])}"
        raise Misconfigured("", words, at="study" if study == config["study"] else "studies")
    if not config["studies"][study]["runs"] and not config["studies"][study]["imports"]:
        raise Misconfigured(f"studies.{study}", " has neither runs nor imports; name what is trained or read")
    return [
        one
        for position, run in enumerate(config["studies"][study]["runs"])
        for one in _of_each_fold(config, _run(config, study, run, f"studies.{study}.runs[{position}]"))
    ]


def folds(config: Config, dataset: str) -> list[str]:
    """The names of a data set's folds as data sets; none where it has none."""
    count = config["datasets"].get(dataset, {}).get("folds", {}).get("count", 0)
    return [paths.fold(dataset, number + 1) for number in range(count)]


def trainable(config: Config, dataset: str) -> str:
    """The data set or fold, where there is one of the name that can be trained on.

    Raises:
        InputError: it has folds, and each of them is trained on; or it has no such fold.
    """
    known = folds(config, paths.whole(dataset))
    if known and dataset not in known:
        raise InputError(f"config.yaml: {paths.whole(dataset)} is trained on fold by fold; ask for {_ends(known)}")
    if not known and dataset not in config["datasets"]:
        raise InputError(_unknown(config, dataset))
    return dataset


def _ends(names: list[str]) -> str:
    return f"{names[0]} to {names[-1]}"


def _unknown(config: Config, dataset: str) -> str:
    return f"config.yaml: there is no data set {dataset!r}; datasets has {', '.join(config['datasets'])}"


def _of_each_fold(config: Config, run: Run) -> list[Run]:
    return [replace(run, dataset=fold) for fold in folds(config, run.dataset)] or [run]


def taken(study: str) -> None:
    """Refuse the name of a study that a step of the workflow has.

    Raises:
        InputError: always.
    """
    raise Misconfigured(f"studies.{study}", " has the name of a rule of the workflow; give it another one")


def _run(config: Config, study: str, run: Config, where: str) -> Run:
    for noun in ("dataset", "recipe"):
        if run[noun] not in config[f"{noun}s"]:
            known = ", ".join(config[f"{noun}s"])
            raise Misconfigured(
                where, f" names the unknown {noun} {run[noun]!r}; {noun}s has {known}", f"{where}.{noun}"
            )
    selection = str(run["cells"])
    return Run(
        run["dataset"],
        run["recipe"],
        tuple(run["seeds"]),
        _cells(selection, where),
        run["cells-per-shard"],
        selection,
        study,
    )


@cache
def _cells(text: str, where: str) -> tuple[int, ...]:
    try:
        return select(text)
    except InputError as error:
        raise Misconfigured(f"{where}.cells", f": {error}") from error


def runs_by_path(config: Config) -> dict[str, Run]:
    """Every run of every study by its `{study}/{dataset}/{recipe}`.

    Raises:
        InputError: a study has two runs under one path.
    """
    found: dict[str, Run] = {}
    for study in config["studies"]:
        for run in runs(config, study):
            if found.setdefault(f"{study}/{run.folder}", run) != run:
                raise Misconfigured(
                    f"studies.{study}",
                    f" has two runs of {run.folder}, with different cells, seeds or shards; make one run of them, or a "
                    "study of each",
                )
    return found


def recipe(config: Config, name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        InputError: its values do not go together.
    """
    try:
        return stated(Recipe, config["recipes"][name])
    except InputError as error:
        raise Misconfigured(f"recipes.{name}", f": {error}") from error


def cells_of_shard(config: Config, dataset: str, recipe_name: str, shard: str) -> tuple[int, ...]:
    """The cells that the shard file of this name holds; names with gaps are looked up in every study's runs."""
    folder = f"{dataset}/{recipe_name}"
    known = [run for run in runs_by_path(config).values() if run.folder == folder]
    return shard_cells(shard, (cells for run in known for cells in run.shards()))


def cells_of_proxy_shard(config: Config, dataset: str, shard: str) -> tuple[int, ...]:
    """The cells that the shard of proxies of this name holds."""
    known = [
        run
        for path, run in runs_by_path(config).items()
        if run.dataset == dataset and config["studies"][path.split("/")[0]]["proxies"]
    ]
    return shard_cells(shard, (cells for run in known for cells in run.proxy_shards()))


def moved(config: Config, old: str) -> str:
    """What to say to a path below results/ from when benchmarks and analyses did not name their study.

    `old` is `benchmark/{dataset}/{recipe}.h5`, `analysis/{dataset}/{recipe}/{file}` or the like.
    """
    kind, _, rest = old.partition("/")
    run = "/".join(rest.split(".")[0].split("/")[:2]).partition("-against-")[0]
    studies = [path.split("/")[0] for path, found in runs_by_path(config).items() if found.folder == run]
    if not studies:
        return f"config.yaml: no study trains {run}, and paths name their study: {paths.RESULTS}/{kind}/STUDY/{rest}"
    new = ", ".join(f"{paths.RESULTS}/{kind}/{study}/{rest}" for study in studies)
    return f"{paths.RESULTS}/{old}: the paths of benchmarks and analyses name their study now; ask for {new}"


def training_hash(config: Config, recipe_name: str, cells: tuple[int, ...], seed: int) -> str:
    """What a shard depends on besides its images, as a hash; when it changes, the shard is trained again."""
    return sha256_of_json([recipe(config, recipe_name).as_dict(), list(cells), seed, NETWORK_VERSION])


def image_options(config: Config, dataset: str) -> Config:
    """What an image set depends on besides its source files: the data set's block as it is written, without them."""
    block = config["datasets"].get(dataset)
    if block is None:
        raise InputError(_unknown(config, dataset))
    return {key: value for key, value in block.items() if key != "sources"}


def recording_options(config: Config, dataset: str) -> Config:
    """What of the data set's block says how a recording is read, wherever it lies and whatever it is used for."""
    drop = ("content", "split", "on-bad-recording")
    return {key: value for key, value in image_options(config, paths.whole(dataset)).items() if key not in drop}


def raw_files(config: Config, dataset: str) -> list[str]:
    """The data set's sources in the reader's order: files below data/raw/, and folders that are read in place."""
    image_options(config, dataset)
    return [paths.raw(source) for source in config["datasets"][dataset]["sources"]]


def source_receipts(config: Config, dataset: str) -> list[str]:
    """The receipts of the data set's files, and its folders, in the reader's order."""
    image_options(config, dataset)
    sources = config["datasets"][dataset]["sources"]
    return [source.get("folder") or paths.receipt(source["file"]) for source in sources]


def source_files(config: Config) -> list[str]:
    """Every source file of every data set, as named below data/raw/."""
    sources = [source for block in config["datasets"].values() for source in block["sources"]]
    return sorted({source["file"] for source in sources if "file" in source})


def raw_source(config: Config, file: str) -> Config:
    """Where the file `data/raw/{file}` comes from: its entry of `sources`, less what is left empty.

    Raises:
        InputError: no data set names the file, or two describe it differently.
    """
    sources = [source for block in config["datasets"].values() for source in block["sources"]]
    found = [source for source in sources if source.get("file") == file]
    if not found:
        raise InputError(f"config.yaml: no data set has the source file {file!r}")
    if any(source != found[0] for source in found):
        raise InputError(f"config.yaml: the source file {file!r} is described in two ways; make its blocks equal")
    return {key: value for key, value in found[0].items() if value}
