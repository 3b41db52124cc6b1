"""Confusions, classes, McNemar and the hardest recordings on a made-up file of three networks."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import statsmodels.stats.contingency_tables
import statsmodels.stats.multitest
import statsmodels.stats.proportion
from PIL import Image

from skelnas.analysis import products
from skelnas.analysis.catalogue import ANALYSES
from skelnas.analysis.people import classes, confusion, hardest, pairs
from skelnas.analysis.provenance import facts_of
from skelnas.errors import InputError
from skelnas.results.networks import Networks, networks_path, write_networks
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise

LABELS = np.array([0, 0, 0, 1, 1, 1, 2, 2])
PREDICTED = np.array([[0, 0, 1, 1, 1, 0, 2, 3], [0, 1, 1, 1, 0, 0, 2, 1], [0, 0, 1, 1, 1, 1, 2, 1]])
NAMES = ("sit", "stand, then wave", "kick")
PEOPLE = [name for name, row in ANALYSES.items() if row.theme == "people"]


def networks(predicted: np.ndarray = PREDICTED, benchmark: str = "x" * 64, table: int = -1) -> Networks:
    number = len(predicted)
    return Networks(
        cell=np.array([3, 9, 11472, 0, 1, 2][:number]),
        seed=np.full(number, 777),
        counts=np.full((number, 3), 5),
        table=np.full((number, 3), table),
        valid=predicted[:, :4],
        test=predicted,
        valid_label=LABELS[:4],
        test_label=LABELS,
        test_name=tuple(f"a{sample}" for sample in range(8)),
        test_image=np.random.default_rng(0).integers(0, 255, (8, 6, 9, 3), dtype=np.uint8),
        roles=("best", "median", "resnet", "cell", "cell", "cell")[:number],
        classes=NAMES,
        dataset="tiny",
        recipe_name="short",
        fingerprint="ab" * 32,
        benchmark=benchmark,
        engine="fused",
    )


def test_confusions():
    table = confusion.confusions(networks())
    assert set(table["network"]) == {"best (3)", "median (9)", "resnet (11472)"}
    first = table[table["network"] == "best (3)"].set_index(["class", "predicted"])["recordings"].to_dict()
    assert first == {
        ("sit", "sit"): 2, ("sit", "stand, then wave"): 1, ("stand, then wave", "stand, then wave"): 2,
        ("stand, then wave", "sit"): 1, ("kick", "kick"): 1, ("kick", "no number"): 1,
    }  # fmt: skip
    assert table.groupby("network")["recordings"].sum().tolist() == [8, 8, 8]


def test_accuracy_of_classes():
    table = classes.by_class(networks()).set_index(["network", "class"])
    row = table.loc["best (3)", "sit"]
    assert row["accuracy"] == pytest.approx(200 / 3)
    expected = statsmodels.stats.proportion.proportion_confint(2, 3, method="wilson")
    assert (row["low"], row["high"]) == pytest.approx([100 * limit for limit in expected])
    assert row["spread"] == pytest.approx(100 / 3)


def test_mcnemar_is_that_of_statsmodels():
    random = np.random.default_rng(1)
    many = networks(random.integers(0, 3, (4, 8)))
    table = pairs.mcnemar(many)
    right = many.test == LABELS
    names = many.names
    assert len(table) == 6
    for row in table.to_dict("records"):
        one, other = right[names.index(row["first"])], right[names.index(row["second"])]
        square = [[(one & other).sum(), (one & ~other).sum()], [(~one & other).sum(), (~one & ~other).sum()]]
        assert [[row["both"], row["only_first"]], [row["only_second"], row["neither"]]] == square
        expected = statsmodels.stats.contingency_tables.mcnemar(square, exact=True).pvalue
        assert row["p"] == pytest.approx(min(1, expected))
        assert row["difference"] == pytest.approx(100 * (one.mean() - other.mean()))
    adjusted = statsmodels.stats.multitest.multipletests(table["p"], method="holm")[1]
    assert table["p_adjusted"].to_numpy() == pytest.approx(adjusted)


def test_equal_networks_do_not_differ_and_one_has_nobody_to_differ_from():
    table = pairs.mcnemar(networks(np.stack([PREDICTED[0]] * 2)))
    assert table["p"].tolist() == [1]
    assert pairs.mcnemar(networks(PREDICTED[:1])).empty


def test_hardest_recordings():
    table = hardest.hardest(networks())
    assert table["recording"].tolist()[:2] == ["a2", "a7"]  # nobody is right; three votes before two
    assert table["right"].tolist() == [0, 0, 1, 2, 2, 3, 3, 3]
    assert table["taken_for"].tolist()[:2] == ["stand, then wave", "stand, then wave"]
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(table["image"][0]))))
    assert (image == networks().test_image[2]).all()


@pytest.fixture
def kept(make_benchmark, tmp_path):
    """A benchmark with networks beside it, as the workflow has them."""
    path = tmp_path / "results/benchmark/study/tiny/short.h5"
    path.parent.mkdir(parents=True)
    made = Path(make_benchmark([0, 3, 9, 11472]))
    path.write_bytes(made.read_bytes())
    path.with_suffix(".loss.h5").write_bytes(made.with_suffix(".loss.h5").read_bytes())
    networks_path(path).parent.mkdir(parents=True)
    with Benchmark(path) as benchmark:
        yield benchmark


@pytest.mark.parametrize("name", PEOPLE)
def test_figures_and_findings(kept, name, tmp_path):
    write_networks(networks_path(kept.path), networks(benchmark=kept.identity, table=6))
    products.write_csv(tmp_path / "table.csv", products.tabulate(name, kept, summarise(kept)))
    table = products.read_csv(tmp_path / "table.csv")
    figure = products.draw(name, table, facts_of(kept))
    figure.draw_without_rendering()
    text = "\n".join(one.get_text() for one in figure.findobj(lambda artist: hasattr(artist, "get_text")))
    assert "4 cells" in text
    assert "3 of 3 networks have other counts" in text.replace("\n", " ")
    assert "3 of 3 networks have other counts" in products.finding(name, table, facts_of(kept))


@pytest.mark.parametrize("name", PEOPLE)
def test_without_networks_there_is_a_sentence(kept, name):
    table = products.tabulate(name, kept, summarise(kept))
    assert table.empty
    assert "name some by `predictions` of the study" in products.finding(name, table, facts_of(kept))


def test_networks_of_another_benchmark_are_refused(kept):
    write_networks(networks_path(kept.path), networks())
    with pytest.raises(InputError, match="has the networks of another benchmark"):
        products.tabulate("confusion", kept, summarise(kept))


def test_a_benchmark_anywhere_may_lack_networks():
    for path in ("/r.h5", "/home/r.h5", "/home/someone/r.h5"):
        assert not networks_path(path).is_file()
    assert networks_path("/a/benchmark/study/set/r.h5") == Path("/a/networks/study/set/r.h5")
