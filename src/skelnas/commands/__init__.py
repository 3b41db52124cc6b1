"""The command `skelnas`: one table of subcommands, each a module of this folder that is imported when it is called.

A module has a docstring, which is its help, `add_arguments(parser)` and `run(arguments) -> int`, the exit status. A new
subcommand is one module and one row of the table.
"""

import argparse
import importlib
import keyword
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path

from skelnas import __version__
from skelnas.errors import InputError
from skelnas.imports import broken

DESCRIPTION = """\
skelnas trains every cell of the NAS-Bench-201 search space on skeleton-based action recognition and publishes the
outcome as a tabular benchmark. The training itself is a Snakemake workflow (README.md); this command is for what
stands around it."""
EPILOG = "skelnas COMMAND --help explains a command."
FOR_ALL = ("numpy", "h5py", "pandas")  # looked at when something fails
IN_A_CHECKOUT = ("Snakefile", "workflow/schemas/config.schema.yaml")


@dataclass(frozen=True)
class Subcommand:
    """One row of the table.

    does: its line in the help. extra: the extra of pyproject.toml that brings what it imports, empty where the package
    alone is enough. checkout: it works on the study in this folder, which must be a checkout of skelnas.
    """

    does: str
    extra: str = ""
    checkout: bool = False


SUBCOMMANDS = {
    "adopt": Subcommand("take in shards that were trained elsewhere", "workflow", checkout=True),
    "best": Subcommand("the best cells of a benchmark file"),
    "export": Subcommand("a benchmark file for NATS-Bench, syne-tune, Optuna, Hugging Face, as csv or Parquet"),
    "import": Subcommand("read results published with the thesis into benchmark files"),
    "inspect": Subcommand("say what recordings are, and print their block for config.yaml"),
    "pages": Subcommand("report and explorer of a benchmark file, each one HTML file", "figures"),
    "plan": Subcommand("what a study will cost before it runs: trainings, hours, disk", "workflow", checkout=True),
    "predict": Subcommand("name the action in recordings by a network that a study kept", "predict"),
    "preflight": Subcommand("check in a minute what would fail after hours", "workflow", checkout=True),
    "profile": Subcommand("make a profile for a kind of SLURM site", checkout=True),
    "query": Subcommand("the values of one cell, seed by seed"),
    "regroup": Subcommand("write shards whose cells other shards hold, without a job", "workflow", checkout=True),
    "show": Subcommand("one cell: its drawing, cost, values, class and neighbours"),
    "reproduce": Subcommand("train a sample of an archive's cells again, and say how far counts agree", "workflow"),
    "status": Subcommand("how far a study is: trainings, jobs, failures and why", "workflow", checkout=True),
    "verify": Subcommand("check every checksum of an archived study or a benchmark file"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (without the program's name); the exit status.

    A user's mistake, a package or a checkout that is missing is one sentence on standard error and status 1.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given and given[0] in SUBCOMMANDS:
        return _call(given[0], given[1:])
    width = max(map(len, SUBCOMMANDS))
    lines = [f"  {name:{width}}  {row.does}" for name, row in SUBCOMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="skelnas",
        description=DESCRIPTION,
        epilog="\n".join(["commands:", *lines, "", EPILOG]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"skelnas {__version__}")
    parser.add_argument("command", metavar="COMMAND", choices=SUBCOMMANDS, help="one of those below")
    if not given:
        parser.print_help(sys.stderr)
        return 2
    parser.parse_args(given)
    return 2  # not reached: whatever is no command ends in the parser


def _call(name: str, arguments: Sequence[str]) -> int:
    row = SUBCOMMANDS[name]
    try:
        module = importlib.import_module(f"skelnas.commands.{_module(name)}")
        parser = argparse.ArgumentParser(
            prog=f"skelnas {name}",
            description=cleandoc(module.__doc__ or row.does),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(parser)
        given = parser.parse_args(arguments)
        if row.checkout:
            _require_checkout(name)
        return module.run(given)
    except InputError as error:
        sentence = str(error)
    except BrokenPipeError:  # whoever read along has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        missing = (getattr(error, "name", "") or "").partition(".")[0]
        if found := broken(FOR_ALL):
            sentence = f"skelnas {name}: {found[0]}"
        elif isinstance(error, ModuleNotFoundError) and missing != "skelnas" and row.extra:
            sentence = (
                f"skelnas {name} needs {missing}, which is not installed here: pip install 'skelnas[{row.extra}]', "
                "or `make setup` in a checkout"
            )
        else:
            raise
    print(sentence, file=sys.stderr)
    return 1


def _module(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _require_checkout(name: str) -> None:
    if missing := [file for file in IN_A_CHECKOUT if not Path(file).is_file()]:
        raise InputError(
            f"skelnas {name} works on the study of a checkout, and {Path.cwd()} is none ({missing[0]} is missing): "
            "call it in the folder of the Snakefile"
        )
