"""What a file of results is, and how a person gets a whole one: nobody is told to delete anything."""

import json
from collections.abc import Sequence
from pathlib import Path

import h5py

from skelnas import hdf5
from skelnas.errors import InputError

RESULTS = "results"  # the folder of all that the workflow makes
NAMED = {  # how people call the kinds of files: the first words of their `format`
    "skelnas benchmark": "a benchmark",
    "skelnas losses": "the losses of a benchmark",
    "skelnas shard": "a shard of trainings",
    "skelnas networks": "networks of a study",
    "skelnas image set": "an image set",
}


def again(path: Path | str) -> str:
    """The remedy for a file that is damaged: made again where the workflow makes it, else to be had from elsewhere."""
    made = _target(path)
    return f"`snakemake --cores all --force {made}` makes it again" if made else "get it again from where it came from"


def aside(path: Path | str) -> str:
    """The remedy for a file that is whole, and not what belongs there."""
    made = _target(path)
    return f"move it away and run `snakemake --cores all {made}`" if made else "give another file"


def missing(path: Path | str, what: str) -> InputError:
    """The sentence for a file that is not there; `what` as "benchmark"."""
    if Path(path).is_dir():
        return InputError(f"{path} is a folder, and no {what}; give a file")
    made = _target(path)
    hint = f"`snakemake --cores all {made}` makes it" if made else "look for its name"
    return InputError(f"{path}: there is no such {what}; {hint}")


def check_format(
    path: Path | str, file: h5py.File, attributes: hdf5.Attributes, known: Sequence[str], what: str
) -> None:
    """Refuse a whole file that is of another kind than `known` (the newest first), or newer.

    Raises:
        InputError: it is; the sentence says what the file is.
    """
    found = str(attributes.get("format") or _described(file))
    if found in known:
        return
    kind, _, version = found.rpartition(" ")
    own, _, newest = known[0].rpartition(" ")
    if kind == own and version.isdecimal() and int(version) > int(newest):
        raise InputError(
            f"{path} was written by a newer skelnas ({found}, this one reads up to {known[0]}): "
            "pip install --upgrade skelnas"
        )
    named = NAMED.get(kind, "a file of another program")
    raise InputError(f"{path} is {named} and not {what}; {aside(path)}")


def _described(file: h5py.File) -> str:
    """The format of an image set, which has no attribute for it."""
    try:
        return json.loads(hdf5.dataset(file, "description")[()].tobytes())["format"]
    except hdf5.READ_ERRORS:
        return ""


def _target(path: Path | str) -> str:
    """The file's name as a target of the workflow; empty where it lies elsewhere."""
    parts = Path(path).parts
    if RESULTS not in parts:
        return ""
    return str(Path(*parts[len(parts) - 1 - parts[::-1].index(RESULTS) :]))
