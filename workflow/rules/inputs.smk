"""What rules have as inputs, outputs and parameters: short functions of wildcards, which ask the package."""


def trained_run(wildcards):
    """The run that a path names."""
    run = f"{wildcards.study}/{wildcards.dataset}/{wildcards.recipe}"
    if run not in RUNS:
        raise SystemExit(f"config.yaml: there is no run {run} (study/dataset/recipe); there are {', '.join(RUNS)}")
    return RUNS[run]


def shard_files(wildcards):
    """Every shard of a benchmark file."""
    return trained_run(wildcards).shard_paths()


def training_images(wildcards):
    """The image set that is trained on; of a fold, that of all folds."""
    return paths.images(or_stop(study.trainable, config, wildcards.dataset))


def fold_manifest(wildcards):
    """What a fold is of the image set of all; nothing where there are none."""
    whole = paths.whole(wildcards.dataset) == wildcards.dataset
    return [] if whole else paths.manifest(wildcards.dataset)


def known_fold(wildcards):
    """An input function that stops at a fold that the data set does not have."""
    or_stop(study.trainable, config, paths.fold(wildcards.dataset, wildcards.fold))
    return []


def fold_benchmarks(wildcards, ending):
    """One file of the benchmark of each fold."""
    folds = study.folds(config, wildcards.dataset)
    if not folds:
        raise SystemExit(f"config.yaml: the data set {wildcards.dataset} has no folds")
    return [paths.benchmark(wildcards.study, f"{fold}/{wildcards.recipe}", ending) for fold in folds]


def shard_cells(wildcards):
    """The cells of one shard, as a selection such as 0-124 or 3,17,99."""
    cells = or_stop(study.cells_of_shard, config, wildcards.dataset, wildcards.recipe, wildcards.shard)
    return ",".join(map(str, cells)) if "-" in wildcards.shard[11:] else f"{cells[0]}-{cells[-1]}"


def known(noun):
    """An input function that stops at a data set or recipe that config.yaml does not have."""

    def check(wildcards):
        name = wildcards.get(noun)
        if name not in config[f"{noun}s"]:
            raise SystemExit(f"config.yaml: there is no {noun} {name!r}; there are {', '.join(config[f'{noun}s'])}")
        return []

    return check


def source_receipts(wildcards):
    """The receipts of a data set's files, and its folders, which are read in place."""
    return or_stop(study.source_receipts, config, wildcards.dataset)


def standing(file):
    """What the receipt of a file below data/raw/ follows from besides the configuration."""
    return receipts.standing(paths.raw_file(file), paths.receipt(file), workflow.is_main_process)


def source_identity(wildcards):
    """What a source is, as a hash (an address may hold a secret): when it changes, the receipt is made anew."""
    return sha256_of_json(or_stop(study.raw_source, config, wildcards.file))


def image_options(wildcards):
    """The data set's block, less its sources."""
    return or_stop(study.image_options, config, wildcards.dataset)


def whole_manifest(wildcards):
    """The manifest of a data set; of a fold, that of all of them."""
    return paths.manifest(paths.whole(wildcards.dataset))


def recording_options(wildcards):
    """What of the data set's block says how a recording is read."""
    return or_stop(study.recording_options, config, wildcards.dataset)


def recipe_values(wildcards):
    """The recipe as plain values."""
    return or_stop(study.recipe, config, wildcards.recipe).as_dict()


def training_hash(wildcards):
    """The identity of a shard, less that of its images; a change of it trains the shard again."""
    cells = or_stop(study.cells_of_shard, config, wildcards.dataset, wildcards.recipe, wildcards.shard)
    return study.training_hash(config, wildcards.recipe, cells, int(wildcards.seed))


def study_benchmarks(wildcards, ending):
    """One file of every benchmark of a study, in the order of config.yaml."""
    return [paths.benchmark(wildcards.study, run.folder, ending) for run in outputs.benchmarks(config, wildcards.study)]


def losses(wildcards):
    """The losses of a benchmark; none of an imported one that has none."""
    run = f"{wildcards.dataset}/{wildcards.recipe}"
    imported_run = IMPORTS.get(f"{wildcards.study}/{run}")
    return [] if imported_run and not imported_run.losses else paths.benchmark(wildcards.study, run, paths.LOSSES)


def imported_paths(losses):
    """The imported benchmarks with or without losses, `{study}/{dataset}/{recipe}`, as a regular expression."""
    return "|".join(re.escape(path) for path, one in IMPORTS.items() if one.losses == losses) or "(?!)"


