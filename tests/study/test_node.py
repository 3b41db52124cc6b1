"""What a compute node may lack, and what is said of it."""

import json

import h5py
import pytest

from skelnas.recipe import Recipe
from skelnas.study import node


@pytest.mark.parametrize(
    ("resources", "has", "words"),
    [
        ({"gpu": 1, "cpus_per_gpu": 4}, 4, ""),
        ({"gpu": 2, "cpus_per_gpu": 4}, 4, "has 4 cores of the 8 asked for"),
        ({"gres": "gpu:1", "cpus_per_gpu": 4}, 1, "has one core of the 4 asked for: with gres"),  # the executor's trap
        ({"gres": "gpu:1", "cpus_per_task": 4}, 4, ""),
        ({"gres": "gpu:1"}, 1, "has one core for its GPU: write cpus_per_task"),
        ({"cpus_per_task": 72}, 8, ""),  # of a machine with eight
        ({}, 1, ""),
    ],
)
def test_cores_of_the_step(resources, has, words):
    check = node.cores(resources, threads=1, has=has, there=8)
    assert check.passed == (not words)
    assert words in check.sentence


def test_fewer_gpus_than_asked_for():
    facts = {"fault": "", "count": 1}
    [check] = node.gpus({"gpu": 4}, facts)
    assert check.sentence == "the job asked for 4 GPUs and sees 1: is `nodes: 1` in the profile?"
    assert node.gpus({"gpu": 1}, facts) == node.gpus({"cpus_per_task": 72}, {"count": 4}) == []


def test_hdf5(tmp_path, monkeypatch):
    assert node.hdf5(tmp_path).passed
    assert list(tmp_path.iterdir()) == []

    def refused(*arguments, **options):
        raise OSError("Unable to synchronously create file (unable to lock file, errno = 37)")

    monkeypatch.setattr(h5py, "File", refused)
    check = node.hdf5(tmp_path)
    assert not check.passed
    assert "takes no HDF5 file: Unable to synchronously create file (unable to lock" in check.sentence


def test_home(tmp_path):
    assert node.home({"HOME": str(tmp_path)}).passed
    assert node.home({"HOME": "/nowhere", "XDG_CACHE_HOME": str(tmp_path)}).passed
    check = node.home({"HOME": "/nowhere"})
    assert not check.passed
    assert "HOME (/nowhere) cannot be written" in check.sentence


def test_compiler(tmp_path):
    gcc = tmp_path / "gcc"
    gcc.write_text("#!/bin/sh\n")
    gcc.chmod(0o755)
    assert node.compiler({"PATH": str(tmp_path)}, needed=True)[0].passed
    [check] = node.compiler({"PATH": "/nowhere"}, needed=True)
    assert not check.passed
    assert "has no C compiler" in check.sentence
    assert node.compiler({"PATH": "/nowhere"}, needed=False) == []


SMI = "| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: {} |"


@pytest.mark.parametrize(
    ("built_for", "fault", "cuda", "passed"),
    [
        ("13.0", "PyTorch sees no GPU", "12.4", False),
        ("13.0", "PyTorch sees no GPU", "13.1", True),
        ("12.8", "PyTorch sees no GPU", "12.10", True),
        ("13.0", "", "12.4", True),
        ("", "a build for processors only", "12.4", True),
    ],
)
def test_a_driver_older_than_pytorch(built_for, fault, cuda, passed):
    found = node.driver(built_for, fault, SMI.format(cuda))
    assert (found == []) == passed
    assert passed or "knows CUDA up to 12.4, and the installed PyTorch is built for 13.0" in found[0].sentence


def test_no_answer_of_nvidia_smi_is_no_finding():
    assert node.driver("13.0", "PyTorch sees no GPU", "") == []


def test_packages_of_this_environment():
    assert node.packages(["h5py", "numpy", "absent"], [])[0].passed


GPU = {"fault": "", "name": "Some GPU"}
BF16 = Recipe(epochs=9, batch_size=8, precision="bf16", exact_epochs=2)


@pytest.fixture
def checked(monkeypatch):
    """What the self-check is asked for: precisions and classes."""
    from skelnas.training import precision
    from skelnas.training.gpu.operations import check

    asked = []
    monkeypatch.setattr(precision, "check_precision", lambda *_: None)
    monkeypatch.setattr(check, "check_once", lambda operations, device, *wanted: asked.append(wanted))
    return asked


def test_kernels_are_checked_as_the_study_uses_them(checked, tmp_path):
    (tmp_path / "results/images").mkdir(parents=True)
    (tmp_path / "results/images/many.json").write_text(json.dumps({"classes": [str(name) for name in range(129)]}))
    trained = node.trained_on(
        [("many", BF16.as_dict()), ("not_made", {**BF16.as_dict(), "precision": "fp32"})], tmp_path
    )
    [check] = node.kernels(GPU, "fused", trained)
    assert checked == [(("fp32", "bf16"), 129), (("fp32",), 60)]
    assert check.sentence.endswith("on Some GPU, in fp32 with 129 classes, bf16 with 129 classes, fp32 with 60 classes")
    assert node.kernels(GPU, "graphed", trained) == node.kernels({"fault": "none"}, "fused", trained) == []


def test_kernels_that_fail_are_named(checked, monkeypatch):
    from skelnas.training.gpu.operations import check

    def fail(*_):
        raise ArithmeticError("weight_gradient, 3x3: gradient in bf16 is 1 away")

    monkeypatch.setattr(check, "check_once", fail)
    [found] = node.kernels(GPU, "fused", [(BF16, 27)])
    assert not found.passed
    assert (
        "do not work on Some GPU (ArithmeticError: weight_gradient, 3x3: gradient in bf16 is 1 away)" in found.sentence
    )
    assert "go on with the engine graphed" in found.sentence
