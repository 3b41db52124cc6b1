"""The explorer in a browser, and what it says where a benchmark lacks something."""

import csv
import io
import re
import time

import numpy as np
import pytest

from skelnas.cells import space
from skelnas.cells.edges import trained_edges
from skelnas.pages.explorer import Explored, explorer
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Table, write_benchmark
from skelnas.results.counts import MISSING, stored_counts
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise

from .conftest import ELEVEN

pytestmark = pytest.mark.browser

MARKUP = '<img src=x onerror=alert(1)></script><b>wave</b> & "more"'


def count(page):
    return page.locator("#count").inner_text()


def settled(page):
    """Wait until what was changed is drawn and in the address."""
    page.wait_for_timeout(20)
    page.wait_for_selector("body[data-state=settled]")
    return page


def test_every_number_of_the_page_is_that_of_the_summary(make_benchmark, make_explorer, opened):
    path = make_benchmark(ELEVEN)
    page = opened(make_explorer(path=path))
    assert count(settled(page)) == "11 of 11 cells selected"
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "tiny-selection.csv"
    text = download.value.path().read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    with Benchmark(path) as benchmark:
        summary = summarise(benchmark).set_index("index")
    assert sorted(int(row["index"]) for row in rows) == ELEVEN
    columns = {
        "test accuracy (%)": "test_top1",
        "validation accuracy (%)": "valid_top1",
        "training accuracy (%)": "train_top1",
        "test accuracy, spread of seeds (points)": "test_top1_std",
        "test top-5 accuracy (%)": "test_top5",
        "training loss": "train_loss",
        "test accuracy at the best validation epoch (%)": "test_top1_at_best_valid",
    }
    ranks = summary["test_top1"].rank(method="min", ascending=False)
    for row in rows:
        cell = int(row["index"])
        assert row["architecture"] == summary["architecture"][cell]
        assert int(row["class_representative"]) == summary["class_representative"][cell]
        assert float(row["parameters (k)"]) * 1000 == pytest.approx(summary["parameters"][cell])
        assert float(row["multiply-accumulates (M)"]) * 1e6 == pytest.approx(summary["macs"][cell])
        assert float(row["rank by test accuracy"]) == ranks[cell]
        for name, column in columns.items():
            assert float(row[name]) == pytest.approx(summary[column][cell], rel=1e-6), (cell, name)


def test_hover_click_compare_and_neighbours(make_explorer, opened):
    cells = [1459, *sorted(set(map(int, neighbours(1459))))[:6], 15624]
    page = opened(make_explorer(sorted(set(cells))))
    box = page.locator("#scatter").bounding_box()
    for x in range(60, int(box["width"]), 8):  # until the pointer meets a point
        page.mouse.move(box["x"] + x, box["y"] + box["height"] / 2)
        page.wait_for_timeout(20)
        if page.locator("#hover").is_visible():
            break
    named = int(page.locator("#hover strong").inner_text().removeprefix("Cell "))
    assert named in cells
    assert page.locator("#hover svg.cell").get_attribute("aria-label").startswith("Cell: in to 1 ")
    assert page.locator("#hover svg.curves").count() == 1
    page.mouse.click(box["x"] + x, box["y"] + box["height"] / 2)
    assert settled(page).locator(".card h2").all_inner_texts() == [f"A: cell {named}"]
    assert space.text(space.cell(named)) in page.locator(".card").inner_text()
    page.fill("#wanted", space.text(space.cell(1459)))
    page.press("#wanted", "Enter")
    settled(page)
    page.locator("button[aria-label='Pin cell 15624 as B']").click()
    assert settled(page).locator(".card h2").all_inner_texts() == ["A: cell 1459", "B: cell 15624"]
    assert page.locator(".card.a .band").count() == 2
    buttons = page.locator(".card.a .neighbours button")
    assert buttons.count() == len(set(cells) & set(neighbours(1459)))
    assert page.locator(".card.a .neighbours td.own").count() == 6
    first = buttons.first.get_attribute("aria-label")
    buttons.first.click()
    other = re.match(r"Cell (\d+), ", first)[1]
    assert settled(page).locator(".card.a h2").inner_text() == f"A: cell {other}"


