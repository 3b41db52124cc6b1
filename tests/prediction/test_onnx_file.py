"""ONNX of a kept network: the logits, by ONNX's own reference, and what the file says (onnxruntime: tests/clients)."""

import dataclasses
import json

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from skelnas.commands import main
from skelnas.errors import InputError
from skelnas.prediction.network import KeptNetwork
from skelnas.prediction.onnx_file import write_onnx
from skelnas.results.weights import Weights, write_weights

from ..images.small import small, small_source
from .kept import facts_of, kept


@pytest.fixture(scope="module")
def images():
    return small(height=8, width=12)


@pytest.mark.parametrize(("cell", "precision"), [(9, "fp32"), (1651, "fp64")])
def test_logits_and_bytes(cell, precision, images, tmp_path):
    facts = facts_of(images, small_source(), {"reader": "table"}, cell)
    weights = kept(dataclasses.replace(facts, recipe={**facts.recipe, "precision": precision}))
    weights = Weights(
        weights.facts,
        {name: array.astype("f8" if precision == "fp64" else "f4") for name, array in weights.tensors.items()},
    )
    write_weights(tmp_path / "cell.safetensors", weights)
    assert main(["export", "onnx", str(tmp_path / "cell.safetensors"), str(tmp_path / "cell.onnx")]) == 0
    write_onnx(tmp_path / "again.onnx", weights)
    assert (tmp_path / "again.onnx").read_bytes() == (tmp_path / "cell.onnx").read_bytes()
    model = onnx.load(tmp_path / "cell.onnx")
    [logits] = ReferenceEvaluator(model).run(None, {"images": images.test_images[:2]})
    close = 1e-10 if precision == "fp64" else 1e-4
    np.testing.assert_allclose(logits, KeptNetwork.of(weights).logits(images.test_images[:2]), rtol=close, atol=close)
    [entry] = model.metadata_props
    told = json.loads(entry.value)
    assert (told["cell"], told["classes"], told["licence"]) == (cell, list(images.class_names), "MIT")


def test_what_is_refused(images, tmp_path, capsys):
    facts = facts_of(images, small_source(), {"reader": "table"}, 3)
    with pytest.raises(InputError, match="was trained in bf16, and ONNX would compute other logits"):
        write_onnx(tmp_path / "x.onnx", kept(dataclasses.replace(facts, recipe={**facts.recipe, "precision": "bf16"})))
    write_weights(tmp_path / "cell.safetensors", kept(facts))
    (tmp_path / "there.onnx").write_text("mine")
    for arguments, words in (
        (["cell.safetensors", "there.onnx"], "is there already; move it away"),
        (["cell.safetensors", "cell.bin"], "onnx takes one file of weights and the file to make"),
        (["there.onnx", "new.onnx"], "is no safetensors file"),
    ):
        assert main(["export", "onnx", *(str(tmp_path / name) for name in arguments)]) == 1
        assert words in capsys.readouterr().err
    assert (tmp_path / "there.onnx").read_text() == "mine"
