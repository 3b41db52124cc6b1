"""What holds for all modules of training: fields are born in `__init__`, and an engine loads nothing of the others."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skelnas

PACKAGE = Path(skelnas.__file__).parent
FILES = [*(PACKAGE / "training").rglob("*.py"), PACKAGE / "network.py", PACKAGE / "processes.py", PACKAGE / "recipe.py"]
LOADED = (
    "import skelnas.training.{}, sys; print(*(name for name in sys.modules if name.startswith('skelnas.training')))"
)


def assigned(function):
    """Names of the fields that a method assigns to `self`."""
    targets = [
        node for node in ast.walk(function) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    ]
    return {node.attr for node in targets if isinstance(node.value, ast.Name) and node.value.id == "self"}


def test_no_field_is_born_outside_init():
    seen = 0
    for file in FILES:
        for one in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(one, ast.ClassDef):
                methods = [method for method in one.body if isinstance(method, ast.FunctionDef)]
                born = set().union(*(assigned(method) for method in methods if method.name == "__init__"))
                late = set().union(*(assigned(method) for method in methods)) - born
                assert not late, f"{file.name}: {one.name} first assigns {', '.join(sorted(late))} in another method"
                seen += len(born)
    assert seen > 50


@pytest.mark.parametrize(
    ("engine", "foreign"), [("plain", ("cpu", "gpu")), ("cpu.engine", ("gpu",)), ("gpu.engine", ("cpu",))]
)
@pytest.mark.slow
def test_an_engine_loads_nothing_of_the_others(engine, foreign):
    command = [sys.executable, "-c", LOADED.format(engine)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert f"skelnas.training.{engine}" in loaded
    assert not [name for name in loaded for room in foreign if name.startswith(f"skelnas.training.{room}")]
