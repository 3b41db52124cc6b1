"""The search cells of a group of networks, on the group's work lists."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skelnas.cells.space import NODES
from skelnas.training.gpu.work_lists import CONVOLUTION, INNER, KERNELS, POOL, SKIP, Capacity, WorkLists

# Where a cell's nodes have their gradients among four, in even and odd turns: node 0's is the next turn's node 3's.
PLANES = ((3, 2, 1, 0), (0, 2, 1, 3))


@dataclass(frozen=True)
class GroupTables:
    """The work lists of a group on its device, with slots as the passes need them; int32 throughout.

    Loading another group's lists of the same capacity into them (`load`) leaves every address as it was.
    """

    room: Capacity
    source: Tensor  # (convolutions,) slots of a cell's nodes
    into_kinds: Tensor  # (nodes, M, 3)
    into_indices: Tensor
    out_of_kinds: Tensor
    out_of_indices: Tensor  # (2, nodes, M, 3), by turn
    every: Tensor  # (M,) every model's own slot
    own_kinds: Tensor  # (M, 1) one convolution each: its own
    own_indices: Tensor
    shortcut_kinds: Tensor  # (M, 2) its own convolution and image
    shortcut_indices: Tensor

    @classmethod
    def of(cls, lists: WorkLists, device: str) -> "GroupTables":
        """The tables of `lists`."""
        return cls(lists.capacity, *(torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in _arrays(lists)))

    def load(self, lists: WorkLists) -> None:
        """Take the lists of another group with the same number of models and the same capacity."""
        for name, array in zip(list(self.__dataclass_fields__)[1:], _arrays(lists), strict=True):
            getattr(self, name).copy_(torch.from_numpy(array))


def _arrays(lists: WorkLists) -> tuple[np.ndarray, ...]:
    models = lists.models

    own = np.arange(models, dtype=np.int32)[:, None]
    images = (lists.out_of_kinds == SKIP) | (lists.out_of_kinds == POOL)
    node, model = np.divmod(np.where(images, lists.out_of_indices, 0), models)
    gradients = np.array(PLANES, dtype=np.int32)[:, node] * models + model  # by turn
    return (
        lists.source,
        lists.into_kinds,
        lists.into_indices,
        lists.out_of_kinds,
        np.where(images, gradients, lists.out_of_indices).astype(np.int32),
        own[:, 0],
        np.full_like(own, CONVOLUTION),
        own,
        np.repeat(np.array([[CONVOLUTION, SKIP]], dtype=np.int32), models, axis=0),
        np.repeat(own, 2, axis=1),
    )


class StackedCell:
    """Cell number `place` of a stage, for all models of a group."""

    def __init__(self, network, stage: int, place: int, name: str) -> None:
        self.network, self.stage, self.name = network, network.stages[stage], name
        state = network.state
        models, room = state.models, state.room
        self.nodes = self.stage.nodes[3 * place * models : (3 * place + NODES) * models]
        self.convolved = self.stage.convolved[place * room.total : (place + 1) * room.total]
        self.all_norms = state.norms(name)
        self.factor, self.offset = self.all_norms.factor, self.all_norms.offset
        used = {target: room.entries(target) for target in INNER}
        self.parts = {target: part for target, part in used.items() if part.stop > part.start}
        self.norms = {target: state.norms(name, part) for target, part in self.parts.items()}

    def _kernels(self, target: int) -> Iterator[tuple[slice, str, slice]]:
        """A node's convolutions by kernel size: their entries, the name of the weights, and their rows among these."""
        room = self.network.state.room
        for kernel in KERNELS:
            part = room.entries(target, kernel)
            if part.stop > part.start:
                yield part, f"{self.name}.weight{kernel}", room.rows(kernel, target)

    def forward(self) -> None:
        """Nodes 1 to 3 of all models from their node 0, with the batch's statistics."""
        operations, tables, views = self.network.operations, self.network.tables, self.network.state.views
        for target in INNER:
            if (whole := self.parts.get(target)) is not None:
                images = self.convolved[whole]
                sums = operations.tile_sums(images)
                for part, weight, rows in self._kernels(target):
                    own = sums[:, part.start - whole.start : part.stop - whole.start]
                    source, out = tables.source[part], self.convolved[part]
                    operations.convolve(self.nodes, source, views[weight][rows], out, 1, True, own)
                operations.normalise(images, sums, self.norms[target])
            kinds, indices = tables.into_kinds[target], tables.into_indices[target]
            operations.sum_nodes(
                self.nodes, self.convolved, kinds, indices, self.factor, self.offset, self._node(target)
            )

    def evaluate(self) -> None:
        """Nodes 1 to 3 of all models from their node 0, with the running statistics as folded."""
        operations, tables, views = self.network.operations, self.network.tables, self.network.state.views
        room = self.network.state.room
        for target in INNER:
            weights = (views[f"{self.name}.weight{kernel}"][room.rows(kernel, target)] for kernel in KERNELS)
            operations.evaluate_nodes(
                self.nodes,
                tables.source,
                tables.into_kinds[target],
                tables.into_indices[target],
                *weights,
                room.entries(target).start,
                self.factor,
                self.offset,
                self._node(target),
            )

    def backward(self, turn: int) -> None:
        """From the gradient of node 3 to those of node 0 and of all parameters."""
        operations, state, tables = self.network.operations, self.network.state, self.network.tables
        for target in (3, 2, 1):
            if target < 3:
                self._collect(target, turn)
            gradient, edges = self._gradient(target, turn), (tables.into_kinds[target], tables.into_indices[target])
            operations.normalise_backward(gradient, *edges, self.convolved, self.all_norms)
            for part, weight, rows in self._kernels(target):
                source, image, returned = tables.source[part], self.convolved[part], self.stage.returned[part]
                operations.convolve_transposed(image, source, state.views[weight][rows], returned)
                operations.weight_gradient(self.nodes, source, image, state.gradients[weight][rows])
        self._collect(0, turn)

    def _collect(self, node: int, turn: int) -> None:
        tables = self.network.tables
        kinds, indices = tables.out_of_kinds[node], tables.out_of_indices[turn, node]
        out = self._gradient(node, turn)
        self.network.operations.sum_gradients(
            self.stage.gradients, self.stage.returned, kinds, indices, self._node(node), out
        )

    def _gradient(self, node: int, turn: int) -> Tensor:
        models = self.network.state.models
        return self.stage.gradients[PLANES[turn][node] * models :][:models]

    def _node(self, node: int) -> Tensor:
        return self.nodes[node * self.network.state.models :][: self.network.state.models]
