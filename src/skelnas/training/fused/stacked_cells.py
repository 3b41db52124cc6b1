"""The search cells of a group of networks, on the group's work lists."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skelnas.cells.space import NODES
from skelnas.training.fused.stacked_norm import Norm
from skelnas.training.fused.stacked_operations import CONVOLUTION, POOL, SKIP
from skelnas.training.fused.work_lists import INNER, KERNELS, Capacity, WorkLists

# Where a cell's nodes have their gradients among four, in even and odd turns: node 0's is the next turn's node 3's.
PLANES = ((3, 2, 1, 0), (0, 2, 1, 3))


@dataclass(frozen=True)
class GroupTables:
    """The work lists of a group on its device, with slots as the passes need them; int32 throughout.

    Loading another group's lists of the same capacity into them (`load`) leaves every address as it was.
    """

    room: Capacity
    source: Tensor  # (convolutions,) slots of a cell's nodes
    target: Tensor  # (2, convolutions) slots of the gradients, by turn
    bias_target: Tensor  # (2, biases)
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

    def by_turn(slots: np.ndarray, used: np.ndarray) -> np.ndarray:
        """Slots of nodes as slots of gradients, where used."""
        planes = np.array(PLANES, dtype=np.int32)[:, slots // models]
        return np.where(used, planes * models + slots % models, slots).astype(np.int32)

    own = np.arange(models, dtype=np.int32)[:, None]
    images = (lists.out_of_kinds == SKIP) | (lists.out_of_kinds == POOL)
    return (
        lists.source,
        by_turn(lists.target, lists.target >= 0),
        by_turn(lists.bias_target, lists.bias_target >= 0),
        lists.into_kinds,
        lists.into_indices,
        lists.out_of_kinds,
        by_turn(np.where(images, lists.out_of_indices, 0), images) + np.where(images, 0, lists.out_of_indices),
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
        parts = {(kernel, target): room.entries(kernel, target) for target in INNER for kernel in KERNELS}
        self.parts = {key: part for key, part in parts.items() if part.stop > part.start}
        self.norms = {key: Norm(state, name, part) for key, part in self.parts.items()}
        shift = state.views[f"{name}.shift"]
        self.factor, self.offset = torch.zeros_like(shift), torch.zeros_like(shift)

    def _weights(self, stack: dict[str, Tensor], kernel: int, part: slice) -> Tensor:
        first = self.network.state.room.entries(kernel).start
        return stack[f"{self.name}.weight{kernel}"][part.start - first : part.stop - first]

    def forward(self, evaluating: bool) -> None:
        """Nodes 1 to 3 of all models from their node 0."""
        network, state = self.network, self.network.state
        operations, tables = network.operations, network.tables
        self.offset[state.room.total :] = state.views[f"{self.name}.shift"][state.room.total :]
        for target in INNER:
            for kernel in KERNELS:
                if (part := self.parts.get((kernel, target))) is None:
                    continue
                out, weight = self.convolved[part], self._weights(state.views, kernel, part)
                moments = operations.convolve(self.nodes, tables.source[part], weight, out, 1, True, not evaluating)
                factor, offset = self.norms[kernel, target].affine(moments, network._count(out))
                self.factor[part], self.offset[part] = factor, offset
            kinds, indices = tables.into_kinds[target], tables.into_indices[target]
            out = self._node(target)
            operations.sum_nodes(self.nodes, self.convolved, kinds, indices, self.factor, self.offset, out)

    def backward(self, turn: int) -> None:
        """From the gradient of node 3 to those of node 0 and of all parameters."""
        operations, tables = self.network.operations, self.network.tables
        for target in (3, 2, 1):
            if target < 3:
                self._collect(target, turn)
            for kernel in KERNELS:
                if (part := self.parts.get((kernel, target))) is not None:
                    self._convolution_backward(kernel, target, part, tables.target[turn][part])
        if self.network.state.room.biases:
            slots, gradients = tables.bias_target[turn], self.stage.gradients
            to_shift = self.network.state.gradients[f"{self.name}.shift"][self.network.state.room.total :]
            images = gradients[: len(slots)]
            to_shift.copy_(operations.gradient_sums(gradients, slots, images, torch.zeros_like(to_shift))[0])
        self._collect(0, turn)

    def _convolution_backward(self, kernel: int, target: int, part: slice, slots: Tensor) -> None:
        operations, state = self.network.operations, self.network.state
        source, image = self.network.tables.source[part], self.convolved[part]
        self.norms[kernel, target].backward(operations, self.stage.gradients, slots, image)
        operations.convolve_transposed(
            image, source, self._weights(state.views, kernel, part), self.stage.returned[part]
        )
        operations.weight_gradient(self.nodes, source, image, self._weights(state.gradients, kernel, part))

    def _collect(self, node: int, turn: int) -> None:
        models, tables = self.network.state.models, self.network.tables
        first = PLANES[turn][node] * models
        out = self.stage.gradients[first : first + models]
        kinds, indices = tables.out_of_kinds[node], tables.out_of_indices[turn, node]
        self.network.operations.sum_gradients(
            self.stage.gradients, self.stage.returned, kinds, indices, self._node(node), out
        )

    def _node(self, node: int) -> Tensor:
        return self.nodes[node * self.network.state.models :][: self.network.state.models]
