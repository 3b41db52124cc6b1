"""A PYTHONPATH that brings broken or foreign packages is said in a sentence, before anything is imported from it."""

import subprocess
import sys
from pathlib import Path

import pytest

import skelnas

SOURCE = str(Path(skelnas.__file__).parents[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a module system may leave on PYTHONPATH: an h5py for another Python, and another numpyx."""
    (tmp_path / "h5py").mkdir()
    (tmp_path / "h5py/__init__.py").write_text("raise ImportError('libhdf5.so.310: cannot open shared object file')\n")
    (tmp_path / "numpyx.py").write_text("")
    return tmp_path


def said(code: str, path: str) -> subprocess.CompletedProcess:
    run = [sys.executable, "-c", f"import sys; sys.path[:0] = [{SOURCE!r}]\n{code}"]
    return subprocess.run(run, capture_output=True, text=True, env={"PYTHONPATH": path}, check=False)


def test_broken_and_foreign_packages(folder: Path) -> None:
    code = (
        "from skelnas import imports; names = ['h5py', 'numpyx', 'zlib', 'absent']\n"
        "for sentence in [*imports.broken(names), *imports.foreign(names[1:])]: print(sentence)"
    )
    broken, foreign = said(code, str(folder)).stdout.splitlines()
    assert broken.startswith("h5py cannot be imported by ")
    assert broken.endswith(
        f"libhdf5.so.310: cannot open shared object file; PYTHONPATH has {folder}: unset it, or unload "
        "the module that sets it"
    )
    assert foreign.startswith(f"numpyx comes from {folder}/numpyx.py, by PYTHONPATH, and not from ")
    assert said(code, "").stdout == ""


def test_the_command_says_so_too(folder: Path) -> None:
    code = "from skelnas.commands import main; sys.exit(main(['verify', 'x.zip']))"
    done = said(code, str(folder))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "h5py cannot be imported by " in done.stderr
