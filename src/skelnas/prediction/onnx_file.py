"""A kept network as ONNX, preprocessing included: uint8 images go in, logits come out.

The graph casts the image, takes it over 255, less the mean, over the standard deviation, brings channels to the front
and computes `skelnas.network.Network` in evaluation. What comes before it, from a recording to the image, is stated in
the file's metadata (`skelnas`, JSON). ONNX: https://onnx.ai/onnx/intro; operators of opset 17.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from skelnas import __version__
from skelnas.cells import space
from skelnas.cells.outline import body
from skelnas.errors import InputError
from skelnas.files import whole_file
from skelnas.network import NORM_EPSILON
from skelnas.results.weights import Weights

OPSET, IR_VERSION = 17, 8  # of 2022, which every runtime reads
PREPROCESSING = (
    "Read the recording as `options` say: joints x frames x 3, the joints in the order of `joints`. Draw it by "
    "`encoding` (docs/encodings.md) as an image of uint8, rows x frames x 3. Resize it to `height` x `width` with "
    "Pillow's bilinear filter. That is the input, images x height x width x 3; the graph normalises it by `mean` and "
    "`std`, which are on the scale 0..255. Softmax of the output gives probabilities of `classes`."
)


class Graph:
    """Nodes and constants of a graph as they are added; each method returns the name of what it computes."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        import onnx  # only who exports needs it

        self.onnx, self.tensors = onnx, tensors
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node of one output."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, name: str, value: Any = None) -> str:
        """A constant: one of the tensors, or a value of its own."""
        self.constants[name] = self.tensors[name] if value is None else value
        return name

    def norm(self, image: str, name: str) -> str:
        """BatchNorm with the running statistics."""
        parts = [self.constant(f"{name}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        return self.add("BatchNormalization", image, *parts, epsilon=NORM_EPSILON)

    def convolution(self, image: str, name: str, stride: int = 1) -> str:
        """A convolution that keeps the size, or halves it."""
        weight = self.constant(f"{name}.weight")
        pad = self.tensors[weight].shape[2] // 2
        return self.add("Conv", image, weight, pads=[pad] * 4, strides=[stride] * 2)

    def unit(self, image: str, name: str, stride: int = 1) -> str:
        """ReLU, convolution, BatchNorm."""
        return self.norm(self.convolution(self.add("Relu", image), f"{name}.conv", stride), f"{name}.norm")

    def edge(self, image: str, digit: int, name: str) -> str:
        """One operation of a cell."""
        if digit in space.CONVOLUTIONS:
            return self.unit(image, name)
        if digit == space.POOL:
            return self.add("AveragePool", image, kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=0)
        if digit == space.SKIP:
            return image
        kind = self.tensors["classifier.bias"].dtype
        return self.add("Mul", image, self.constant("zero", np.zeros((), kind)))

    def cell(self, image: str, cell: space.Cell, name: str) -> str:
        """Node 3 of a search cell."""
        nodes = [image]
        for node in (1, 2, 3):
            incoming = [
                self.edge(nodes[source], cell[position], f"{name}.edges.{position}")
                for position, (source, target) in enumerate(space.EDGES)
                if target == node
            ]
            total = incoming[0]
            for one in incoming[1:]:
                total = self.add("Add", total, one)
            nodes.append(total)
        return nodes[3]

    def reduction(self, image: str, name: str) -> str:
        """The block that halves height and width."""
        pooled = self.add("AveragePool", image, kernel_shape=[2, 2], strides=[2, 2])
        shortcut = self.convolution(pooled, f"{name}.shortcut.conv")
        return self.add("Add", shortcut, self.unit(self.unit(image, f"{name}.first", 2), f"{name}.second"))


def write_onnx(path: Path | str, weights: Weights) -> None:
    """Write a kept network as ONNX, whole or not at all; the same network gives the same bytes.

    Raises:
        InputError: it computes in less than float32, which ONNX's runtimes do otherwise; the disk refuses.
    """
    facts, tensors = weights.facts, weights.tensors
    if facts.recipe["precision"] == "bf16":
        raise InputError(f"cell {facts.cell} was trained in bf16, and ONNX would compute other logits in float32; "
                         "keep the weights of a recipe in fp32")  # fmt: skip
    graph = Graph(tensors)
    onnx, kind = graph.onnx, tensors["classifier.bias"].dtype
    number = onnx.helper.np_dtype_to_tensor_dtype(kind)
    values = graph.add("Cast", "images", to=number)
    for operator, name, value in (
        ("Div", "full", np.array(255)),
        ("Sub", "mean", np.array(facts.mean) / 255),
        ("Div", "std", np.array(facts.std) / 255),
    ):
        values = graph.add(operator, values, graph.constant(name, value.astype(kind)))
    image = graph.add("Transpose", values, perm=[0, 3, 1, 2])
    image = graph.norm(graph.convolution(image, "stem.conv"), "stem.norm")
    for module in body():
        name = f"cells.{module.position}"
        cell = space.cell(facts.cell)
        image = graph.reduction(image, name) if module.is_reduction else graph.cell(image, cell, name)
    image = graph.add("Flatten", graph.add("GlobalAveragePool", graph.add("Relu", graph.norm(image, "norm"))))
    classifier = [graph.constant(f"classifier.{part}") for part in ("weight", "bias")]
    graph.nodes.append(onnx.helper.make_node("Gemm", [image, *classifier], ["logits"], transB=1))
    sizes = ["images", facts.height, facts.width, 3]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            f"cell-{facts.cell}",
            [onnx.helper.make_tensor_value_info("images", onnx.TensorProto.UINT8, sizes)],
            [onnx.helper.make_tensor_value_info("logits", number, ["images", len(facts.classes)])],
            [onnx.numpy_helper.from_array(np.ascontiguousarray(v), name) for name, v in graph.constants.items()],
        ),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="skelnas",
        producer_version=__version__,
    )
    text = json.dumps({**dataclasses.asdict(facts), "preprocessing": PREPROCESSING}, sort_keys=True)
    onnx.helper.set_model_props(model, {"skelnas": text})
    onnx.checker.check_model(model, full_check=True)
    with whole_file(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))
