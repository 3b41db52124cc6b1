"""A browser for the tests of pages: Debian's chromium, without network."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from skelnas.pages.explorer import Explored, explorer
from skelnas.results.query import Benchmark
from skelnas.results.summary import summarise

from ..lacking import lacking

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = "/usr/bin/chromium"
ELEVEN = [0, 9, 123, 1459, 1651, 1835, 4317, 4999, 7581, 11472, 15624]


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    if not shutil.which(CHROMIUM):
        lacking("a browser: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: "Browser") -> "Iterator[Callable[..., Page]]":
    """Opens a file in a window of its own; anything that the page says to its console, or fetches, fails the test."""
    contexts, said = [], []

    def open_page(path: Path, address: str = "", width: int = 1300, height: int = 900, **options: object) -> "Page":
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda asked: said.append(asked.url) if asked.url.startswith("http") else None)
        page.goto(f"{path.as_uri()}{address}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture
def make_explorer(tmp_path: Path, make_benchmark: Callable[..., Path]) -> Callable[..., Path]:
    """Makes the explorer of a benchmark of made-up curves."""

    def make(
        cells: list[int] = ELEVEN, class_names: tuple[str, ...] = (), path: Path | None = None, **how: object
    ) -> Path:
        with Benchmark(path or make_benchmark(cells, **how)) as benchmark:
            page = explorer("tiny", [Explored(benchmark, summarise(benchmark), class_names)], "0")
        file = tmp_path / "explorer.html"
        file.write_bytes(page)
        return file

    return make
