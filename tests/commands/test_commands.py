"""The command itself: its table, its help, and what it says when something is missing."""

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from skelnas import __version__, commands
from skelnas.commands import SUBCOMMANDS, main

PROJECT = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text())["project"]


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"skelnas {__version__}\n"
    assert __version__ == PROJECT["version"]


def test_the_entry_point_and_the_module_are_this_function():
    assert PROJECT["scripts"] == {"skelnas": "skelnas.commands:main"}
    command = [sys.executable, "-m", "skelnas", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"skelnas {__version__}\n"


def test_help_lists_every_command_with_what_it_does(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    for name, row in SUBCOMMANDS.items():
        assert any(line.split() == [name, *row.does.split()] for line in lines)


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_row_has_its_module_with_a_help_of_its_own(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    module = importlib.import_module(f"skelnas.commands.{commands._module(name)}")
    assert said.startswith(f"usage: skelnas {name}")
    assert module.__doc__.splitlines()[0] in said
    assert SUBCOMMANDS[name].extra in {"", *PROJECT["optional-dependencies"]}


def test_no_command_and_an_unknown_one(capsys):
    assert main([]) == 2
    assert "commands:" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        main(["train"])
    assert end.value.code == 2
    assert "'train'" in capsys.readouterr().err


def test_nothing_is_imported_before_it_is_called():
    code = "import sys; sys.argv = ['skelnas']; from skelnas.commands import main; main(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "skelnas.commands" in loaded
    assert not {"numpy", "h5py", "torch", "yaml", "snakemake", "skelnas.commands.plan"} & loaded


def test_outside_a_checkout_one_sentence_says_where_to_call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in (name for name, row in SUBCOMMANDS.items() if row.checkout):
        assert main([name, *({"adopt": ["first-study.zip"]}.get(name, []))]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"skelnas {name} works on the study of a checkout, and {tmp_path} is none (Snakefile")
        assert said.count("\n") == 1


def test_a_missing_package_is_a_sentence_with_its_extra(monkeypatch, capsys):
    def missing(name):
        raise ModuleNotFoundError("No module named 'ruamel'", name="ruamel.yaml")

    monkeypatch.setattr(commands.importlib, "import_module", missing)
    assert main(["plan"]) == 1
    sentence = (
        "skelnas plan needs ruamel, which is not installed here: pip install 'skelnas[workflow]', or `make setup`"
    )
    assert capsys.readouterr().err == f"{sentence} in a checkout\n"


def test_a_fault_of_ours_is_not_taken_for_a_missing_package(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError("No module named 'skelnas.gone'", name="skelnas.gone")

    monkeypatch.setattr(commands.importlib, "import_module", missing)
    with pytest.raises(ModuleNotFoundError):
        main(["plan"])
