"""The network of one cell as the CPU trains it: only what can change its output, no recorded graph, flat buffers.

It computes what `skelnas.network.Network` computes, up to rounding. One difference shows with numbers that are not
finite: there `none` multiplies by zero and passes NaN on, here it does nothing.
"""

import torch
from torch import Tensor

from skelnas.cells.computed import layout, parameter_names
from skelnas.cells.space import Cell
from skelnas.recipe import Recipe
from skelnas.training.cpu.blocks import Classifier, ConvNorm, Reduction
from skelnas.training.cpu.cell import SearchCell
from skelnas.training.cpu.layers import Pool
from skelnas.training.cpu.operands import Operands
from skelnas.training.cpu.state import State


class CpuNetwork:
    """Forward, backward and evaluation of one cell's network from the initial values `initial` (a Network's state).

    Images are (N, 3, H, W), channels-last, in `dtype`; H and W are `size` and multiples of 4. `repeats` cells make
    a stage.
    """

    def __init__(
        self, cell: Cell, initial: dict[str, Tensor], size: tuple[int, int], dtype: torch.dtype, repeats: int = 5
    ) -> None:
        self.plan = layout(cell)
        self.state = State(parameter_names(cell, repeats), initial, dtype)
        self.channels = initial["norm.weight"].numel()
        self.height, self.width = size
        unit = self.state.unit
        self.stem = ConvNorm(unit("stem.conv", "stem.norm")) if self.plan.connected else None
        self.body: list[SearchCell | Reduction] = []
        last = 3 * repeats + 1
        for position in range(last + 1) if self.plan.connected else (last,):
            name = f"cells.{position}"
            if position in (repeats, 2 * repeats + 1):
                units = [unit(f"{name}.{part}.conv", f"{name}.{part}.norm") for part in ("first", "second")]
                self.body.append(Reduction(*units, unit(f"{name}.shortcut.conv", None)))
            else:
                stage = (position > repeats) + (position > 2 * repeats + 1)
                self.body.append(self._search_cell(name, stage, dtype))
        self.classifier = Classifier(unit(None, "norm"), unit("classifier", "classifier"))

    def _search_cell(self, name: str, stage: int, dtype: torch.dtype) -> SearchCell:
        edges = [edge.position for edge in self.plan.edges() if edge.kernel]
        units = {i: self.state.unit(f"{name}.edges.{i}.conv", f"{name}.edges.{i}.norm") for i in edges}
        pool = Pool(self.channels >> (2 - stage), self.height >> stage, self.width >> stage, dtype)
        return SearchCell(self.plan, units, pool)

    def train_step(
        self, images: Tensor, labels: Tensor, rate: float, recipe: Recipe, narrow: torch.dtype | None
    ) -> tuple[Tensor, Tensor]:
        """One step of SGD; returns the logits (N, classes) before it and each sample's cross-entropy (N,)."""
        logits = self._forward(images, narrow)
        likelihood = torch.log_softmax(logits, 1)
        gradient = likelihood.exp()
        gradient[torch.arange(len(labels)), labels] -= 1
        self._backward(gradient.div_(len(labels)))
        self.state.step(rate, recipe)
        return logits, -likelihood.gather(1, labels[:, None])[:, 0]

    def _forward(self, images: Tensor, narrow: torch.dtype | None) -> Tensor:
        current = self._start(images) if self.stem is None else self.stem.forward(images)
        for block in self.body:
            current = (
                block.forward(current, Operands(narrow)) if isinstance(block, SearchCell) else block.forward(current)
            )
        return self.classifier.forward(current)

    def _backward(self, gradient: Tensor) -> None:
        current = self.classifier.backward(gradient)
        for block in reversed(self.body):
            current = block.backward(current)
        if self.stem is not None:
            self.stem.backward(current, needs_input=False)

    def fold(self, narrow: torch.dtype | None) -> None:
        """Prepare `evaluate` with the parameters as they are now."""
        for block in self.body:
            block.fold(Operands(narrow)) if isinstance(block, SearchCell) else block.fold()
        if self.stem is not None:
            self.stem.fold()

    def evaluate(self, images: Tensor, narrow: torch.dtype | None) -> Tensor:
        """Logits (N, classes) with the running statistics, as of the last `fold`."""
        current = self._start(images) if self.stem is None else self.stem.evaluate(images)
        for block in self.body:
            current = (
                block.evaluate(current, Operands(narrow)) if isinstance(block, SearchCell) else block.evaluate(current)
            )
        return self.classifier.evaluate(current)

    def _start(self, images: Tensor) -> Tensor:
        """Node 0 of the last cell where the output does not depend on it: only its size matters."""
        shape = (len(images), self.channels, self.height // 4, self.width // 4)
        return images.new_zeros(shape).contiguous(memory_format=torch.channels_last)