def neighbours(cell):
    digits = space.cell(cell)
    for edge in range(6):
        for digit in range(5):
            if digit != digits[edge]:
                yield space.index((*digits[:edge], digit, *digits[edge + 1 :]))


def wait_until(page, condition):
    """Until that expression holds; the page forbids what playwright's own way of waiting does."""
    deadline = time.monotonic() + 20
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(50)


def swipe(page, start, end):
    """A finger that goes from one point to the other and is lifted there."""
    session = page.context.new_cdp_session(page)
    steps = [tuple(a + (b - a) * part / 8 for a, b in zip(start, end, strict=True)) for part in range(9)]
    for kind, points in [("touchStart", [steps[0]]), *(("touchMove", [step]) for step in steps[1:]), ("touchEnd", [])]:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})


def test_a_finger_brushes_sideways_and_scrolls_up_and_down(make_explorer, opened):
    page = settled(opened(make_explorer(), width=400, height=800, has_touch=True, is_mobile=True))
    everything = count(page)
    page.locator("#scatter").scroll_into_view_if_needed()
    box = page.locator("#scatter").bounding_box()
    left, right = box["x"] + 70, box["x"] + box["width"] - 10
    swipe(page, (left, box["y"] + 20), (right, box["y"] + box["height"] / 2))
    wait_until(page, "location.hash.includes('brush')")
    assert count(settled(page)) != everything
    page.touchscreen.tap(left, box["y"] + 4)  # beside all points
    wait_until(page, "!location.hash.includes('brush')")
    before = page.evaluate("scrollY")
    swipe(page, (box["x"] + 200, box["y"] + 250), (box["x"] + 203, box["y"] + 30))
    wait_until(page, f"scrollY > {before}")
    assert "brush" not in page.evaluate("location.hash")


def test_filters_brush_and_the_address_that_shares_them(make_benchmark, make_explorer, opened):
    path = make_benchmark(ELEVEN)
    file = make_explorer(path=path)
    page = settled(opened(file))
    page.uncheck("#edge5-1")
    left = [cell for cell in ELEVEN if space.cell(cell)[5] != space.SKIP]
    assert count(settled(page)) == f"{len(left)} of 11 cells selected"
    with Benchmark(path) as benchmark:
        summary = summarise(benchmark).set_index("index")
    bound = float(summary["macs"].median()) / 1e6
    page.fill("#macs-to", str(bound))
    page.press("#macs-to", "Tab")
    left = [cell for cell in left if summary["macs"][cell] / 1e6 <= bound]
    assert count(settled(page)) == f"{len(left)} of 11 cells selected"
    page.select_option("#x", "parameters")
    page.select_option("#colour", "valid")
    box = settled(page).locator("#scatter").bounding_box()
    page.mouse.move(box["x"] + 70, box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] * 0.8, steps=3)
    page.mouse.up()
    brushed = count(settled(page))
    shown = page.locator("#list tbody th").all_inner_texts()
    assert 0 < len(shown) <= len(left)
    middle = float(page.input_value("#box1-from"))
    assert {int(cell) for cell in shown} == {cell for cell in left if summary["test_top1"][cell] >= middle}
    page.fill("#wanted", "123")
    page.press("#wanted", "Enter")
    settled(page)
    page.evaluate("document.activeElement.blur()")
    page.click("#share")
    shared = opened(file, address=page.evaluate("location.hash"))
    assert count(settled(shared)) == brushed
    assert shared.locator("#list tbody th").all_inner_texts() == shown
    assert shared.locator(".card h2").all_inner_texts() == ["A: cell 123"]
    assert [shared.input_value(f"#{name}") for name in ("x", "colour", "macs-to")] == [
        "parameters",
        "valid",
        str(bound),
    ]
    shared.click("#reset")
    assert count(settled(shared)) == "11 of 11 cells selected"