def import_outputs(losses):
    """The files of an imported benchmark, with the whole path as one wildcard, that no other rule takes them for its."""
    stem = "results/benchmark/{imported}"
    files = {"benchmark": ".h5", "summary": ".parquet", "timing": ".timing.parquet"}
    return {name: stem + end for name, end in (files | ({"losses": paths.LOSSES} if losses else {})).items()}


def networks(wildcards):
    """The chosen cells of a run that were trained once more, where its study names any."""
    run = f"{wildcards.dataset}/{wildcards.recipe}"
    return or_stop(outputs.networks_files, config, wildcards.study, run)


def proxies(wildcards):
    """The proxies of a run, where its study names any."""
    run = f"{wildcards.dataset}/{wildcards.recipe}"
    return or_stop(outputs.proxies_files, config, wildcards.study, run)


def proxy_shard_files(wildcards):
    """Every shard of every proxy of a run, proxy by proxy."""
    asked = config["studies"][wildcards.study]["proxies"]
    if not asked:
        raise SystemExit(f"config.yaml: studies.{wildcards.study} names no proxies; there are {', '.join(PROXIES)}")
    return [path for proxy in asked for path in trained_run(wildcards).proxy_paths(proxy)]


def proxy_cells(wildcards):
    """The cells of one shard of proxies."""
    return list(or_stop(study.cells_of_proxy_shard, config, wildcards.dataset, wildcards.shard))


def run_cells(wildcards):
    """The cells that a benchmark file must hold, as config.yaml words them."""
    return RUNS[f"{wildcards.study}/{wildcards.dataset}/{wildcards.recipe}"].selection


def answered_with_new_path(wildcards):
    """Stop at a path from when benchmarks and analyses did not name their study."""
    raise SystemExit(study.moved(config, wildcards.old))


def study_files(name):
    """Everything that a study makes, its archive included."""
    return [*outputs.study_files(config, name), paths.archive(name)]


def figure_outputs(name, analysis):
    """The figures of an analysis as outputs of its rule, with their caption in the report; none where it has none."""
    if not analysis.draws:
        return {}
    figures = multiext(f"results/analysis/{{study}}/{{dataset}}/{{recipe}}/{name}", ".png", ".svg")
    labels = {"figure": name.replace("-", " ")}
    about = {"category": analysis.theme.capitalize(), "subcategory": "{dataset}, {recipe}", "labels": labels}
    return {"figures": report(figures, caption=f"../../src/skelnas/pages/captions/{name}.rst", **about)}


def explored_files(wildcards):
    """Benchmarks of a study and the manifests of its images."""
    return outputs.explored_files(config, wildcards.study)


def reported_files(wildcards):
    """Everything that a study made but its pages."""
    return outputs.result_files(config, wildcards.study)


def analyses_of(wildcards):
    """The analyses that a study asks for."""
    return config["studies"][wildcards.study]["analyses"]


def benchmarks_of(wildcards):
    """Every run and import of a study as {dataset}/{recipe}, in the order of its pages."""
    return [run.folder for run in outputs.benchmarks(config, wildcards.study)]


# The workflow itself, which a study's archive holds beside what it made.
WORKFLOW_FILES = sorted(
    str(file.relative_to(ROOT))
    for file in [ROOT / "Snakefile", *(ROOT / "workflow").rglob("*")]
    if file.name == "Snakefile" or file.suffix in (".smk", ".py", ".yaml", ".rst")
)


def archived_configuration(wildcards):
    """What of the configuration goes into a study's archive."""
    return study_configuration(config, wildcards.study)


def archived_files(wildcards):
    """Everything that goes into a study's archive."""
    return outputs.study_files(config, wildcards.study)


def trained_runs(wildcards):
    """Every run of a study as {dataset}/{recipe}; what was imported is none."""
    return [run.folder for run in study.runs(config, wildcards.study)]


def archived_timings(wildcards):
    """What was measured of every run, of which an archive takes the processors alone."""
    return [paths.benchmark(wildcards.study, run, paths.TIMING) for run in trained_runs(wildcards)]


def described_files(wildcards):
    """Benchmarks of a study, and every manifest of its images."""
    manifests = [file for file in outputs.result_files(config, wildcards.study) if file.endswith(".json")]
    return [*study_benchmarks(wildcards, ".h5"), *manifests]


def measured_times(wildcards):
    """What was measured of every benchmark of a study."""
    return study_benchmarks(wildcards, paths.TIMING)


def trained_recipes(wildcards):
    """The data sets of a study, each with the values of a recipe that it is trained with."""
    runs = study.runs(config, wildcards.study)
    return [[run.dataset, study.recipe(config, run.recipe).as_dict()] for run in runs]
