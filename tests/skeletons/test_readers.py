import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from skelnas.errors import InputError
from skelnas.options import keys, stated
from skelnas.skeletons.ntu.bodies import CHOICES
from skelnas.skeletons.readers import READERS, NtuOptions, TableOptions


def test_every_reader_refuses_a_missing_file_with_one_sentence(tmp_path):
    assert set(READERS) == {"csv", "ctrgcn", "ntu", "openpose", "pyskl", "synthetic", "table", "utd_mhad"}
    for reader in READERS.values():
        with pytest.raises(InputError) as refusal:
            reader.open([tmp_path / "missing.zip"], {})
        assert "missing.zip" in str(refusal.value)


def test_a_reader_loads_the_libraries_of_its_source_only():
    program = "import sys, skelnas.skeletons; print(*({'scipy', 'numba', 'numpy', 'torch'} & set(sys.modules)))"
    source = Path(__file__).resolve().parents[2] / "src"
    printed = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(source)}, capture_output=True, check=True
    )
    assert printed.stdout.split() == []


def test_a_reader_gets_what_its_block_states_and_its_own_defaults():
    block = {"reader": "table", "joint-tree": [-1, 0], "axes": "frames joints xyz", "width": 68, "body": "both"}
    assert stated(TableOptions, block) == TableOptions(axes="frames joints xyz", joint_tree=(-1, 0))
    assert keys(TableOptions) == [
        *("axes", "key", "classes", "joint-tree", "skeleton", "pattern", "min-confidence", "leading", "scale"),
        *("content", "limits"),
    ]
    assert stated(NtuOptions, {"reader": "ntu"}) == NtuOptions(body="first-listed")
    assert set(CHOICES) == set(get_args(NtuOptions.__annotations__["body"]))
