"""A finished study of skelnas 0.1, continued: nothing is trained again, and a new option makes nothing stale."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest
import yaml

from skelnas.study.configuration import read
from skelnas.study.outputs import study_files
from tests.workflow.checkout import ROOT, Checkout

HERE = Path(__file__).parent
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
# Inputs first: the order in which the files of 0.1 were written.
ORDER = ("data/raw", "results/images", "results/train", "results/benchmark", "results/analysis")


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, dict[str, bytes]]:
    """The study, continued up to its benchmark file; and its trainings as 0.1 left them."""
    folder = tmp_path_factory.mktemp("study")
    with zipfile.ZipFile(HERE / "study-0.1.zip") as archive:
        archive.extractall(folder)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").unlink()
    checkout = Checkout.make(folder, config)
    for seconds, part in enumerate(ORDER):
        for file in checkout.files(part):
            os.utime(folder / file, (1_796_000_000 + 60 * seconds,) * 2)
    before = trainings(checkout)
    assert len(before) == 8
    checkout.snakemake(benchmark(checkout))
    return checkout, before


def benchmark(checkout: Checkout) -> str:
    """The study's benchmark file, where today's grammar has it."""
    config = read([checkout.folder / "config.yaml"], SCHEMA).values
    [file] = (file for file in study_files(config, "small") if file.endswith("gestures/e2.h5"))
    return file


def trainings(checkout: Checkout) -> dict[str, bytes]:
    """Every shard, and its sidecar with the seconds and the end of each training."""
    return {
        file: (checkout.folder / file).read_bytes()
        for file in checkout.files("results/train")
        if ".journal" not in Path(file).parts
    }


@pytest.mark.workflow
def test_no_cell_is_trained_again(upgraded: tuple[Checkout, dict[str, bytes]]) -> None:
    checkout, before = upgraded
    assert trainings(checkout) == before
    assert checkout.plan(benchmark(checkout)) == {}


@pytest.mark.workflow
def test_a_new_option_makes_nothing_stale(upgraded: tuple[Checkout, dict[str, bytes]], tmp_path: Path) -> None:
    checkout = upgraded[0].copy(tmp_path / "copy")
    for part in ("src", "workflow"):
        (checkout.folder / part).unlink()
        shutil.copytree(ROOT / part, checkout.folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    insert(checkout.folder / "src/skelnas/skeletons/readers.py", '    key: str = ""\n', "    smoothing: int = 0\n")
    insert(
        checkout.folder / "workflow/schemas/config.schema.yaml",
        "  dataset:\n    type: object\n",
        "      smoothing:\n        description: Frames to average over.\n        type: integer\n        default: 0\n",
        after="    properties:\n",
    )
    target = benchmark(checkout)
    assert "Nothing to be done" in checkout.snakemake(target, flags=["--dry-run"])
    config = yaml.safe_load((checkout.folder / "config.yaml").read_text())
    config["datasets"]["gestures"]["smoothing"] = 3
    (checkout.folder / "config.yaml").write_text(yaml.safe_dump(config))
    assert checkout.plan(target)["image_set"] == 1


def insert(path: Path, mark: str, lines: str, after: str = "") -> None:
    """Put lines below the line `mark`, or below the first line `after` that follows it."""
    text = path.read_text(encoding="utf-8")
    assert text.count(mark) == 1
    place = text.index(mark)
    place = text.index(after, place) + len(after) if after else place + len(mark)
    path.write_text(text[:place] + lines + text[place:], encoding="utf-8")


def test_the_configuration_of_0_1_is_still_one() -> None:
    config = read([HERE / "config-0.1.yaml"], SCHEMA).values
    assert list(config["studies"]) == ["demo", "thesis", "precision_pilot", "precision_short"]
