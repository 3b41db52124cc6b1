import pytest
from matplotlib.figure import Figure

from skelnas.analysis.catalogue import FIGURES, TABLES, figure, table
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


@pytest.fixture(params=SIZES)
def study(request, make_benchmark):
    cells, seeds = SIZES[request.param]
    with Benchmark(make_benchmark(cells, seeds)) as benchmark:
        yield benchmark, summarise(benchmark)


def words(figure: Figure) -> str:
    """Everything written in a figure."""
    figure.draw_without_rendering()
    return "\n".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def test_every_figure_says_what_it_was_made_from(study):
    benchmark, summary = study
    for name in FIGURES:
        text = words(figure(name)(benchmark, summary))
        assert f"{len(benchmark):,} cell" in text
        assert ", ".join(map(str, benchmark.seeds)) in text
        assert "16 test" in text
        assert "20.0 %" in text  # chance among five classes
        assert "nan" not in text.lower()


def test_every_table_has_rows(study):
    benchmark, summary = study
    for name in TABLES:
        assert len(table(name)(benchmark, summary)) > 0


@pytest.mark.parametrize("name", ["accuracy-and-cost", "best-and-worst-cells"])
def test_figures_are_the_same_every_time(make_benchmark, tmp_path, name):
    with Benchmark(make_benchmark([0, 3, 9, 1651, 1835, 11472])) as benchmark:
        summary = summarise(benchmark)
        for path in (tmp_path / "a.svg", tmp_path / "b.svg"):
            save_figure(figure(name)(benchmark, summary), path)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_resnet_is_marked_where_it_is_among_the_cells(make_benchmark):
    for cells, marked in (([0, 11472], True), ([0, 1462], False)):
        with Benchmark(make_benchmark(cells)) as benchmark:
            text = words(figure("accuracy-and-cost")(benchmark, summarise(benchmark)))
        assert ("ResNet cell (11472)" in text) == marked


def test_best_and_worst_never_show_a_cell_twice(make_benchmark):
    with Benchmark(make_benchmark([0, 3, 9, 123, 1462])) as benchmark:
        text = words(figure("best-and-worst-cells")(benchmark, summarise(benchmark)))
    shown = [line.split("cell ")[1] for line in text.splitlines() if line.startswith("rank ")]
    assert sorted(map(int, shown)) == [0, 3, 9, 123, 1462]


def test_facts_line(make_benchmark):
    with Benchmark(make_benchmark([0])) as benchmark:
        facts = facts_of(benchmark)
    assert facts.chance == 20
    assert facts.line("valid") == "  ·  ".join(
        ["tiny, short (3 epochs)", "1 cell", "mean of seeds 777, 888", "samples: 8 valid"]
    )
