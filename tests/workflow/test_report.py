"""The report of a finished study."""

import json
import re
import zipfile

import pytest

from .checkout import Checkout

pytestmark = pytest.mark.workflow

FIGURES = {
    "results/images/utd_mhad": {"contact-sheet", "data-card", "encodings"},
    "results/analysis/utd_mhad/utd_mhad/b32-e2": {
        "learning-curves",
        "accuracy-distribution",
        "accuracy-and-cost",
        "best-and-worst-cells",
        "operations-and-edges",
        "rank-agreement",
        "rank-scatter",
        "noise",
    },
}


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
