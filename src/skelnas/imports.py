"""Packages that cannot be imported, or are others than those of this environment: most often a module's PYTHONPATH.

Nothing but the standard library is loaded by importing this.
"""

import importlib.util
import os
import sys
from collections.abc import Iterable

from skelnas.text import first_line


def broken(names: Iterable[str], own: Iterable[str] = ()) -> list[str]:
    """A sentence for each package that is there and cannot be imported; `own` are our folders of PYTHONPATH."""
    found = []
    for name in names:
        try:
            __import__(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                found.append(_sentence(name, error, own))
        except Exception as error:  # of another Python or another NumPy: SyntaxError, ValueError, AttributeError...
            found.append(_sentence(name, error, own))
    return found


def broken_foreign(names: Iterable[str], own: Iterable[str] = ()) -> list[str]:
    """As `broken`, but only those are imported that come from PYTHONPATH: quick where none does."""
    return broken([name for name in names if foreign([name], own)], own)


def foreign(names: Iterable[str], own: Iterable[str] = ()) -> list[str]:
    """A sentence for each package that comes from PYTHONPATH and not from this environment."""
    folders, found = _folders(own), []
    for name in names:
        spec = importlib.util.find_spec(name)
        place = str(spec.origin) if spec else ""
        if any(place.startswith(folder.rstrip("/") + "/") for folder in folders):
            found.append(f"{name} comes from {place}, by PYTHONPATH, and not from {sys.prefix}{_unset(folders)}")
    return found


def _sentence(name: str, error: Exception, own: Iterable[str]) -> str:
    return f"{name} cannot be imported by {sys.executable}: {first_line(error)}{_unset(_folders(own))}"


def _folders(own: Iterable[str]) -> list[str]:
    ours = set(own)
    return [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder and folder not in ours]


def _unset(folders: list[str]) -> str:
    if not folders:
        return ""
    return f"; PYTHONPATH has {os.pathsep.join(folders)}: unset it, or unload the module that sets it"
