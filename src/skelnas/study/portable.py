"""What of a configuration belongs to one study, without secrets and without anything of the machine."""

from pathlib import PurePath
from typing import Any

from skelnas.addresses import is_web, shown
from skelnas.study.runs import Config


def study_configuration(config: Config, study: str) -> Config:
    """The configuration that `study` needs: its block, and the data sets and recipes that it names.

    How the machine is used (`training`) is no part of it. Addresses are shown without names, passwords and queries;
    of paths on this machine only the last part is kept.
    """
    block = config["studies"][study]
    named = [*block["runs"], *block.get("comparisons", ())]
    datasets = dict.fromkeys(entry["dataset"] for entry in named)
    recipes = dict.fromkeys(entry[key] for entry in named for key in ("recipe", "other") if key in entry)
    recipes |= dict.fromkeys(entry["recipe"] for entry in block.get("imports", ()))
    return {
        "study": study,
        "datasets": {
            name: {
                **config["datasets"][name],
                "sources": [_portable(source) for source in config["datasets"][name]["sources"]],
            }
            for name in datasets
        },
        "recipes": {name: config["recipes"][name] for name in recipes},
        "studies": {study: block | {"imports": [_portable_import(entry) for entry in block.get("imports", ())]}},
    }


def _portable_import(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "source": PurePath(entry["source"]).name if entry["source"] else ""}


def _portable(source: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _address(key, value) if key in ("url", "register", "folder") else value for key, value in source.items()
    }


def _address(key: str, value: str) -> str:
    if key != "folder" and (is_web(value) or not value):
        return shown(value)
    return PurePath(value.removeprefix("file://")).name or value
