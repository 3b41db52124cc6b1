"""skelnas: the NAS-Bench-201 search space trained on skeleton-based human action recognition."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skelnas.errors import InputError
    from skelnas.examples import example
    from skelnas.results.query import Benchmark

__version__ = "0.2.0"
__all__ = ["Benchmark", "InputError", "example"]
_PLACES = {
    "Benchmark": "skelnas.results.query",
    "InputError": "skelnas.errors",
    "example": "skelnas.examples",
}


def __getattr__(name: str) -> object:
    """The three names above, imported when they are asked for."""
    import importlib

    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)