def test_classes_and_ranks_filter(make_explorer, opened):
    page = settled(opened(make_explorer()))
    page.fill("#rank-to", "3")
    page.press("#rank-to", "Tab")
    assert int(count(settled(page)).split()[0]) >= 3
    page.click("#reset")
    page.fill("#representative", "1459")
    page.press("#representative", "Tab")
    assert count(settled(page)) == "1 of 11 cells selected"
    page.fill("#rank-from", "12")
    page.press("#rank-from", "Tab")
    assert count(settled(page)) == "0 of 11 cells selected"
    assert page.locator("#download").is_disabled()


def test_everything_by_keyboard(make_explorer, opened):
    page = settled(opened(make_explorer()))
    page.focus("#scatter")
    for key in ("ArrowRight", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
        page.wait_for_timeout(60)
    assert page.locator("#hover").is_visible()
    page.keyboard.press("Enter")
    pinned = settled(page).locator(".card.a h2").inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.wait_for_timeout(60)
    page.keyboard.press("b")
    assert settled(page).locator(".card h2").count() == 2
    page.keyboard.press("+")
    assert "view=" in settled(page).evaluate("location.hash")
    page.keyboard.press("0")
    assert "view=" not in settled(page).evaluate("location.hash")
    page.locator(".card.a header button").focus()
    page.keyboard.press("Enter")
    assert pinned not in settled(page).locator(".card h2").all_inner_texts()
    reached = set()
    page.evaluate("document.activeElement.blur()")
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.ariaLabel"))
    wanted = {
        "wanted",
        "share",
        "theme",
        "x",
        "y",
        "colour",
        "scatter",
        "download",
        "edge0-0",
        "box0-from",
        "reset",
        "closer",
    }
    assert wanted <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 400])
