"""A group of networks trained step by step on a model axis: forward, backward and evaluation.

What is written here is the order of the work; the work itself is done by `operations`. No step depends on values on
the device, so that a whole one can be recorded and replayed. No value of one model enters another's.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from skelnas.training.gpu.arena import Arena
from skelnas.training.gpu.cell import SearchCell
from skelnas.training.gpu.groups import GroupTables
from skelnas.training.gpu.operations import Norms, Operations
from skelnas.training.gpu.state import INPUT_CHANNELS, GpuState, padded_classes


class Stage(NamedTuple):
    """The images of one stage, (slots, N, H, W, C) each: what forward keeps and what backward fills."""

    nodes: Tensor  # 3 * cells + 1 nodes of M models; a cell's output is the next one's input
    convolved: Tensor  # every convolution of every cell, before BatchNorm
    gradients: Tensor  # four nodes of M models, taken in turns
    returned: Tensor  # what the convolutions of one cell return


class GpuNetwork:
    """The networks of a group of M models for batches of N images of H x W.

    `operations` do the work; `narrow` is the dtype of images.
    """

    def __init__(
        self,
        state: GpuState,
        tables: GroupTables,
        shape: tuple[int, int, int],
        narrow: torch.dtype,
        operations: Operations,
        arena: Arena,
    ) -> None:
        self.state, self.tables, self.operations = state, tables, operations
        self.samples, height, width = shape
        models, channels = state.models, state.views["stem.weight"].shape[-1]
        sizes = [(self.samples, height >> s, width >> s, channels << s) for s in range(3)]
        self.stages = [self._stage(size, narrow, arena) for size in sizes]
        self.input = arena.take((models, *sizes[0][:3], INPUT_CHANNELS), narrow)
        self.stem = arena.take((models, *sizes[0]), narrow)
        self.reductions = [Reduction(self, stage, sizes, narrow, arena) for stage in (1, 2)]
        self.cells = [
            [SearchCell(self, stage, c, f"cells.{stage * (state.repeats + 1) + c}") for c in range(state.repeats)]
            for stage in range(3)
        ]
        self.stem_norms, self.norms = state.norms("stem"), state.norms("norm")
        wide = state.parameters.dtype
        self.pooled = arena.take((models, self.samples, 1, 1, sizes[2][3]), wide)
        self.logits = arena.take((models, self.samples, 1, 1, padded_classes(state.classes)), wide)

    def _stage(self, size: tuple[int, ...], narrow: torch.dtype, arena: Arena) -> Stage:
        models, repeats, convolutions = self.state.models, self.state.repeats, self.state.capacity.total
        counts = ((3 * repeats + 1) * models, repeats * convolutions, 4 * models, convolutions)
        return Stage(*(arena.take((count, *size), narrow) for count in counts))

    def put(self, images: Tensor) -> None:
        """Take a batch: normalised images (M, N, H, W, 3), or (1, N, H, W, 3) for all models."""
        self.input[..., images.shape[-1] :] = 0
        self.input[..., : images.shape[-1]] = images

    def forward(self, evaluating: bool = False) -> Tensor:
        """Logits (M, N, classes) of the batch put last, with the batch's statistics or the running ones."""
        operations, state, tables = self.operations, self.state, self.tables
        if evaluating:
            state.fold()
        else:
            state.offsets.copy_(state.shifts)  # what biases add; `batch_norm_stats` writes all others
        self.convolve("stem.weight", self.input, self.stem, 1, False, None if evaluating else self.stem_norms)
        start, norms = self.stages[0].nodes[: state.models], self.stem_norms
        operations.sum_nodes(start, self.stem, tables.own_kinds, tables.own_indices, norms.factor, norms.offset, start)
        for stage, cells in enumerate(self.cells):
            if stage:
                self.reductions[stage - 1].forward(evaluating)
            for cell in cells:
                if evaluating:
                    cell.evaluate()
                else:
                    cell.forward()
        return self._classify(evaluating)

    def convolve(
        self, weight: str, images: Tensor, out: Tensor, stride: int, relu: bool, norms: Norms | None = None
    ) -> None:
        """Every model's convolution with the weights of that name; with `norms` its BatchNorm is made ready."""
        operations, taken = self.operations, self.state.views[weight]
        sums = None if norms is None else operations.tile_sums(out)
        operations.convolve(images, self.tables.every, taken, out, stride, relu, sums)
        if norms is not None:
            operations.batch_norm_stats(out, sums, norms)

    def _classify(self, evaluating: bool) -> Tensor:
        images, state, operations = self.stages[2].nodes[-self.state.models :], self.state, self.operations
        if not evaluating:
            sums = operations.tile_sums(images)
            operations.image_sums(images, sums)
            operations.batch_norm_stats(images, sums, self.norms)
        self.pooled[:, :, 0, 0] = operations.pixel_means(images, self.norms.factor, self.norms.offset)
        self.convolve("classifier.weight", self.pooled, self.logits, 1, False)
        return self.logits[:, :, 0, 0, : state.classes] + state.views["classifier.shift"][:, None, : state.classes]

    def train_step(self, labels: Tensor, recipe) -> tuple[Tensor, Tensor]:
        """One step of SGD on the batch put last; labels int64 (M, N).

        Returns the logits (M, N, classes) before it and each sample's cross-entropy (M, N).
        """
        logits = self.forward()
        likelihood = torch.log_softmax(logits, 2)
        gradient = torch.zeros_like(self.logits)
        gradient[:, :, 0, 0, : self.state.classes] = likelihood.exp()
        ones = torch.ones_like(likelihood[..., :1])
        gradient[:, :, 0, 0].scatter_add_(2, labels[..., None], -ones)
        self.backward(gradient.div_(self.samples))
        self.state.step(recipe, self.operations)
        return logits, -likelihood.gather(2, labels[..., None])[..., 0]

    def backward(self, gradient: Tensor) -> None:
        """From the logits' gradient (M, N, 1, 1, padded classes): the gradients of all parameters."""
        self._classify_backward(gradient)
        for stage in (2, 1, 0):
            for turn, cell in enumerate(reversed(self.cells[stage])):
                cell.backward(turn % 2)
            if stage:
                self.reductions[stage - 1].backward()
        final = self.final_gradient(0)
        own = self.tables.own_kinds, self.tables.own_indices
        self.operations.batch_norm_backward(final, *own, self.stem, self.stem_norms)
        weight = self.state.gradients["stem.weight"]
        self.operations.weight_gradient(self.input, self.tables.every, self.stem, weight, 1, False)

    def _classify_backward(self, gradient: Tensor) -> None:
        state, tables, operations = self.state, self.tables, self.operations
        operations.channel_sums(gradient, tables.every, state.gradients["classifier.shift"])
        weight = state.gradients["classifier.weight"]
        operations.weight_gradient(self.pooled, tables.every, gradient, weight, 1, False)
        below = torch.empty_like(self.pooled)
        operations.input_gradient(gradient, tables.every, state.views["classifier.weight"], below)
        models, gradients = state.models, self.stages[2].gradients
        images = self.stages[2].nodes[-models:]
        factor, offset = (value[:, None, None, None] for value in (self.norms.factor, self.norms.offset))
        positive = images * factor + offset > 0
        spread = gradients[models : 2 * models]
        spread.copy_(torch.where(positive, below / (images.shape[2] * images.shape[3]), 0))
        first = gradients[:models]
        first.copy_(images)
        operations.batch_norm_backward(spread, tables.own_kinds, tables.own_indices, first, self.norms)

    def final_gradient(self, stage: int) -> Tensor:
        """The gradient of a stage's first node, after all its cells' backward."""
        plane = 3 if self.state.repeats % 2 else 0
        return self.stages[stage].gradients[plane * self.state.models :][: self.state.models]


