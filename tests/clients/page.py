"""Runs Python of a page in this folder: `python page.py CODE`; the plain values that it leaves behind, as JSON."""

import json
import sys

names: dict = {}
exec(sys.argv[1], names)
kept = {
    name: value if isinstance(value, (int, float, str)) else list(value)
    for name, value in names.items()
    if isinstance(value, (int, float, str, tuple)) and not name.startswith("__")
}
print("JSON", json.dumps(kept))
