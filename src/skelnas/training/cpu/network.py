"""The network of one cell as the CPU trains it: only what can change its output, no recorded graph, flat buffers.

It computes what `skelnas.network.Network` computes, up to rounding. One difference shows with numbers that are not
finite: there `none` multiplies by zero and passes NaN on, here it does nothing.
"""

import torch
from torch import Tensor

from skelnas.cells.computed import layout, parameter_names
from skelnas.cells.outline import REPEATS, STAGES, body
from skelnas.cells.space import Cell
from skelnas.network import Network
from skelnas.recipe import Recipe
from skelnas.training.cpu.blocks import Classifier, ConvNorm, Reduction
from skelnas.training.cpu.cell import SearchCell
from skelnas.training.cpu.layers import Operands, Pool
from skelnas.training.cpu.state import CpuState
from skelnas.training.losses import losses_and_gradient


class CpuNetwork:
    """Forward, backward and evaluation of one cell's network from the initial values `initial` (a Network's state).

    Images are (N, 3, H, W), channels-last, in `dtype`; H and W are `size` and multiples of 4. `repeats` cells make
    a stage. Where a step or an evaluation is given a `compute_dtype`, 3x3 convolutions read it (see `Operands`).
    """

    def __init__(
        self, cell: Cell, initial: dict[str, Tensor], size: tuple[int, int], dtype: torch.dtype, repeats: int = REPEATS
    ) -> None:
        self.plan = layout(cell)
        self.state = state = CpuState(parameter_names(cell, repeats), initial, dtype)
        self.channels = initial["norm.weight"].numel()
        self.height, self.width = size
        self.stem = ConvNorm(state.unit("stem")) if self.plan.connected else None
        self.body: list[SearchCell | Reduction] = []
        for module in body(repeats) if self.plan.connected else body(repeats)[-1:]:
            name = f"cells.{module.position}"
            if module.is_reduction:
                shortcut = state.parameter(f"{name}.shortcut.conv.weight")
                self.body.append(Reduction(state.unit(f"{name}.first"), state.unit(f"{name}.second"), shortcut))
            else:
                self.body.append(self._search_cell(name, module.stage, dtype))
        self.classifier = Classifier(
            state.norm("norm"), state.parameter("classifier.weight"), state.parameter("classifier.bias")
        )

    def _search_cell(self, name: str, stage: int, dtype: torch.dtype) -> SearchCell:
        convolutions = [edge.position for node in self.plan.nodes if node for edge in node.convolutions]
        biases = [edge.position for node in self.plan.nodes if node for edge in node.biases]
        units = {position: self.state.unit(f"{name}.edges.{position}") for position in convolutions}
        shifts = {position: self.state.parameter(f"{name}.edges.{position}.norm.bias") for position in biases}
        halved = len(STAGES) - 1 - stage
        pool = Pool(self.channels >> halved, self.height >> stage, self.width >> stage, dtype)
        return SearchCell(self.plan, units, shifts, pool)

    def train_step(
        self, images: Tensor, labels: Tensor, rate: float, recipe: Recipe, compute_dtype: torch.dtype | None
    ) -> tuple[Tensor, Tensor]:
        """One step of SGD; returns the logits (N, classes) before it and each sample's loss (N,)."""
        logits = self._forward(images, compute_dtype)
        losses, gradient = losses_and_gradient(logits, labels)
        self._backward(gradient)
        self.state.step(rate, recipe)
        return logits, losses

    def _forward(self, images: Tensor, compute_dtype: torch.dtype | None) -> Tensor:
        current = self._start(images) if self.stem is None else self.stem.forward(images)
        for block in self.body:
            if isinstance(block, SearchCell):
                current = block.forward(current, Operands(compute_dtype))
            else:
                current = block.forward(current)
        return self.classifier.forward(current)

    def _backward(self, gradient: Tensor) -> None:
        current: Tensor | None = self.classifier.backward(gradient)
        for block in reversed(self.body):
            if current is not None:
                current = block.backward(current)
        if self.stem is not None and current is not None:
            self.stem.backward_to_parameters(current)

    def fold(self, compute_dtype: torch.dtype | None) -> None:
        """Prepare `evaluate` with the parameters as they are now."""
        for block in self.body:
            if isinstance(block, SearchCell):
                block.fold(Operands(compute_dtype))
            else:
                block.fold()
        if self.stem is not None:
            self.stem.fold()

    def evaluate(self, images: Tensor, compute_dtype: torch.dtype | None) -> Tensor:
        """Logits (N, classes) with the running statistics, as of the last `fold`."""
        current = self._start(images) if self.stem is None else self.stem.evaluate(images)
        for block in self.body:
            if isinstance(block, SearchCell):
                current = block.evaluate(current, Operands(compute_dtype))
            else:
                current = block.evaluate(current)
        return self.classifier.evaluate(current)

    def write_to(self, network: Network) -> None:
        """Put the trained values into a plain network of this cell; what cannot change its output stays as it is."""
        state = network.state_dict()
        for name, value in self.state.trained().items():
            state[name].copy_(value)

    def _start(self, images: Tensor) -> Tensor:
        """Node 0 of the last cell where the output does not depend on it: only its size matters."""
        last = len(STAGES) - 1
        shape = (len(images), self.channels, self.height >> last, self.width >> last)
        return images.new_zeros(shape).contiguous(memory_format=torch.channels_last)
