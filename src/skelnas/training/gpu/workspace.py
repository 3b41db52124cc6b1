"""The memory that a group of networks works in: images of every stage, for batches of one size and dtype."""

from typing import NamedTuple

import torch
from torch import Tensor

from skelnas.cells.outline import STAGES
from skelnas.training.gpu.arena import Arena
from skelnas.training.gpu.groups import GroupTables
from skelnas.training.gpu.operations import Norms, Operations
from skelnas.training.gpu.state import GpuState


class Stage(NamedTuple):
    """The images of one stage, (slots, N, H, W, C) each: what forward keeps and what backward fills."""

    nodes: Tensor  # 3 * cells + 1 nodes of M models; a cell's output is the next one's input
    convolved: Tensor  # every convolution of every cell, before BatchNorm
    gradients: Tensor  # four nodes of M models, taken in turns
    returned: Tensor  # what the convolutions of one cell return


class Workspace:
    """What all parts of the networks of a group share; it knows none of them, so that dropping a network frees it.

    `shape` is (N, H, W) of a batch; `compute_dtype` that of images; `arena` lends the memory. `sizes` are (N, H, W, C)
    by stage.
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
        self.compute_dtype, self.arena = compute_dtype, arena
        self.samples, height, width = shape
        channels = state.views["stem.weight"].shape[-1]
        self.sizes = [(self.samples, height >> s, width >> s, channels << s) for s in range(len(STAGES))]
        self.stages = [self._stage(size) for size in self.sizes]

    def _stage(self, size: tuple[int, int, int, int]) -> Stage:
        models, repeats, convolutions = self.state.models, self.state.repeats, self.state.capacity.total
        counts = ((3 * repeats + 1) * models, repeats * convolutions, 4 * models, convolutions)
        return Stage(*(self.take((count, *size)) for count in counts))

    def take(self, shape: tuple[int, ...], dtype: torch.dtype | None = None) -> Tensor:
        """Memory of that shape from the arena, of undefined contents.

        Raises:
            torch.OutOfMemoryError: the arena's block is too small.
        """
        return self.arena.take(shape, dtype or self.compute_dtype)

    def convolve(
        self, weight: str, images: Tensor, out: Tensor, stride: int, relu: bool, norms: Norms | None = None
    ) -> None:
        """Every model's convolution with the weights of that name; with `norms` its BatchNorm is made ready."""
        operations, taken = self.operations, self.state.views[weight]
        sums = None if norms is None else operations.tile_sums(out)
        operations.convolve(images, self.tables.every, taken, out, stride, relu, sums)
        if norms is not None and sums is not None:
            operations.batch_norm_stats(out, sums, norms)

    def first_nodes(self, stage: int) -> Tensor:
        """The first node of a stage, of all models."""
        return self.stages[stage].nodes[: self.state.models]

    def last_nodes(self, stage: int) -> Tensor:
        """The last node of a stage, of all models."""
        return self.stages[stage].nodes[-self.state.models :]

    def final_gradient(self, stage: int) -> Tensor:
        """The gradient of a stage's first node, after all its cells' backward."""
        plane = 3 if self.state.repeats % 2 else 0
        return self.stages[stage].gradients[plane * self.state.models :][: self.state.models]
