"""The report: what it says, and what it says where it can say nothing."""

import base64
import gzip
import io
import re
from html import unescape

import pandas as pd
import pytest

from skelnas.analysis import products
from skelnas.analysis.catalogue import ACROSS, ANALYSES, THEMES
from skelnas.analysis.provenance import facts_of
from skelnas.analysis.style import save_figure
from skelnas.errors import InputError
from skelnas.pages.parts import Part, analysis_part
from skelnas.pages.report import Reported, lacks, report
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise

from .conftest import ELEVEN

NAMES = ("learning-curves", "rank-agreement", "ranking", "accuracy-and-cost", "noise")  # one of each kind
MARKUP = "<img src=x onerror=alert(1)>\"'&"


@pytest.fixture
def made(tmp_path, make_benchmark):
    """Facts and parts of a benchmark with `seeds`, through the files that the workflow makes."""

    def make(seeds=(777, 888), cells=ELEVEN, names=NAMES):
        with Benchmark(make_benchmark(cells, seeds=seeds)) as benchmark:
            facts, summary = facts_of(benchmark), summarise(benchmark)
            for name in names:
                products.write_csv(tmp_path / f"{name}.csv", products.tabulate(name, benchmark, summary))
        for name in names:
            if ANALYSES[name].draws:
                figure = products.draw(name, products.read_csv(tmp_path / f"{name}.csv"), facts)
                for end in ("png", "svg"):
                    save_figure(figure, tmp_path / f"{name}.{end}")
        return facts, [analysis_part(name, facts, tmp_path, f"How to read {name}.", False) for name in names]

    return make


def test_themes_findings_figures_and_tables(made, tmp_path):
    facts, parts = made()
    text = report(
        "tiny",
        [Reported(facts, {"recipe": "epochs 3"})],
        parts,
        ["shape"],
        {"numpy": "2.0", "torch": ""},
        "skelnas pages x.h5",
    ).decode()
    assert re.findall(r'<section id="(\w+)"', text) == [*THEMES, "missing", "made"]
    articles = re.findall(r"<article>.*?</article>", text, re.DOTALL)
    assert len(articles) == len(NAMES)
    for name in NAMES:
        table = products.read_csv(tmp_path / f"{name}.csv")
        finding = products.finding(name, table, facts)
        article = next(found for found in articles if f"<h3>{products.title(name)}</h3>" in found)
        assert f"<p class='finding'>{finding}</p>" in unescape(article)
        if ANALYSES[name].draws:
            alt, kind, data = re.search(r'<img alt="(.*?)" src="data:image/(.*?);base64,(.*?)"', article).groups()
            assert unescape(alt) == finding
            end = {"svg+xml": "svg", "png": "png"}[kind]
            assert base64.b64decode(data) == (tmp_path / f"{name}.{end}").read_bytes()
        link = re.search(r'download="(.*?)" href="data:text/csv;base64,(.*?)"', article)
        assert link[1] == f"{name}.csv"
        assert base64.b64decode(link[2]) == (tmp_path / f"{name}.csv").read_bytes()
    assert "<caption>the first 10 of 11 rows</caption>" in text
    assert "Analyses that the study did not ask for: shape." in text
    assert '<th scope="row">numpy</th><td>2.0</td>' in text
    assert "torch" not in text
    assert "Made again by <code>skelnas pages x.h5</code>" in text


def test_equal_in_equal_out(made):
    facts, parts = made(names=("noise",))
    assert len({report("tiny", [Reported(facts, {})], parts, [], {}, "again") for _ in range(2)}) == 1


def test_one_seed_is_said_and_nothing_is_drawn_of_noise(made):
    facts, parts = made(seeds=(777,), names=("intraclass-correlation", "learning-curves"))
    text = report("tiny", [Reported(facts, {})], parts, [], {}, "again").decode()
    empty = [part for part in parts if not part.figures]
    assert [part.title for part in empty] == ["Intraclass correlation"]
    assert "one seed, so that noise between seeds is not known" in text
    assert "do not suffice, as is said there: Intraclass correlation." in text
    assert text.count("<img") == 1


def test_what_a_benchmark_lacks(made):
    facts, _ = made(names=())
    assert list(lacks(facts)) == ["11 of the 15,625 cells, so that what is said is said of a sample"]
    whole = {"cells": 15625, "splits": ("valid",), "curves": (), "losses": False, "incomplete": 7}
    assert list(lacks(type(facts)(**{**vars(facts), **whole}))) == [
        "7 cells without some of the seeds",
        "no accuracy of train and test after the last epoch",
        "no learning curves of valid",
        "no losses",
    ]


def test_a_large_table_is_packed_and_a_large_figure_has_pixels(made, tmp_path):
    facts, _ = made(names=())
    large = pd.DataFrame({"value": range(60_000)})
    products.write_csv(tmp_path / "large.csv", large)
    (tmp_path / "large.png").write_bytes(b"png" * 1000)
    (tmp_path / "large.svg").write_bytes(b"svg" * 100_000)
    part = Part(
        "people", "Large", "It is large.", "", tmp_path / "large.csv", (tmp_path / "large.png", tmp_path / "large.svg")
    )
    text = report("tiny", [Reported(facts, {})], [part], [], {}, "again").decode()
    packed = re.search(r'download="large\.csv\.gz" href="data:application/gzip;base64,(.*?)"', text)[1]
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(gzip.decompress(base64.b64decode(packed)))), large)
    assert "data:image/png;" in text
    assert "svg+xml" not in text


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1300, "light"), (400, "dark")])
def test_readable_by_everybody(made, tmp_path, opened, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    facts, parts = made(names=("learning-curves", "ranking"))
    parts.append(Part("people", MARKUP, MARKUP, MARKUP))
    (tmp_path / "report.html").write_bytes(
        report("tiny", [Reported(facts, {MARKUP: MARKUP})], parts, [MARKUP], {}, MARKUP)
    )
    page = opened(tmp_path / "report.html", width=width, color_scheme=scheme)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h3", has_text=MARKUP).count() == 1
    assert page.locator("img").count() == 1
    with page.expect_download() as download:
        page.click("a[download='ranking.csv']")
    assert download.value.path().read_bytes() == (tmp_path / "ranking.csv").read_bytes()
    page.emulate_media(media="print", color_scheme=scheme)
    assert not page.locator("nav").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_an_analysis_across_benchmarks_takes_the_facts_of_all(made, tmp_path):
    facts, _ = made(names=())
    for name in ACROSS:
        (tmp_path / f"{name}.csv").write_text("first,second\n")
        part = analysis_part(name, [facts, facts], tmp_path, "How to read it.", True)
        assert part.theme == "across"
        assert part.title == products.title(name)
        assert part.finding
        assert part.figures == ()


def test_a_table_of_another_version_is_a_sentence(made, tmp_path):
    facts, _ = made(names=())
    (tmp_path / "noise.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"noise\.csv has other columns .* --force .*noise\.csv` makes it again"):
        analysis_part("noise", facts, tmp_path, "", False)
