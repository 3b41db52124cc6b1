"""The files that a study makes: what its pages are made of, the pages, and what its archive holds."""

from skelnas.analysis.catalogue import ACROSS, ANALYSES, FIGURE, OF_FOLDS, TABLE
from skelnas.study import paths
from skelnas.study.imported import Import, imports
from skelnas.study.runs import Config, Run, folds, runs, runs_by_path

DATA_FIGURES = {"contact-sheet": FIGURE, "data-card": FIGURE + TABLE, "encodings": FIGURE}


def networks_files(config: Config, study: str, run: str) -> list[str]:
    """The networks of one run of a study, if it names any by `predictions` or `keep-weights`; of what is imported there
    are none."""
    trained, block = f"{study}/{run}" in runs_by_path(config), config["studies"][study]
    return [paths.networks(study, run)] if trained and (block["predictions"] or block["keep-weights"]) else []


def weights_folders(config: Config, study: str) -> list[str]:
    """The folders of the weights that a study keeps, one for each run."""
    keeping = (run for run in runs(config, study) if config["studies"][study]["keep-weights"])
    return [paths.weights(study, run.folder) for run in keeping]


def proxies_files(config: Config, study: str, run: str) -> list[str]:
    """The proxies of one run of a study, if it names any; of what is imported there are no images to score."""
    trained = f"{study}/{run}" in runs_by_path(config)
    return [paths.benchmark(study, run, paths.PROXIES)] if trained and config["studies"][study]["proxies"] else []


def study_files(config: Config, study: str) -> list[str]:
    """Everything that a study makes and that its archive holds; folders stand for the files in them."""
    pages = [paths.explorer(study), paths.report(study), paths.datasheet(study)]
    return [*result_files(config, study), *weights_folders(config, study), *pages]


def benchmarks(config: Config, study: str) -> list[Run | Import]:
    """What a study has a benchmark of: its runs, then its imports."""
    return [*runs(config, study), *imports(config, study)]


def explored_files(config: Config, study: str) -> list[str]:
    """What the explorer of a study is made of: benchmarks, and the manifests that name the actions."""
    kinds = (f"{paths.RESULTS}/benchmark/", *{paths.manifest(run.dataset) for run in runs(config, study)})
    files = [file for file in result_files(config, study) if file.startswith(kinds)]
    return [file for file in files if not file.endswith(paths.PROXIES)]


def result_files(config: Config, study: str) -> list[str]:
    """What a study's pages are made of."""
    wanted, analyses, files = runs(config, study), config["studies"][study]["analyses"], []
    for dataset in dict.fromkeys(paths.whole(run.dataset) for run in wanted):
        files += [paths.images(dataset), paths.manifest(dataset), *map(paths.manifest, folds(config, dataset))]
        files += [paths.image_figure(dataset, f"{name}{end}") for name, ends in DATA_FIGURES.items() for end in ends]
    for run in benchmarks(config, study):
        lacking = () if run.losses else (paths.LOSSES,)
        files += [paths.benchmark(study, run.folder, end) for end in paths.BENCHMARK if end not in lacking]
        files += [*networks_files(config, study, run.folder), *proxies_files(config, study, run.folder)]
        for name in (name for name in analyses if name in ANALYSES):
            files += [paths.analysis(study, run.folder, file) for file in ANALYSES[name].files(name)]
    for run in (run for run in config["studies"][study]["runs"] if folds(config, run["dataset"])):
        folder = f"{run['dataset']}/{run['recipe']}"
        files += [paths.analysis(study, folder, file) for file in OF_FOLDS["folds"].files("folds")]
    if len(benchmarks(config, study)) > 1:
        for name in (name for name in analyses if name in ACROSS):
            files += [paths.across(study, file) for file in ACROSS[name].files(name)]
    for comparison in config["studies"][study]["comparisons"]:
        for dataset in folds(config, comparison["dataset"]) or [comparison["dataset"]]:
            one = comparison | {"dataset": dataset}
            files += [paths.comparison(study, **one, file=f"precision{end}") for end in FIGURE + TABLE]
    return files
