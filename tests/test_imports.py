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


BREAKAGES = {
    "library": "raise ImportError('libhdf5.so.310: cannot open shared object file')",
    "other NumPy": "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility')",
    "other Python": "print 'Python 2'",
    "half removed": "from {name}._missing import core",
    "too old": "raise AttributeError(\"module 'collections' has no attribute 'Mapping'\")",
}


@pytest.mark.parametrize("kind", BREAKAGES)
@pytest.mark.parametrize("name", ["h5py", "numpy", "pandas"])
def test_the_command_says_so_too(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(BREAKAGES[kind].format(name=name) + "\n")
    code = "from skelnas.commands import main; sys.exit(main(['verify', 'x.zip']))"
    done = said(code, str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"skelnas verify: {name} cannot be imported by ")
    assert done.stderr.endswith(f"PYTHONPATH has {tmp_path}: unset it, or unload the module that sets it\n")
    assert done.stderr.count("\n") == 1


def test_only_what_comes_from_elsewhere_is_tried(folder: Path) -> None:
    code = (
        "from skelnas import imports; print(imports.broken_foreign(['h5py', 'numpyx', 'pandas', 'absent'])); "
        "print('pandas' in sys.modules, 'numpyx' in sys.modules)"
    )
    sentences, tried = said(code, str(folder)).stdout.splitlines()
    assert sentences.startswith("['h5py cannot be imported by ")
    assert sentences.count("cannot") == 2  # with the library's own words
    assert tried == "False True"
