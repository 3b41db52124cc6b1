"""Which keys a data set's block may have: those of every image set, and those of its reader."""

from collections.abc import Mapping
from typing import Any

from skelnas.errors import Misconfigured
from skelnas.images.options import ImageOptions
from skelnas.options import keys
from skelnas.skeletons.readers import READERS, GapOptions, JointOptions

COMMON = ("reader", "sources", "folds", *keys(ImageOptions), *keys(GapOptions), *keys(JointOptions))


def check_keys(datasets: Mapping[str, Any]) -> None:
    """Refuse a reader that is not known, a key that a data set's reader does not use, and a block that has both a split
    and folds, or neither; blocks that are no blocks are left to the schema.

    Raises:
        Misconfigured: the first such key with its place, and the keys that there are.
    """
    for name, block in datasets.items():
        if not isinstance(block, dict) or not isinstance(block.get("reader"), str):
            continue
        reader = block["reader"]
        if reader not in READERS:
            raise Misconfigured(f"datasets.{name}.reader", f" is {reader!r}, expected one of {', '.join(READERS)}")
        known = tuple(dict.fromkeys((*COMMON, *keys(READERS[reader].options))))
        if unknown := [str(key) for key in block if key not in known]:
            raise Misconfigured(
                f"datasets.{name}",
                f" has an unknown key: {', '.join(unknown)}; with the reader {reader} there are {', '.join(known)}",
                at=f"datasets.{name}.{unknown[0]}",
            )
        if "split" in block and "folds" in block:
            words = " has both split and folds; keep one: every fold is a split of its own"
            raise Misconfigured(f"datasets.{name}", words, at=f"datasets.{name}.folds")
        if "split" not in block and "folds" not in block:
            words = " lacks split (or folds); add it (workflow/schemas/config.schema.yaml explains each key)"
            raise Misconfigured(f"datasets.{name}", words)
