"""Precisions: what they compute in, and that they leave no trace."""

import pytest
import torch

from skelnas.recipe import PRECISIONS, Recipe
from skelnas.training.precision import computing_in, dtype, epoch_precision

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
