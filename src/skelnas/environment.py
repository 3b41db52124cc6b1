"""Versions of the software that makes results."""

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from skelnas import __version__

PACKAGES = (  # what results, figures and archives depend on
    "h5py",
    "matplotlib",
    "numba",
    "numpy",
    "pandas",
    "pillow",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "snakemake",
    "torch",
)


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Versions of Python, skelnas and `packages`, in this order; empty for a package that is not installed."""
    return {"python": platform.python_version(), "skelnas": __version__, **{name: _version(name) for name in packages}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
