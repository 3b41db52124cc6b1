"""The whole workflow on the real recordings, its report, and what it makes again when something changes.

Every test of this study is here: `make test-workflow` gives a file to one process.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from skelnas.analysis import catalogue
from skelnas.results.networks import read_networks
from skelnas.results.query import Benchmark
from skelnas.results.shard import read_shard
from skelnas.study import outputs
from skelnas.study.configuration import checked

from .checkout import ROOT, UTD_MHAD, Checkout

pytestmark = pytest.mark.workflow

SAMPLES = {"train": 323, "valid": 108, "test": 430}
CELLS = [0, 1462, 1835]
SHARDS = [f"results/train/utd_mhad/b32-e2/seed777/{name}.h5" for name in ("00000-01462-9e74ce41", "01835-01835")]
FIGURES = {
    "results/images/utd_mhad": {"contact-sheet", "data-card", "encodings"},
    "results/analysis/utd_mhad/utd_mhad/b32-e2": set(catalogue.FIGURES),
}
# What three cells with one seed are enough for; others say in their figure why they have no numbers.
WITH_ROWS = {
    *("learning-curves", "accuracy-distribution", "rank-scatter", "ranking", "best-and-worst-cells"),
    *("operations-and-edges", "structure-by-rank", "accuracy-and-cost"),
}
AFTER_TRAINING = {
    "aggregate",
    "networks",
    "explorer",
    "page_report",
    "datasheet",
    *(name.replace("-", "_") for name in catalogue.ANALYSES),
    "archive",
    "utd_mhad",
    "total",
}


def test_images_are_those_of_the_original_study(utd_mhad: Checkout, oracle: Callable[[str], dict]) -> None:
    manifest = json.loads((utd_mhad.folder / "results/images/utd_mhad.json").read_text())
    original = oracle("splits_oracle")["utdmhad"]
    assert manifest["images"] == {split: original[split] for split in SAMPLES} == SAMPLES
    assert (manifest["height"], manifest["width"], len(manifest["classes"])) == (20, 68, 27)
    published = original["image_oracle"]
    np.testing.assert_allclose(manifest["mean"], published["train_mean_0_255"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(manifest["std"], published["train_std_0_255"], rtol=0, atol=1e-9)


def test_networks_trained_once_more_give_the_table_again(utd_mhad: Checkout) -> None:
    networks = read_networks(utd_mhad.folder / "results/networks/utd_mhad/utd_mhad/b32-e2.h5")
    with Benchmark(utd_mhad.folder / "results/benchmark/utd_mhad/utd_mhad/b32-e2.h5") as benchmark:
        assert networks.benchmark == benchmark.identity
        assert networks.cell[0] == benchmark.cells[benchmark.seed_means("valid").argmax()]
    assert 1462 in networks.cell
    assert networks.as_in_table.all()
    assert ((networks.test == networks.test_label).sum(axis=1) == networks.counts[:, 2]).all()


def test_benchmark_holds_every_cell_seed_and_epoch(utd_mhad: Checkout) -> None:
    folder = utd_mhad.folder / "results/benchmark/utd_mhad/utd_mhad"
    with Benchmark(folder / "b32-e2.h5") as benchmark:
        assert benchmark.cells.tolist() == CELLS
        assert benchmark.seeds == (777,)
        assert benchmark.samples == SAMPLES
        for split, samples in SAMPLES.items():
            percent = np.stack([benchmark.curve(cell, split) for cell in CELLS])
            assert percent.shape == (len(CELLS), 2)
            counts = percent * samples / 100
            np.testing.assert_allclose(counts, counts.round(), atol=1e-6)
            assert counts.min() >= 0
            assert counts.max() <= samples
            assert counts[1:].min() > 0  # only a cell without an operation may know nothing
    summary = pd.read_parquet(folder / "b32-e2.parquet")
    assert summary["index"].tolist() == CELLS


def test_every_file_of_the_study_is_what_its_name_says(utd_mhad: Checkout) -> None:
    config = yaml.safe_load((utd_mhad.folder / "config.yaml").read_text())
    for noun, value in yaml.safe_load(UTD_MHAD.read_text()).items():
        config[noun] = {**config[noun], **value} if isinstance(value, dict) else value
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    files = [utd_mhad.folder / file for file in outputs.study_files(checked(config, schema), "utd_mhad")]
    kinds = {kind: [file for file in files if file.suffix == kind] for kind in (".png", ".svg", ".csv")}
    assert len(kinds[".png"]) == len(kinds[".svg"]) == sum(map(len, FIGURES.values()))
    cards = [end for ends in outputs.DATA_FIGURES.values() for end in ends if end == ".csv"]
    assert len(kinds[".csv"]) == len(catalogue.ANALYSES) + len(cards)
    for file in kinds[".png"]:
        with Image.open(file) as image:
            pixels = np.asarray(image.convert("RGB"))
        assert min(pixels.shape[:2]) > 200, file
        assert (pixels != pixels[0, 0]).any(axis=2).mean() > 0.001, f"{file} is blank"
    for file in kinds[".svg"]:
        drawing = xml.etree.ElementTree.parse(file).getroot()
        assert len(list(drawing.iter("{http://www.w3.org/2000/svg}path"))) > 10, file
    rows = {file.stem: len(pd.read_csv(file)) for file in kinds[".csv"]}  # a file without a heading cannot be read
    assert rows.keys() >= WITH_ROWS
    assert [name for name in WITH_ROWS if not rows[name]] == []
    for file in files:
        assert file.is_file(), file


def test_archive_verifies(utd_mhad: Checkout) -> None:
    command = [sys.executable, "-m", "skelnas", "verify", "results/archive/utd_mhad.zip"]
    done = subprocess.run(command, cwd=utd_mhad.folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "whole" in done.stdout


def test_measured_times_lie_beside_the_results(utd_mhad: Checkout) -> None:
    sidecars = [json.loads((utd_mhad.folder / shard).with_suffix(".timing.json").read_text()) for shard in SHARDS]
    seconds = {int(cell): took["seconds"] for sidecar in sidecars for cell, took in sidecar["cells"].items()}
    assert sorted(seconds) == CELLS
    assert min(seconds.values()) > 0
    table = pd.read_parquet(utd_mhad.folder / "results/benchmark/utd_mhad/utd_mhad/b32-e2.timing.parquet")
    assert dict(zip(table["index"], table["seconds"], strict=True)) == seconds


def test_nothing_is_left_beside_the_results(utd_mhad: Checkout) -> None:
    hidden = {Path(name).name for name in utd_mhad.files("results", "data") if Path(name).name.startswith(".")}
    assert hidden == {".snakemake_timestamp"}  # Snakemake's own, in a folder that is an output


def test_a_second_call_has_nothing_to_do(utd_mhad: Checkout) -> None:
    assert "Nothing to be done" in utd_mhad.snakemake("utd_mhad")


def test_a_second_folder_gets_the_same_bytes(utd_mhad: Checkout, new_utd_mhad: Callable[[], Checkout]) -> None:
    second = new_utd_mhad()
    second.snakemake("utd_mhad")
    first, again = utd_mhad.bytes_of_results(), second.bytes_of_results()
    assert first.keys() == again.keys()
    assert [name for name in first if first[name] != again[name]] == []


def test_a_deleted_shard_comes_back_alone_with_the_same_bytes(utd_mhad: Checkout, tmp_path: Path) -> None:
    checkout = utd_mhad.copy(tmp_path)
    (tmp_path / SHARDS[1]).unlink()
    assert checkout.plan("utd_mhad") == {}  # the benchmark is there, nothing needs the shard
    assert "1 of 1 steps (100%) done" in checkout.snakemake(SHARDS[1])
    assert checkout.bytes_of_results() == utd_mhad.bytes_of_results()
    assert checkout.plan("utd_mhad") == {}  # it is newer than the benchmark, and holds the same


def test_a_deleted_shard_and_benchmark_train_that_shard_alone(utd_mhad: Checkout, tmp_path: Path) -> None:
    checkout = utd_mhad.copy(tmp_path)
    (tmp_path / SHARDS[1]).unlink()
    (tmp_path / "results/benchmark/utd_mhad/utd_mhad/b32-e2.h5").unlink()
    plan = checkout.plan("results/archive/utd_mhad.zip", "results/benchmark/utd_mhad/utd_mhad/b32-e2.h5")
    assert plan.keys() == AFTER_TRAINING - {"utd_mhad"} | {"train"}
    assert plan["train"] == 1


def test_one_cell_by_name_is_trained_alone_and_scores_the_same(utd_mhad: Checkout, tmp_path: Path) -> None:
    checkout = utd_mhad.copy(tmp_path)
    target = "results/train/utd_mhad/b32-e2/seed777/01462-01462.h5"
    assert "1 of 1 steps (100%) done" in checkout.snakemake(target)
    alone, together = read_shard(tmp_path / target), read_shard(tmp_path / SHARDS[0])
    assert alone.cells.tolist() == [1462]
    row = together.cells.tolist().index(1462)
    for name in ("loss", "top1", "top5"):
        assert getattr(alone, name)[0].tobytes() == getattr(together, name)[row].tobytes()


def test_touched_files_train_nothing(utd_mhad: Checkout, tmp_path: Path) -> None:
    checkout = utd_mhad.copy(tmp_path)
    (tmp_path / "workflow").unlink()
    shutil.copytree(ROOT / "workflow", tmp_path / "workflow")  # every file of it is now newer than the results
    os.utime(tmp_path / "results/images/utd_mhad.json")
    assert checkout.plan("utd_mhad") == {}
    os.utime(tmp_path / "results/images/utd_mhad.h5")
    assert checkout.plan("utd_mhad").keys() == {
        "contact_sheet",
        "data_card",
        "page_report",
        "archive",
        "utd_mhad",
        "total",
    }


def test_another_recipe_trains_again(utd_mhad: Checkout, tmp_path: Path) -> None:
    checkout = utd_mhad.copy(tmp_path)
    (tmp_path / "longer.yaml").write_text("recipes: {b32-e2: {epochs: 3}}")
    plan = checkout.plan("utd_mhad", flags=["--configfile", str(UTD_MHAD), "local.yaml", "longer.yaml"])
    assert plan.keys() == AFTER_TRAINING | {"train"}
    assert plan["train"] == len(SHARDS)


def test_both_profiles_agree_on_what_is_made_again() -> None:
    # Snakemake lets profiles/default win over --profile slurm, key by key.
    default = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())
    slurm = yaml.safe_load((ROOT / "slurm/config.yaml").read_text())
    assert default == {key: slurm[key] for key in default}


def test_report_has_every_figure_with_a_caption(utd_mhad: Checkout, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("report") / "report.zip"
    utd_mhad.snakemake("utd_mhad", flags=["--report", str(path)])
    with zipfile.ZipFile(path) as archive:
        page = archive.read("report/report.html").decode()
        results, _ = json.JSONDecoder().raw_decode(page[page.index('{"results/') :])
        expected = {
            f"{folder}/{name}{end}" for folder in FIGURES for name in FIGURES[folder] for end in (".png", ".svg")
        }
        assert results.keys() == expected
        for name, entry in results.items():
            words = re.sub(r"<[^>]+>", " ", entry["caption"]).split()
            assert len(words) > 8, f"{name}: {entry['caption']}"
            assert "{{" not in entry["caption"]
            packed = archive.read(f"report/{entry['data_uri']}")
            assert packed == (utd_mhad.folder / name).read_bytes()


def test_a_path_without_its_study_is_answered_with_the_new_one(utd_mhad: Checkout) -> None:
    output = utd_mhad.snakemake("results/benchmark/utd_mhad/b32-e2.h5", succeeds=False)
    assert "ask for results/benchmark/utd_mhad/utd_mhad/b32-e2.h5" in output
    assert "Traceback" not in output


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])


def test_damaged_shard(utd_mhad: Checkout, tmp_path: Path) -> None:
    checkout, target = utd_mhad.copy(tmp_path), "results/benchmark/utd_mhad/utd_mhad/b32-e2.h5"
    cut(tmp_path / SHARDS[1])
    (tmp_path / target).unlink()
    before = checkout.files("results")
    output = checkout.snakemake(target, succeeds=False)
    sentence = (
        rf"{SHARDS[1]} is truncated or damaged \(.*\); `snakemake --cores all --force {SHARDS[1]}` makes it again"
    )
    assert len(re.findall(sentence, output)) == 1, output
    assert "Traceback" not in output
    gone = [name for name in before if name.startswith("results/benchmark/")]  # what a failed job may have written
    assert checkout.files("results") == [name for name in before if name not in gone]
