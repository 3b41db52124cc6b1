"""The pages for developers say what is there."""

import ast
import re
from pathlib import Path

from skelnas.analysis.catalogue import ACROSS, ANALYSES, OF_FOLDS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src/skelnas"
DEVELOPMENT = (ROOT / "docs/development.md").read_text(encoding="utf-8")


def imported_rooms() -> dict[str, set[str]]:
    """For each room of the package (a folder or a module), the others that it imports, anywhere in its code."""
    found: dict[str, set[str]] = {}
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).with_suffix("").parts[0]
        names = found.setdefault(room, set())
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
    rooms = found.keys() - {"__init__", "__main__"}
    return {room: {name.split(".")[1] for name in found[room] if is_ours(name)} & rooms - {room} for room in rooms}


def is_ours(name: str) -> bool:
    return name.startswith("skelnas.")


def test_the_map_names_every_room_and_whom_it_knows():
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\w ]*)\|$", DEVELOPMENT, re.MULTILINE)
    assert {room: set(knows.split()) for room, knows in rows} == imported_rooms()
    assert len(rows) == len(imported_rooms())


def test_every_file_that_the_page_names_is_there():
    named = set(re.findall(r"`((?:src|tests|workflow|bench|docs)/[\w./-]*)`", DEVELOPMENT))
    assert len(named) > 15
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_index_has_every_page_and_its_links_lead_somewhere():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([\w./-]+)\)", index))
    assert {path for path in linked if not (ROOT / "docs" / path).exists()} == set()
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"} == {
        path for path in linked if path.endswith(".md")
    } - {"../README.md"}


def test_the_page_of_analyses_tells_of_each():
    told = set(re.findall(r"\*\*([\w-]+)\*\*", (ROOT / "docs/analysis.md").read_text(encoding="utf-8")))
    assert told == {*ANALYSES, *ACROSS, *OF_FOLDS, "contact-sheet", "data-card", "encodings"}
