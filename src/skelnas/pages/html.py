"""What every page is made of: one file with its styles, scripts and data inside."""

import base64
import html
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from skelnas.analysis import cell_drawing, style
from skelnas.cells import space
from skelnas.pages.seal import sealed

# Nothing is fetched, whatever a name or a caption might hold; styles, scripts and pictures are the page's own.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


def page(title: str, body: str, styles: str, scripts: str = "") -> bytes:
    """A whole HTML file of that title; `body`, `styles` and `scripts` are put in as they are."""
    icon = '<link rel="icon" href="data:,">'
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{icon}<title>{escaped(title)}</title>\n<style>\n{colours()}\n{asset('style.css')}\n{styles}</style>"
    )
    script = f"<script>\n{scripts}</script>\n" if scripts else ""
    text = f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>\n{body}{script}</body>\n</html>\n'
    return sealed(text.encode())


def asset(name: str) -> str:
    """The text of a file beside this module."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def colours() -> str:
    """The colours of the figures as properties of style sheets."""
    named = {"ink": style.INK, "muted": style.MUTED, "rule": style.RULE, **style.SPLIT_COLOURS}
    letters = enumerate(cell_drawing.LETTERS.get(name, style.MUTED) for name in space.OPERATIONS)
    named |= {f"letters-{digit}": colour for digit, colour in letters}
    return f":root {{ {' '.join(f'--{name}: {colour};' for name, colour in named.items())} }}"


def escaped(text: str) -> str:
    """Text for between tags and inside quotes: whatever a name holds is seen and never obeyed."""
    return html.escape(text)


def script_json(value: Mapping[str, Any]) -> str:
    """JSON for inside a script element: it can neither end the element nor begin a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def blobs(packed: Iterable[tuple[str, bytes]]) -> str:
    """Elements with binary data that no browser shows, by their id."""
    return "".join(
        f'<script type="application/octet-stream" id="{name}">{base64.b64encode(data).decode()}</script>\n'
        for name, data in packed
    )
