"""Hours from the model, where nothing was measured."""

from dataclasses import replace

import pytest

from skelnas.cells.selection import select
from skelnas.recipe import Recipe
from skelnas.study import plan_report as report
from skelnas.study.modelled import DOUBT, modelled_hours

MANIFEST = {"height": 8, "width": 12, "classes": ["x", "y"], "images": {"train": 64, "valid": 16, "test": 48}}
RECIPE = Recipe(epochs=10, batch_size=32)
LEFT = [select("0-9"), select("10-14")]


def test_hours_grow_with_cells_and_epochs_and_shrink_with_the_card():
    one = modelled_hours(LEFT, MANIFEST, RECIPE, "fp32")
    assert list(one) == ["A100", "H100", "H200"]
    assert one["A100"][0] > one["H100"][0] >= one["H200"][0] > 0
    assert all(high >= DOUBT * low for low, high in one.values())
    longer = modelled_hours(LEFT, MANIFEST, replace(RECIPE, epochs=30), "fp32")
    assert longer["H200"] == pytest.approx([3 * end for end in one["H200"]])
    twice = modelled_hours([*LEFT, *LEFT], MANIFEST, RECIPE, "fp32")  # of another seed
    assert twice["H200"] == pytest.approx([2 * end for end in one["H200"]])


def test_exact_epochs_count_as_fp32():
    exact, narrow = (modelled_hours(LEFT, MANIFEST, RECIPE, precision)["H200"] for precision in ("fp32", "bf16"))
    assert narrow < exact
    mixed = modelled_hours(LEFT, MANIFEST, replace(RECIPE, precision="bf16", exact_epochs=5), "bf16")["H200"]
    assert mixed == pytest.approx([(one + other) / 2 for one, other in zip(exact, narrow, strict=True)])


def test_there_is_no_model_of_float64_and_of_nothing():
    assert modelled_hours(LEFT, MANIFEST, replace(RECIPE, precision="fp64"), "bf16") == {}
    assert modelled_hours([(), ()], MANIFEST, RECIPE, "fp32") == {}


class State:
    manifest, recipe, left = MANIFEST, RECIPE, 15
    shards = tuple(type("Shard", (), {"left": cells}) for cells in LEFT)
    run = type("Run", (), {"folder": "one/e10"})


@pytest.mark.parametrize(
    ("training", "rate", "said"),
    [
        ({"engine": "fused", "device": "auto"}, None, True),
        ({"engine": "fused", "device": "cpu"}, None, False),
        ({"engine": "graphed", "device": "auto"}, None, False),
        ({"engine": "fused", "device": "auto"}, "measured", False),
    ],
)
def test_plan_says_it_where_nothing_was_measured(training, rate, said):
    found = report.modelled([type("One", (), {"state": State, "rate": rate})], training)
    assert bool(found) == said
    if said:
        assert "confirmed by no GPU; the upper end is twice" in found[0]
        header, _, row = found[0].splitlines()[-3:]
        assert " ".join(header.split()) == "run precision A100 H100 H200 A100 in bf16 H100 in bf16 H200 in bf16"
        assert row.startswith("one/e10       fp32  ")