def test_axe_finds_nothing(make_explorer, opened, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(make_explorer(class_names=("wave", "kick")), "#a=1459&b=123", width=width, color_scheme=scheme)
    found = Axe().run(settled(page))
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_names_with_markup_show_as_text(make_explorer, opened):
    page = opened(make_explorer(class_names=(MARKUP, "kick")), address=f"#x={MARKUP}&a=<b>")
    assert MARKUP in page.locator("#actions").inner_text()
    page.fill("#wanted", MARKUP)
    page.press("#wanted", "Enter")
    assert f"there is no cell {MARKUP}: give an index" in settled(page).locator("#answer").inner_text()
    assert page.locator("img, b").count() == 0


@pytest.mark.parametrize("wanted", ["15625", "", "|none~0|+|none~0|none~0|+|none~0|none~1|none~2|", "3"])
def test_what_is_not_there_is_said(make_explorer, opened, wanted):
    page = settled(opened(make_explorer()))
    page.fill("#wanted", wanted)
    page.press("#wanted", "Enter")
    assert re.search(r"there is no cell|cell 3 was not trained here", page.locator("#answer").inner_text())
    assert settled(page).locator(".card").count() == 0


def test_one_seed_has_no_band_and_no_spread(make_explorer, opened):
    page = opened(make_explorer(seeds=(777,)), "#a=1459")
    card = settled(page).locator(".card.a")
    assert "one seed, so no band" in card.inner_text()
    assert card.locator(".band").count() == 0
    assert "spread of seeds" not in page.locator("#y").inner_text()


def table(cells, random, epochs=3, seeds=(777, 888)):
    shape = (len(cells), len(seeds), 3, epochs)
    counts = (np.sort(random.random(shape), axis=3) * 24).astype(int)
    rates = np.ones(epochs)
    return {
        "cells": np.array(cells),
        "seeds": seeds,
        "top1": counts,
        "top5": counts.copy(),
        "loss": None,
        "samples": (24, 24, 24),
        "learning_rate": rates,
        "dataset": "tiny",
        "recipe_name": "short",
        "recipe": Recipe(epochs, 4).as_dict(),
        "fingerprint": "",
        "classes": 5,
        "height": 8,
        "width": 12,
    }


def written(path, fields):
    for name in ("top1", "top5"):
        fields[name] = stored_counts(fields[name], fields["samples"])
    write_benchmark(path, Table(**fields))
    return path


def test_missing_seeds_are_missing_and_never_zero(tmp_path, make_explorer, opened):
    fields = table([3, 9, 123], np.random.default_rng(1))
    for name in ("top1", "top5"):
        fields[name][0, 1] = MISSING  # cell 3 lacks a seed
        fields[name][1] = MISSING  # nobody trained cell 9
    page = opened(make_explorer(path=written(tmp_path / "some.h5", fields)), "#a=3&b=9")
    assert count(settled(page)) == "2 of 3 cells selected"
    one, none = page.locator(".card.a"), page.locator(".card.b")
    assert "one seed (777), so no band" in one.inner_text()
    mean, *seeds = one.locator("tbody tr", has_text="test").first.locator("td").all_inner_texts()
    assert seeds == [mean, "–"]
    assert "No seed of this cell was trained." in none.inner_text()
    assert set(none.locator(".tables table").first.locator("td").all_inner_texts()) == {"–"}


def test_only_the_last_epoch_is_known(tmp_path, make_explorer, opened):
    fields = table(ELEVEN, np.random.default_rng(2))
    for name in ("top1", "top5"):
        fields[name][..., :-1] = MISSING
        fields[name][:, :, [0, 2]] = MISSING
    fields["samples"] = (0, 24, 0)
    page = opened(make_explorer(path=written(tmp_path / "last.h5", fields)), "#a=1459")
    assert count(settled(page)) == "11 of 11 cells selected"
    assert page.input_value("#y") == "valid"
    assert "Only epoch 3 is known" in page.locator(".card.a").inner_text()
    assert "rank by validation accuracy" in page.locator(".card.a").inner_text()


def test_a_benchmark_of_which_nothing_is_known(tmp_path, make_explorer, opened):
    fields = table(ELEVEN, np.random.default_rng(3))
    for name in ("top1", "top5"):
        fields[name][:] = MISSING
    page = opened(make_explorer(path=written(tmp_path / "none.h5", fields)), "#a=1459")
    assert count(settled(page)) == "11 of 11 cells selected"  # their cost is known
    assert "No seed of this cell was trained." in page.locator(".card.a").inner_text()
    page.select_option("#y", "index")
    assert "architecture index" in settled(page).locator("#list caption").inner_text()


def test_two_runs_with_different_cells_and_seeds(tmp_path, opened):
    random = np.random.default_rng(4)
    paths = [
        written(tmp_path / "one.h5", table([3, 9, 123], random)),
        written(tmp_path / "two.h5", table([9, 123, 1459, 15624], random, seeds=(777,)) | {"dataset": "other"}),
    ]
    with Benchmark(paths[0]) as one, Benchmark(paths[1]) as two:
        runs = [Explored(benchmark, summarise(benchmark)) for benchmark in (one, two)]
        content = explorer("both", runs, "0")
        assert content == explorer("both", runs, "0")
    file = tmp_path / "both.html"
    file.write_bytes(content)
    page = opened(file, "#x=1.test&a=9&b=1459")
    assert count(settled(page)) == "2 of 5 cells selected"
    assert page.input_value("#y") == "0.test"
    assert "tiny, short has no cell 1459." in page.locator(".card.b").inner_text()
    page.select_option("#run", "1")
    assert "one seed, so no band" in settled(page).locator(".card.b").inner_text()


def test_drawings_follow_the_edges_that_carry_something(make_explorer, opened):
    page = opened(make_explorer(), "#a=3")
    for cell in (1459, 123, 4999):
        page.fill("#wanted", str(cell))
        page.press("#wanted", "Enter")
        kinds = (
            settled(page)
            .locator(".card.a svg.cell path")
            .evaluate_all("paths => paths.map(path => path.className.baseVal)")
        )
        trained, digits = trained_edges(space.cell(cell)), space.cell(cell)
        for edge, kind in enumerate(kinds):
            expected = "none" if not digits[edge] else "signal" if edge in trained.signal else "bias"
            assert kind == (expected if not digits[edge] or edge in trained.all else "idle"), (cell, edge)
