"""Benchmark files that come with the package: real results, to be asked a minute after installing."""

from pathlib import Path
from typing import TYPE_CHECKING

from skelnas.errors import InputError

if TYPE_CHECKING:
    from skelnas.results.query import Benchmark

FOLDER = Path(__file__).parent


def example() -> "Benchmark":
    """The example with the most cells, opened.

    Raises:
        InputError: this copy of the package has none.
    """
    from skelnas.results.query import Benchmark

    found = [Benchmark(path) for path in sorted(FOLDER.glob("*.h5")) if not path.name.endswith(".loss.h5")]
    if not found:
        raise InputError(f"this copy of skelnas has no example in {FOLDER}: name a benchmark file")
    largest = max(found, key=len)
    for other in found:
        if other is not largest:
            other.close()
    return largest
