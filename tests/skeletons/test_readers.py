import subprocess
import sys
from pathlib import Path

import pytest

from skelnas.errors import InputError
from skelnas.skeletons import READERS


def test_every_reader_refuses_a_missing_file_with_one_sentence(tmp_path):
    assert set(READERS) == {"utd_mhad", "synthetic", "ntu", "table"}
    for reader in READERS.values():
        with pytest.raises(InputError) as refusal:
            reader([tmp_path / "missing.zip"], {})
        assert "missing.zip" in str(refusal.value)


def test_a_reader_loads_the_libraries_of_its_source_only():
    program = "import sys, skelnas.skeletons; print(*({'scipy', 'numba', 'torch'} & set(sys.modules)))"
    source = Path(__file__).resolve().parents[2] / "src"
    printed = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(source)}, capture_output=True, check=True
    )
    assert printed.stdout.split() == []
