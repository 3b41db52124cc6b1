"""The examples of docs/your-own-data.md, executed as they stand on the page."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from skelnas.archive import verify_archive
from skelnas.images.image_set import read_image_set

from .checkout import ROOT, Checkout

PAGE = ROOT / "docs/your-own-data.md"
BLOCK = re.compile(r"^```(bash|python|text|yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (\S+)(?:, below the line that begins with (\w+))?\n")

pytestmark = pytest.mark.workflow


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Does what a section of the page says, block by block, in a checkout with a copy of the package."""
    folder = Checkout.make(tmp_path).folder
    (folder / "src").unlink()
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    monkeypatch.setenv("PYTHONPATH", str(folder / "src"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def section(heading: str) -> Path:
        text = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
        printed = None
        for kind, content in BLOCK.findall(text):
            if kind == "bash":
                printed = run(content, folder)
            elif kind == "text":
                assert printed == content
            else:
                write(content, folder)
        return folder

    return section


def run(script: str, folder: Path) -> str:
    """Run a script that must succeed, and return what it printed."""
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write(content: str, folder: Path) -> None:
    """Write a block into the file that its first line names: as a whole, below one line, or into config.yaml."""
    name, beginning = FILE.match(content).groups()
    path, body = folder / name, content.partition("\n")[2]
    if name == "config.yaml":
        body = below_their_nouns(path.read_text(encoding="utf-8"), body)
    elif beginning:
        body = below_one_line(path.read_text(encoding="utf-8"), beginning, body)
    else:
        assert not path.exists()
    path.write_text(body, encoding="utf-8")


def below_their_nouns(config: str, addition: str) -> str:
    """The configuration with each part of the addition right below the line with its noun."""
    for noun, lines in re.findall(r"^(\w+:\n)((?:(?: .*)?\n)+)", addition, re.MULTILINE):
        assert config.count(f"\n{noun}") == 1
        config = config.replace(f"\n{noun}", f"\n{noun}{lines}")
    return config


def below_one_line(module: str, beginning: str, lines: str) -> str:
    """The module with these lines right below the one line that begins so."""
    (above,) = (line for line in module.splitlines(keepends=True) if line.startswith(beginning))
    return module.replace(above, above + lines)


def test_a_complete_example(follow: Callable[[str], Path]) -> None:
    folder = follow("A complete example")
    manifest = json.loads((folder / "results/images/gestures.json").read_text())
    assert manifest["images"] == {"train": 29, "valid": 15, "test": 15}
    assert manifest["classes"] == ["clap", "squat", "wave"]
    assert (manifest["height"], manifest["width"]) == (8, 32)
    assert list(manifest["excluded"]) == ["clap_1_1.csv"]
    assert read_image_set(folder / "results/images/gestures.h5").fingerprint == manifest["fingerprint"]

    summary = pd.read_parquet(folder / "results/benchmark/gestures/gestures/short.parquet")
    assert summary["index"].tolist() == [1835, 4999, 15624]
    assert (summary["seeds"] == 1).all()
    assert summary["test_top1"].max() > 60  # three gestures that nobody can mistake; chance is 33
    ranking = pd.read_csv(folder / "results/analysis/gestures/gestures/short/ranking.csv")
    assert sorted(ranking["index"]) == [1835, 4999, 15624]

    for figure in ("images/gestures/data-card", "images/gestures/contact-sheet", "images/gestures/encodings"):
        assert (folder / f"results/{figure}.png").stat().st_size > 10_000
    assert (folder / "results/analysis/gestures/gestures/short/accuracy-and-cost.svg").stat().st_size > 10_000
    assert verify_archive(folder / "results/archive/gestures.zip") == []


def test_a_reader_in_code(follow: Callable[[str], Path]) -> None:
    folder = follow("A reader in code")
    images = read_image_set(folder / "results/images/dance.h5")
    assert images.class_names == ("jump", "turn")
    assert images.counts == {"train": 8, "valid": 8, "test": 8}
    assert images.test_names[:2] == ("take3.npy:1-25", "take3.npy:31-55")
    assert set(images.pool_lengths) == {25}
    assert not list((ROOT / "src/skelnas/skeletons").glob("takes.py"))
