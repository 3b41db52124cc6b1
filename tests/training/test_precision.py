"""Precisions: what they compute in, and that they leave no trace."""

import contextlib
import os
import subprocess
import sys

import pytest
import torch

from skelnas.errors import InputError
from skelnas.recipe import PRECISIONS, Recipe
from skelnas.training.precision import (
    REFUSED,
    check_environment,
    check_precision,
    computing_in,
    dtype,
    epoch_precision,
)

CPU = torch.device("cpu")


def test_first_epochs_of_narrow_precisions_are_exact():
    def precisions(precision):
        recipe = Recipe(epochs=4, batch_size=4, precision=precision, exact_epochs=2)
        return [epoch_precision(recipe, epoch) for epoch in range(4)]

    assert precisions("bf16") == ["fp32", "fp32", "bf16", "bf16"]
    assert precisions("tf32") == ["fp32", "fp32", "tf32", "tf32"]
    assert precisions("fp32") == ["fp32"] * 4
    assert precisions("fp64") == ["fp64"] * 4


def test_only_fp64_stores_doubles():
    kinds = {precision: dtype(Recipe(epochs=1, batch_size=1, precision=precision)) for precision in PRECISIONS}
    assert kinds.pop("fp64") == torch.float64
    assert set(kinds.values()) == {torch.float32}


def test_bf16_rounds_operands_and_reads_each_weight_anew():
    layer = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1 + 2**-12)  # not a bfloat16
    with computing_in("bf16", CPU):
        assert layer(torch.ones(1, 1)).item() == 1
        with torch.no_grad():
            layer.weight.fill_(2)  # as a step of the optimiser does
        assert layer(torch.ones(1, 1)).item() == 2
    assert layer(torch.ones(1, 1)).dtype == torch.float32


@pytest.mark.parametrize("precision", PRECISIONS)
def test_settings_are_restored(precision):
    def settings():
        backends = torch.backends
        return backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32, backends.cudnn.deterministic

    before = settings()
    with computing_in(precision, CPU):
        assert settings() == (precision == "tf32", precision == "tf32", True)
    assert settings() == before


@pytest.mark.parametrize(
    ("name", "value", "refused"),
    [
        ("TRITON_INTERPRET", "1", "cuda"),
        ("TRITON_INTERPRET", "0", ""),
        ("NVIDIA_TF32_OVERRIDE", "0", "cuda"),
        ("NVIDIA_TF32_OVERRIDE", "1", "cuda"),
        ("ONEDNN_DEFAULT_FPMATH_MODE", "BF16", "cpu"),
        ("ONEDNN_DEFAULT_FPMATH_MODE", "STRICT", ""),
        ("DNNL_DEFAULT_FPMATH_MODE", "ANY", "cpu"),
        ("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "1", ""),
    ],
)
def test_an_environment_that_decides_on_arithmetic_is_refused_where_it_matters(monkeypatch, name, value, refused):
    for _, other in REFUSED:
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)
    for kind in ("cpu", "cuda"):
        if kind == refused:
            with pytest.raises(InputError, match=f"{name}={value} is set in the environment: .*; unset it"):
                check_environment(torch.device(kind))
        else:
            check_environment(torch.device(kind))


def test_what_containers_set_about_tf32_changes_nothing():
    """PyTorch reads the variable when it is imported; what a precision computes in does not depend on it."""
    program = """
import torch
from skelnas.training.precision import computing_in
print(torch.backends.cuda.matmul.allow_tf32, end=" ")
for precision in ("fp32", "tf32"):
    with computing_in(precision, torch.device("cpu")):
        print(torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32, end=" ")
"""
    environment = os.environ | {"TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "False", "True", "True"]


@pytest.mark.parametrize(
    ("precision", "capability", "hip", "refused"),
    [
        ("tf32", (8, 0), None, False),
        ("bf16", (7, 5), None, True),
        ("tf32", (9, 0), "6.3", True),  # an MI250X, whose number looks like that of an H100
        ("bf16", (9, 0), "6.3", False),
        ("fp32", (7, 5), None, False),
    ],
)
def test_what_a_card_lacks_is_refused(monkeypatch, precision, capability, hip, refused):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "This card")
    monkeypatch.setattr(torch.version, "hip", hip)
    recipe = Recipe(epochs=1, batch_size=1, precision=precision)
    with pytest.raises(InputError, match=f"This card has no {precision}") if refused else contextlib.nullcontext():
        check_precision(recipe, torch.device("cuda"))
