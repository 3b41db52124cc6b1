from pathlib import Path

import pytest
import yaml

from skelnas.cells.equivalence import representatives
from skelnas.errors import InputError
from skelnas.recipe import Recipe
from skelnas.study import outputs, paths
from skelnas.study import runs as study
from skelnas.study.configuration import checked

ROOT = Path(__file__).resolve().parents[2]
ENDS = (".csv", ".png", ".svg")
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())


def configuration(**runs):
    """A configuration of one data set and two recipes, with studies of one run each."""
    return checked(
        {
            "study": next(iter(runs)),
            "datasets": {
                "own": {
                    "reader": "table",
                    "split": {"rule": "table"},
                    "sources": [{"file": "own/a.zip", "url": "/a.zip"}, {"folder": "/recordings"}],
                },
                "twin": {
                    "reader": "table",
                    "split": {"rule": "table"},
                    "sources": [{"file": "own/a.zip", "url": "/a.zip"}, {"file": "own/b.csv"}],
                },
            },
            "recipes": {"short": {"epochs": 2, "batch-size": 8}, "long": {"epochs": 9, "batch-size": 8}},
            "studies": {
                name: {"runs": [{"dataset": "own", "recipe": "short", "seeds": [1, 2], "cells": "0-4", **run}]}
                for name, run in runs.items()
            },
        },
        SCHEMA,
    )


def test_shards_of_a_run_and_their_paths():
    (run,) = study.runs(configuration(a={"cells-per-shard": 3}), "a")
    assert run.shards() == [(0, 1, 2), (3, 4)]
    assert run.shard_paths() == [
        f"results/train/own/short/seed{seed}/{name}.h5" for seed in (1, 2) for name in ("00000-00002", "00003-00004")
    ]


def test_a_shard_with_gaps_is_found_again_by_its_name():
    config = configuration(a={"cells": "3,17,99", "cells-per-shard": 2})
    names = [Path(path).stem for path in study.runs(config, "a")[0].shard_paths()[:2]]
    assert [study.cells_of_shard(config, "own", "short", name) for name in names] == [(3, 17), (99,)]
    assert names[0].startswith("00003-00017-")
    assert names[1] == "00099-00099"


def test_any_whole_range_is_a_shard_though_no_study_has_it():
    assert study.cells_of_shard(configuration(a={}), "own", "long", "01459-01459") == (1459,)


def test_unknown_nouns_are_named():
    with pytest.raises(
        InputError, match=r"studies.a.runs\[0\] names the unknown dataset 'utd'; datasets has own, twin"
    ):
        study.runs(configuration(a={"dataset": "utd"}), "a")
    with pytest.raises(InputError, match="there is no study 'b'; there are a"):
        study.runs(configuration(a={}), "b")
    with pytest.raises(InputError, match="no data set 'c'"):
        study.raw_files(configuration(a={}), "c")


@pytest.mark.parametrize("cells", ["0-15625", "7-3", "abc", ""])
def test_wrong_cells_are_refused_with_their_place(cells):
    with pytest.raises(InputError, match=r"config.yaml: studies.a.runs\[0\].cells: "):
        study.runs(configuration(a={"cells": cells}), "a")


def test_two_studies_may_train_other_cells_and_seeds_of_one_data_set_and_recipe():
    config = configuration(a={}, b={"seeds": [1], "cells": "3,17,99", "cells-per-shard": 2})
    assert {path: run.seeds for path, run in study.runs_by_path(config).items()} == {
        "a/own/short": (1, 2),
        "b/own/short": (1,),
    }
    name = Path(study.runs(config, "b")[0].shard_paths()[0]).stem
    assert study.cells_of_shard(config, "own", "short", name) == (3, 17)


def test_two_runs_of_a_study_under_one_path_are_refused():
    config = configuration(a={})
    config["studies"]["a"]["runs"].append({**config["studies"]["a"]["runs"][0], "seeds": [3]})
    with pytest.raises(InputError, match=r"studies\.a has two runs of own/short"):
        study.runs_by_path(config)


def test_a_path_without_its_study_is_answered_with_the_new_one():
    config = configuration(a={}, b={"seeds": [1]})
    said = study.moved(config, "benchmark/own/short.loss.h5")
    assert "results/benchmark/a/own/short.loss.h5, results/benchmark/b/own/short.loss.h5" in said
    assert "results/analysis/a/own/short/noise.csv" in study.moved(config, "analysis/own/short/noise.csv")
    compared = study.moved(config, "analysis/own/short-against-long/precision.csv")
    assert "results/analysis/a/own/short-against-long/precision.csv" in compared
    assert "no study trains own/long" in study.moved(config, "benchmark/own/long.parquet")


def test_training_hash_follows_recipe_cells_and_seed():
    config = configuration(a={})
    hashes = {
        study.training_hash(config, recipe, cells, seed)
        for recipe in ("short", "long")
        for cells in ((0, 1), (0, 2))
        for seed in (1, 2)
    }
    assert len(hashes) == 8
    assert study.recipe(config, "long") == Recipe(epochs=9, batch_size=8)


def test_sources_lie_below_data_raw_or_are_read_in_place():
    config = configuration(a={})
    assert study.raw_files(config, "own") == ["data/raw/own/a.zip", "/recordings"]
    assert study.source_files(config) == ["own/a.zip", "own/b.csv"]
    assert study.raw_source(config, "own/a.zip") == {"file": "own/a.zip", "url": "/a.zip"}
    assert study.raw_source(config, "own/b.csv") == {"file": "own/b.csv"}
    with pytest.raises(InputError, match=r"no data set has the source file 'own/c\.csv'"):
        study.raw_source(config, "own/c.csv")
    config["datasets"]["twin"]["sources"][0]["url"] = "/other.zip"
    with pytest.raises(InputError, match="described in two ways"):
        study.raw_source(config, "own/a.zip")


