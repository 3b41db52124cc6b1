"""How large the explorer of a full benchmark is, and how long its frames take in headless Chromium.

15,625 cells x 3 seeds x 200 epochs of the model of `bench.benchmark_file`, which are no results. Milliseconds are those
that the page's script works for a frame (`performance.measure` in `main.js`), the median and the 95th percentile; the
browser's own work comes on top and is small beside it, because all pixels are the script's. `python -m bench.explorer`
prints the table; a busy machine says so by its load.
"""

import argparse
import os
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from bench.benchmark_file import EPOCHS, SAMPLES, SEEDS, model_curves
from skelnas.cells.space import CELLS
from skelnas.pages.explorer import Explored, explorer
from skelnas.recipe import Recipe
from skelnas.results.benchmark import Table, write_benchmark
from skelnas.results.counts import stored_counts
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise
from skelnas.text import text_table

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"
LIMITS = {"hover": "16 ms", "filter": "16 ms", "zoom": "16 ms", "opened": "1 s", "size": "3 MB"}


def model_benchmark(path: Path, cells: int) -> None:
    """A benchmark of the first `cells` cells with the model's curves."""
    per_seed = [model_curves(np.arange(cells), seed) for seed in SEEDS]
    recipe = Recipe(EPOCHS, 32)
    write_benchmark(
        path,
        Table(
            cells=np.arange(cells),
            seeds=SEEDS,
            top1=stored_counts(np.stack([each["top1"] for each in per_seed], axis=1), SAMPLES),
            top5=stored_counts(np.stack([each["top5"] for each in per_seed], axis=1), SAMPLES),
            loss=np.stack([each["loss"] for each in per_seed], axis=1),
            samples=SAMPLES,
            learning_rate=np.array([recipe.rate(epoch) for epoch in range(EPOCHS)]),
            dataset="model",
            recipe_name="b32-e200",
            recipe=recipe.as_dict(),
            fingerprint="ab" * 32,
            classes=27,
            height=60,
            width=68,
            source="a model, no results",
        ),
    )


def milliseconds(page: "Page") -> dict[str, list[float]]:
    """What the page's script took for each frame, by what was done; and until it had drawn first."""
    box = page.locator("#scatter").bounding_box()
    assert box is not None
    opened = page.evaluate("performance.getEntriesByName('drawn')[0].startTime")
    page.evaluate("performance.clearMeasures()")
    for step in range(300):
        share = step / 300
        page.mouse.move(
            box["x"] + 60 + (box["width"] - 80) * share, box["y"] + box["height"] * (0.3 + 0.4 * np.sin(9 * share))
        )
    for step in range(60):
        page.mouse.wheel(0, -60 if step % 20 < 10 else 60)
        page.wait_for_timeout(30)
    for step in range(30):
        page.evaluate("id => document.getElementById(id).click()", f"edge{step % 6}-{step % 5}")
        page.wait_for_timeout(60)
    page.wait_for_selector("body[data-state=settled]")
    taken = {
        kind: page.evaluate("kind => performance.getEntriesByName(kind, 'measure').map(entry => entry.duration)", kind)
        for kind in ("hover", "zoom", "filter")
    }
    return {"opened": [opened], **taken}


def measure(path: Path) -> dict[str, list[float]]:
    """Open the page in headless Chromium and use it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-state=settled]")
        found = milliseconds(page)
        browser.close()
    return found


def main() -> None:
    """Make the page in a temporary folder, use it, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=CELLS, help="fewer, for a trial")
    parser.add_argument("--keep", type=Path, help="a file that the page is written to")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        file = given.keep or Path(name, "explorer.html")
        model_benchmark(Path(name, "model.h5"), given.cells)
        with Benchmark(Path(name, "model.h5")) as benchmark:
            summary = summarise(benchmark)
            begun = perf_counter()
            file.write_bytes(explorer("model", [Explored(benchmark, summary)], "0"))
        made = perf_counter() - begun
        found = measure(file.resolve())
        rows = [("size", f"{file.stat().st_size / 1e6:.2f} MB"), ("made in", f"{made:.1f} s")]
    for what, taken in found.items():
        many = f"{np.median(taken):.1f} ms, 95 %: {np.percentile(taken, 95):.1f} ms of {len(taken)} frames"
        rows.append((what, f"{taken[0]:.0f} ms" if what == "opened" else many))
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    print(f"{given.cells:,} cells x {len(SEEDS)} seeds x {EPOCHS} epochs of a model; load {load:.1f} per core")
    print(text_table(("what", "measured", "limit"), [(what, value, LIMITS.get(what, "")) for what, value in rows]))


if __name__ == "__main__":
    main()
