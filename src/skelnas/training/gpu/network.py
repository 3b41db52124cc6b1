"""A group of networks trained step by step on a model axis: forward, backward and evaluation.

What is written here is the order of the work; the work itself is done by `operations`. No step depends on values on
the device, so that a whole one can be recorded and replayed. No value of one model enters another's.
"""

import torch
from torch import Tensor

from skelnas.cells.outline import STAGES, body
from skelnas.recipe import Recipe
from skelnas.training.gpu.arena import Arena
from skelnas.training.gpu.blocks import Reduction
from skelnas.training.gpu.cell import SearchCell
from skelnas.training.gpu.groups import GroupTables
from skelnas.training.gpu.operations import Operations
from skelnas.training.gpu.state import INPUT_CHANNELS, GpuState, padded_classes
from skelnas.training.gpu.workspace import Workspace
from skelnas.training.losses import losses_and_gradient

LAST = len(STAGES) - 1


class GpuNetwork:
    """The networks of a group of M models for batches of N images of H x W.

    `operations` do the work; `compute_dtype` is that of images, the state's that of sums and parameters.
    """

    def __init__(
        self,
        state: GpuState,
        tables: GroupTables,
        shape: tuple[int, int, int],
        compute_dtype: torch.dtype,
        operations: Operations,
        arena: Arena,
    ) -> None:
        self.state, self.tables, self.operations = state, tables, operations
        self.space = space = Workspace(state, tables, shape, compute_dtype, operations, arena)
        models, samples, sizes = state.models, space.samples, space.sizes
        self.input = space.take((models, *sizes[0][:3], INPUT_CHANNELS))
        self.stem = space.take((models, *sizes[0]))
        modules = body(state.repeats)
        self.reductions = [Reduction(space, m.stage, f"cells.{m.position}") for m in modules if m.is_reduction]
        self.cells: list[list[SearchCell]] = [[] for _ in STAGES]
        for module in modules:
            if not module.is_reduction:
                cells = self.cells[module.stage]
                cells.append(SearchCell(space, module.stage, len(cells), f"cells.{module.position}"))
        self.stem_norms, self.norms = state.norms("stem"), state.norms("norm")
        accumulate_dtype = state.parameters.dtype
        self.pooled = space.take((models, samples, 1, 1, sizes[LAST][3]), accumulate_dtype)
        self.logits = space.take((models, samples, 1, 1, padded_classes(state.classes)), accumulate_dtype)

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
        norms = self.stem_norms
        self.space.convolve("stem.weight", self.input, self.stem, 1, False, None if evaluating else norms)
        start = self.space.first_nodes(0)
        operations.sum_nodes(start, self.stem, tables.own_kinds, tables.own_indices, norms.factor, norms.offset, start)
        for stage, cells in enumerate(self.cells):
            if stage:
                self.reductions[stage - 1].forward(evaluating)
            for cell in cells:
                cell.forward(evaluating)
        return self._classify(evaluating)

    def _classify(self, evaluating: bool) -> Tensor:
        images, state, operations = self.space.last_nodes(LAST), self.state, self.operations
        if not evaluating:
            sums = operations.tile_sums(images)
            operations.image_sums(images, sums)
            operations.batch_norm_stats(images, sums, self.norms)
        self.pooled[:, :, 0, 0] = operations.pixel_means(images, self.norms.factor, self.norms.offset)
        self.space.convolve("classifier.weight", self.pooled, self.logits, 1, False)
        return self.logits[:, :, 0, 0, : state.classes] + state.views["classifier.shift"][:, None, : state.classes]

    def train_step(self, labels: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor]:
        """One step of SGD on the batch put last; labels int64 (M, N).

        Returns the logits (M, N, classes) before it and each sample's loss (M, N).
        """
        logits = self.forward()
        losses, gradient = losses_and_gradient(logits, labels)
        padded = torch.zeros_like(self.logits)
        padded[:, :, 0, 0, : self.state.classes] = gradient
        self.backward(padded)
        self.state.step(recipe, self.operations)
        return logits, losses

    def backward(self, gradient: Tensor) -> None:
        """From the logits' gradient (M, N, 1, 1, padded classes): the gradients of all parameters."""
        self._classify_backward(gradient)
        for stage in range(LAST, -1, -1):
            for turn, cell in enumerate(reversed(self.cells[stage])):
                cell.backward(turn % 2)
            if stage:
                self.reductions[stage - 1].backward()
        final = self.space.final_gradient(0)
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
        models, gradients = state.models, self.space.stages[LAST].gradients
        images = self.space.last_nodes(LAST)
        factor, offset = (value[:, None, None, None] for value in (self.norms.factor, self.norms.offset))
        positive = images * factor + offset > 0
        spread = gradients[models : 2 * models]
        spread.copy_(torch.where(positive, below / (images.shape[2] * images.shape[3]), 0))
        first = gradients[:models]
        first.copy_(images)
        operations.batch_norm_backward(spread, tables.own_kinds, tables.own_indices, first, self.norms)
