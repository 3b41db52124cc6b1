"""Receipts of sources: what lies below data/raw/, checked whoever put it there, and whence it came.

No rule of the workflow owns a file below data/raw/, so that Snakemake never removes one; the receipt stands for it. A
file that is there is kept, unless a receipt shows that it was fetched or generated and is unchanged since, and
something else is wanted now; then the new one replaces it once it is whole and checked.
"""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skelnas.addresses import shown
from skelnas.download import fetch
from skelnas.errors import InputError
from skelnas.files import sha256_of_file, write_json

Receipt = dict[str, Any]
GENERATED, GIVEN = "generated", "was there"


def read_receipt(path: Path | str) -> Receipt | None:
    """The receipt at `path`; None where there is none, or none that can be understood."""
    try:
        receipt = json.loads(Path(path).read_text(encoding="utf-8"))
        return receipt if isinstance(receipt, dict) and {"size", "sha256", "whence"} <= set(receipt) else None
    except (OSError, ValueError):
        return None


def standing(file: Path | str, receipt: Path | str, look: bool = True) -> str:
    """What a receipt follows from besides the configuration: the SHA-256 of a file that was put there, or nothing.

    The same before and after the receipt is made, and while the file is away, so that a receipt is made anew only when
    the content of its file changed. A file that is older than its receipt and of the same size is taken for unchanged;
    with `look=False` every file is.
    """
    file, known = Path(file), read_receipt(receipt)
    if known is not None and (not look or not file.exists() or _older(file, Path(receipt), known)):
        return known["sha256"] if known["whence"] == GIVEN else ""
    try:
        actual = sha256_of_file(file) if file.exists() else ""
    except OSError:
        return "cannot be read"  # which the job says
    return "" if known is not None and known["sha256"] == actual and known["whence"] != GIVEN else actual


def _older(file: Path, receipt: Path, known: Receipt) -> bool:
    state = file.stat()
    return state.st_size == known["size"] and state.st_mtime_ns <= receipt.stat().st_mtime_ns


def receive(source: dict, file: Path | str, receipt: Path | str, generate: Callable[..., object] | None = None) -> None:
    """Have the `source` at `file`, checked, and write its `receipt`; `generate` makes the file, in place of a download.

    It takes the file's path and `ready`, to be called with the whole file before that gets its name.

    Raises:
        InputError: what `fetch` says; a file that was put there has another SHA-256 than `sha256`. It stays in place.
    """
    file, expected = Path(file), source.get("sha256", "").lower()
    whence = GENERATED if generate else shown(source.get("url", ""))
    known, actual = read_receipt(receipt), _sha256(file) if file.exists() else ""
    before = known["whence"] if known is not None and known["sha256"] == actual else GIVEN
    wrong = expected not in ("", actual)
    if not actual or (before != GIVEN and whence and (wrong or before != whence)):
        # Noted before the file gets its name: after a kill in between nobody takes it for one that was put there.
        (generate or functools.partial(fetch, source))(
            file, ready=lambda path: _note(receipt, file, path.stat().st_size, _sha256(path), whence)
        )
    elif wrong:
        away = f", or move it away to have it fetched from {whence}" if whence and not generate else ""
        raise InputError(
            f"{file} has the SHA-256 {actual}, expected {expected}; put the right file there, or correct `sha256`{away}"
        )
    else:
        _note(receipt, file, file.stat().st_size, actual, before)


def _note(receipt: Path | str, file: Path, size: int, sha256: str, whence: str) -> None:
    write_json(receipt, {"file": str(file), "size": size, "sha256": sha256, "whence": whence})


def held_against_receipt(
    source: dict, file: Path | str, receipt: Path | str, generate: Callable[..., object] | None = None
) -> Receipt:
    """The receipt of `file`, after the file was held against it; one that went away is fetched or generated again.

    Raises:
        InputError: there is no receipt, the file is another one now, or it cannot be fetched.
    """
    file, known = Path(file), read_receipt(receipt)
    again = f"run `snakemake --cores all --force {receipt}`"
    if known is None:
        raise InputError(f"{receipt} is no receipt of {file}; {again}")
    if not file.exists():
        (generate or (lambda path: fetch({**source, "sha256": known["sha256"]}, path)))(file)
    if (actual := _sha256(file)) != known["sha256"]:
        raise InputError(f"{file} has the SHA-256 {actual} now and {known['sha256']} in {receipt}; {again}")
    return known


def _sha256(file: Path) -> str:
    try:
        return sha256_of_file(file)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror or error}); correct its permissions") from error