def test_a_study_has_the_files_of_each_data_set_once_and_of_each_run():
    config = configuration(a={})
    config["studies"]["a"]["runs"].append({**config["studies"]["a"]["runs"][0], "recipe": "long"})
    config["studies"]["a"]["analyses"] = ["noise", "learning-curves"]
    files = outputs.study_files(config, "a")
    assert len(files) == len(set(files))
    assert files.count("results/images/own.json") == 1
    assert [file for file in files if "/long/" in file] == [
        *(f"results/analysis/a/own/long/{name}{end}" for name in ("noise", "learning-curves") for end in ENDS),
    ]


def test_a_comparison_adds_its_figure_and_its_table():
    config = configuration(a={})
    before = outputs.study_files(config, "a")
    config["studies"]["a"]["comparisons"] = [{"dataset": "own", "recipe": "short", "other": "long"}]
    *results, explorer, report, datasheet = before
    pages = ("results/explorer/a.html", "results/report/a.html", "results/datasheet/a.md")
    assert (explorer, report, datasheet) == pages
    assert outputs.study_files(config, "a") == [
        *results,
        *(f"results/analysis/a/own/short-against-long/precision{end}" for end in (".png", ".svg", ".csv")),
        explorer,
        report,
        datasheet,
    ]


def test_kept_weights_are_a_folder_for_each_run_and_need_the_networks():
    config = configuration(a={}, b={})
    config["studies"]["a"]["keep-weights"] = "best 5"
    folder = "results/weights/a/own/short"
    assert outputs.weights_folders(config, "a") == [folder]
    assert outputs.networks_files(config, "a", "own/short") == ["results/networks/a/own/short.h5"]
    assert {folder, "results/networks/a/own/short.h5"} <= set(outputs.study_files(config, "a"))
    assert folder not in outputs.result_files(config, "a")  # pages are made without
    assert (outputs.weights_folders(config, "b"), outputs.networks_files(config, "b", "own/short")) == ([], [])
    options = study.recording_options(config, "own")
    assert options["reader"]
    assert not {"split", "sources", "content"} & options.keys()


def test_proxies_are_scored_once_for_each_class_and_shared_by_recipes():
    config = configuration(a={"cells": "0-999", "cells-per-shard": 300}, b={"cells": "0-999", "recipe": "long"})
    assert outputs.proxies_files(config, "a", "own/short") == []
    assert not [file for file in outputs.study_files(config, "a") if "proxies." in file and "analysis" not in file]
    for name in config["studies"]:
        config["studies"][name]["proxies"] = ["naswot"]
    scored = representatives(range(1000))
    assert len(scored) < 1000
    assert study.runs(config, "a")[0].proxy_shards()[0] == scored[:300]
    for name, folder in (("a", "own/short"), ("b", "own/long")):
        (run,) = study.runs(config, name)
        assert outputs.proxies_files(config, name, folder) == [f"results/benchmark/{name}/{folder}.proxies.parquet"]
        assert outputs.proxies_files(config, name, folder)[0] in outputs.study_files(config, name)
        shards = [Path(path) for path in run.proxy_paths("naswot")]
        assert {str(path.parent) for path in shards} == {"results/proxies/own/naswot"}
        found = [study.cells_of_proxy_shard(config, "own", path.stem) for path in shards]
        assert [cell for cells in found for cell in cells] == list(scored)
        assert not [file for file in outputs.explored_files(config, name) if "proxies" in file]


def test_a_run_of_folds_is_a_run_of_each():
    config = configuration(a={"dataset": "own"})
    block = config["datasets"]["own"]
    del block["split"]
    block["folds"] = {"count": 2}
    assert [run.folder for run in study.runs(config, "a")] == ["own-fold1/short", "own-fold2/short"]
    assert study.runs(config, "a")[1].shard_paths()[0] == "results/train/own-fold2/short/seed1/00000-00004.h5"
    assert paths.images("own-fold2") == paths.images("own") == "results/images/own.h5"
    files = outputs.result_files(config, "a")
    assert [file for file in files if file.endswith(".json")] == [
        f"results/images/own{end}.json" for end in ("", "-fold1", "-fold2")
    ]
    assert files.count("results/images/own.h5") == 1
    assert {f"results/analysis/a/own/short/folds{end}" for end in ENDS} <= set(files)
    config["studies"]["a"]["comparisons"] = [{"dataset": "own", "recipe": "short", "other": "long"}]
    assert "results/analysis/a/own-fold2/short-against-long/precision.csv" in outputs.result_files(config, "a")


def test_what_can_be_trained_on_of_a_data_set_with_folds():
    config = configuration(a={})
    assert study.trainable(config, "own") == "own"
    config["datasets"]["own"]["folds"] = {"count": 3}
    assert study.trainable(config, "own-fold3") == "own-fold3"
    for name in ("own", "own-fold4"):
        with pytest.raises(InputError, match="own is trained on fold by fold; ask for own-fold1 to own-fold3"):
            study.trainable(config, name)
    for name in ("twin-fold1", "other"):
        with pytest.raises(InputError, match=f"there is no data set '{name}'; datasets has own, twin"):
            study.trainable(config, name)
