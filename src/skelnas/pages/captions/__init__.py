"""How to read each figure: one text for Snakemake's own report, in its markup, and for ours."""

import re
from collections.abc import Mapping
from importlib import resources


def caption(name: str, values: Mapping[str, str]) -> str:
    """The text for a figure without its markup, with `values` in the place of wildcards; empty where there is none."""
    path = resources.files(__package__) / f"{name}.rst"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    text = re.sub(r"\{\{ snakemake\.wildcards\.(\w+) \}\}", lambda match: values.get(match[1], ""), text)
    return " ".join(re.sub(r"\*\*|``", "", text).split())
