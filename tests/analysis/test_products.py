import dataclasses
import re
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from skelnas.analysis import products
from skelnas.analysis.catalogue import ANALYSES, FIGURES
from skelnas.analysis.provenance import facts_of
from skelnas.analysis.style import save_figure
from skelnas.cells import space
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise

SIZES = {
    "one cell": ([0], (777,)),
    "three cells": ([0, 1462, 9930], (777,)),
    "many": ([*range(0, space.CELLS, 30), 1651, 11472], (777, 888, 999)),
}


@pytest.fixture(scope="module", params=SIZES)
def study(request, make_benchmark):
    with Benchmark(make_benchmark(*SIZES[request.param])) as benchmark:
        yield benchmark


def words(figure: Figure) -> str:
    """Everything written in a figure."""
    figure.draw_without_rendering()
    return "\n".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def drawn(name: str, benchmark: Benchmark, folder: Path) -> Figure:
    """The figure as the workflow draws it: from the csv."""
    products.write_csv(folder / f"{name}.csv", products.tabulate(name, benchmark, summarise(benchmark)))
    return products.draw(name, products.read_csv(folder / f"{name}.csv"), facts_of(benchmark))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_what_it_was_made_from(study, name, tmp_path):
    text = words(drawn(name, study, tmp_path))
    assert f"{len(study):,} cell" in text
    assert ", ".join(map(str, study.seeds)) in text
    assert "16 test" in text
    assert not re.search(r"\bnan\b", text.lower())


@pytest.mark.parametrize("name", ANALYSES)
def test_every_table_comes_back_from_its_csv(study, name, tmp_path):
    table, facts = products.tabulate(name, study, summarise(study)), facts_of(study)
    products.write_csv(tmp_path / "table.csv", table)
    again = products.read_csv(tmp_path / "table.csv")
    pd.testing.assert_frame_equal(table.reset_index(drop=True), again, check_dtype=False, check_exact=True)
    for found in (products.finding(name, part, facts) for part in (table, again)):
        assert found == products.finding(name, table, facts)
        assert found[0].isupper() or found[0].isalnum()
        assert found.endswith(".")
        assert not re.search(r"\bnan\b", found)


@pytest.mark.parametrize("name", ["accuracy-and-cost", "best-and-worst-cells"])
@pytest.mark.slow
def test_figures_are_the_same_every_time(make_benchmark, tmp_path, name):
    with Benchmark(make_benchmark([0, 3, 9, 1651, 1835, 11472])) as benchmark:
        for path in (tmp_path / "a.svg", tmp_path / "b.svg"):
            save_figure(drawn(name, benchmark, tmp_path), path)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_resnet_is_marked_where_it_is_among_the_cells(make_benchmark, tmp_path):
    for cells, marked in (([0, 11472], True), ([0, 1462], False)):
        with Benchmark(make_benchmark(cells)) as benchmark:
            text = words(drawn("accuracy-and-cost", benchmark, tmp_path))
        assert ("ResNet cell (11472)" in text) == marked


def test_best_and_worst_never_show_a_cell_twice(make_benchmark, tmp_path):
    with Benchmark(make_benchmark([0, 3, 9, 123, 1462])) as benchmark:
        text = words(drawn("best-and-worst-cells", benchmark, tmp_path))
    shown = [line.split("cell ")[1] for line in text.splitlines() if line.startswith("rank ")]
    assert sorted(map(int, shown)) == [0, 3, 9, 123, 1462]


def test_a_table_without_rows_becomes_a_figure_that_says_why(make_benchmark):
    with Benchmark(make_benchmark([0, 3], (777,))) as benchmark:
        facts = dataclasses.replace(facts_of(benchmark), splits=("test",))
        table = products.tabulate("rank-agreement", benchmark, summarise(benchmark)).iloc[:0]
    text = words(products.draw("rank-agreement", table, facts)).replace("\n", " ")
    assert "There is one seed and one split" in text
    assert "tiny, short" in text


def test_facts_line(make_benchmark):
    with Benchmark(make_benchmark([0])) as benchmark:
        facts = facts_of(benchmark)
    assert facts.chance == 20
    assert facts.line("valid") == "  ·  ".join(
        ["tiny, short (3 epochs)", "1 cell", "mean of seeds 777, 888", "samples: 8 valid"]
    )