class Reduction:
    """The residual block that leads to `stage`, for all models of a group."""

    def __init__(
        self, network: GpuNetwork, stage: int, sizes: list[tuple[int, ...]], narrow: torch.dtype, arena: Arena
    ) -> None:
        self.network, self.stage, state = network, stage, network.state
        self.name = f"cells.{state.reductions[stage - 1]}"
        inner, outer = (state.models, *sizes[stage]), (state.models, *sizes[stage - 1])
        self.first, self.between, self.second, self.shortcut = (arena.take(inner, narrow) for _ in range(4))
        self.pooled = arena.take((*inner[:-1], outer[-1]), narrow)
        self.first_norms, self.second_norms = (state.norms(f"{self.name}.{part}") for part in ("first", "second"))
        self.returned, self.inner_gradient = arena.take(outer, narrow), arena.take(inner, narrow)
        self.inner_returned, self.pooled_gradient = arena.take(inner, narrow), arena.take(self.pooled.shape, narrow)

    def forward(self, evaluating: bool) -> None:
        """From the last node of the stage before to the first of this one."""
        network = self.network
        operations, tables, models = network.operations, network.tables, network.state.models
        images, out = network.stages[self.stage - 1].nodes[-models:], network.stages[self.stage].nodes[:models]
        first, second = (None, None) if evaluating else (self.first_norms, self.second_norms)
        network.convolve(f"{self.name}.first.weight", images, self.first, 2, True, first)
        own, norms = (tables.own_kinds, tables.own_indices), self.first_norms
        operations.sum_nodes(self.first, self.first, *own, norms.factor, norms.offset, self.between)
        network.convolve(f"{self.name}.second.weight", self.between, self.second, 1, True, second)
        quarters = [images[:, :, row::2, column::2] for row in (0, 1) for column in (0, 1)]
        self.pooled.copy_((quarters[0] + quarters[1] + quarters[2] + quarters[3]) / 4)
        network.convolve(f"{self.name}.shortcut.weight", self.pooled, self.shortcut, 1, False)
        both, norms = (tables.shortcut_kinds, tables.shortcut_indices), self.second_norms
        operations.sum_nodes(self.shortcut, self.second, *both, norms.factor, norms.offset, out)

    def backward(self) -> None:
        """From the gradient of this stage's first node to that of the last node of the stage before."""
        network, state = self.network, self.network.state
        operations, tables, every, models = network.operations, network.tables, network.tables.every, state.models
        gradient = network.final_gradient(self.stage)
        images = network.stages[self.stage - 1].nodes[-models:]
        out = network.stages[self.stage - 1].gradients[:models]
        own = tables.own_kinds, tables.own_indices
        weights = {part: f"{self.name}.{part}.weight" for part in ("first", "second", "shortcut")}
        operations.weight_gradient(self.pooled, every, gradient, state.gradients[weights["shortcut"]], 1, False)
        operations.input_gradient(gradient, every, state.views[weights["shortcut"]], self.pooled_gradient)
        operations.batch_norm_backward(gradient, *own, self.second, self.second_norms)
        operations.weight_gradient(self.between, every, self.second, state.gradients[weights["second"]])
        operations.input_gradient(self.second, every, state.views[weights["second"]], self.inner_returned)
        operations.sum_gradients(gradient, self.inner_returned, *own, self.between, self.inner_gradient)
        operations.batch_norm_backward(self.inner_gradient, *own, self.first, self.first_norms)
        operations.weight_gradient(images, every, self.first, state.gradients[weights["first"]], 2)
        operations.input_gradient(self.first, every, state.views[weights["first"]], self.returned, 2)
        operations.sum_gradients(gradient, self.returned, *own, images, out)
        for row in (0, 1):
            for column in (0, 1):
                out[:, :, row::2, column::2] += self.pooled_gradient / 4
