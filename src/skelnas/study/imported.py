"""The benchmarks of others that a study takes in, next to or in place of what it trains."""

from dataclasses import dataclass
from typing import Any

from skelnas.errors import Misconfigured
from skelnas.importers import IMPORTERS


@dataclass(frozen=True)
class Import:
    """One benchmark read by an importer; `dataset` is the importer's name for it, `recipe` one of the configuration."""

    importer: str
    source: str
    dataset: str
    recipe: str

    @property
    def folder(self) -> str:
        """`{dataset}/{recipe}`, the middle of every path that belongs to it."""
        return f"{self.dataset}/{self.recipe}"

    @property
    def losses(self) -> bool:
        """Whether there is a file of losses."""
        return IMPORTERS[self.importer].losses


def imports(config: dict[str, Any], study: str) -> list[Import]:
    """What one study imports.

    Raises:
        InputError: an unknown recipe, or the same data set and recipe twice or also trained.
    """
    found: list[Import] = []
    trained = {f"{run['dataset']}/{run['recipe']}" for run in config["studies"][study]["runs"]}
    for position, entry in enumerate(config["studies"][study]["imports"]):
        where = f"studies.{study}.imports[{position}]"
        if entry["recipe"] not in config["recipes"]:
            known = ", ".join(config["recipes"])
            raise Misconfigured(where, f" names the unknown recipe {entry['recipe']!r}; recipes has {known}")
        one = Import(**entry)
        if one.folder in trained or one.folder in {other.folder for other in found}:
            raise Misconfigured(where, f": the study has {one.folder} already; name another recipe for one of them")
        found.append(one)
    return found


def imports_by_path(config: dict[str, Any]) -> dict[str, Import]:
    """Every import of every study by its `{study}/{dataset}/{recipe}`."""
    return {f"{study}/{one.folder}": one for study in config["studies"] for one in imports(config, study)}
