"""The arguments of the commands that look at a study, and what they name."""

import argparse
from dataclasses import dataclass
from typing import Any

from skelnas.study import configuration
from skelnas.study.profile import Profile, read_profile
from skelnas.study.runs import runs

SCHEMA = "workflow/schemas/config.schema.yaml"


@dataclass(frozen=True)
class Asked:
    """A study, the checked configuration that has it, and the profile that its jobs run with."""

    study: str
    config: dict[str, Any]
    profile: Profile


def add_study_arguments(parser: argparse.ArgumentParser) -> None:
    """`--study`, `--configfile` and `--profile`, as snakemake means them."""
    parser.add_argument("--study", default="", metavar="NAME", help="a study of config.yaml; else the one it names")
    add_configuration_arguments(parser)
    parser.add_argument("--profile", default="", metavar="FOLDER", help="where jobs go; else this machine")


def add_configuration_arguments(parser: argparse.ArgumentParser) -> None:
    """`--configfile`, as snakemake means it."""
    parser.add_argument("--configfile", nargs="*", default=[], metavar="FILE", help="read after config.yaml")


def read_configuration(given: argparse.Namespace) -> configuration.Written:
    """The checked configuration that `--configfile` names.

    Raises:
        InputError: it cannot be read, or is wrong.
    """
    return configuration.read(["config.yaml", *given.configfile], SCHEMA)


def read_asked(given: argparse.Namespace) -> Asked:
    """What the arguments name.

    Raises:
        InputError: the configuration or the profile cannot be read, or is wrong.
    """
    written = read_configuration(given)
    config, name = written.values, given.study or written.values["study"]
    written.located(runs, config, name)
    return Asked(name, config, read_profile(getattr(given, "profile", "")))
