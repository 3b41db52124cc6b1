"""A data set's block as config.yaml has it."""

import re
from typing import Any

from skelnas.inspection.guesses import Guess


def block(guess: Guess, split: dict[str, Any]) -> str:
    """The lines to paste, named after the first of the files."""
    name = re.sub(r"[^a-z0-9]+", "_", guess.files[0].stem.lower()).strip("_") or "mine"
    sources = [
        f"{{folder: {_written(str(file))}}}"
        if file.is_dir()
        else f"{{file: {name}/{re.sub('[^A-Za-z0-9_.-]', '_', file.name)}, url: {_written(str(file.resolve()))}}}"
        for file in guess.files
    ]
    lines = ["datasets:", f"  {name}:", f"    reader: {guess.reader}", f"    sources: [{', '.join(sources)}]"]
    lines += [f"    {key}: {_written(value)}" for key, value in guess.options.items()]
    return "\n".join([*lines, f"    split: {_written(split)}", "    on-bad-recording: exclude"])


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    text = str(value)
    return text if not isinstance(value, str) or re.fullmatch(r"[A-Za-z/][\w./-]*", text) else f'"{text}"'
