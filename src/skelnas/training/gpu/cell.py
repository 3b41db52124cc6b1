"""The search cells of a group of networks, on the group's work lists."""

from collections.abc import Iterator

from torch import Tensor

from skelnas.cells.space import NODES
from skelnas.training.gpu.groups import INNER, KERNELS, PLANES
from skelnas.training.gpu.workspace import Workspace


class SearchCell:
    """Cell number `place` of a stage, for all models of a group."""

    def __init__(self, space: Workspace, stage: int, place: int, name: str) -> None:
        self.space, self.stage, self.name = space, space.stages[stage], name
        state = space.state
        models, capacity = state.models, state.capacity
        self.nodes = self.stage.nodes[3 * place * models : (3 * place + NODES) * models]
        self.convolved = self.stage.convolved[place * capacity.total : (place + 1) * capacity.total]
        self.all_norms = state.norms(name)
        self.factor, self.offset = self.all_norms.factor, self.all_norms.offset
        used = {target: capacity.entries(target) for target in INNER}
        self.parts = {target: part for target, part in used.items() if part.stop > part.start}
        self.norms = {target: state.norms(name, part) for target, part in self.parts.items()}

    def _kernels(self, target: int) -> Iterator[tuple[slice, str, slice]]:
        """A node's convolutions by kernel size: their entries, the name of the weights, and their rows among these."""
        capacity = self.space.state.capacity
        for kernel in KERNELS:
            part = capacity.entries(target, kernel)
            if part.stop > part.start:
                yield part, f"{self.name}.weight{kernel}", capacity.rows(kernel, target)

    def forward(self, evaluating: bool) -> None:
        """Nodes 1 to 3 of all models from their node 0, with the batch's statistics or the running ones as folded."""
        operations, tables, views = self.space.operations, self.space.tables, self.space.state.views
        for target in INNER:
            if (whole := self.parts.get(target)) is not None:
                images = self.convolved[whole]
                sums = None if evaluating else operations.tile_sums(images)
                for part, weight, rows in self._kernels(target):
                    own = None if sums is None else sums[:, part.start - whole.start : part.stop - whole.start]
                    source, out = tables.source[part], self.convolved[part]
                    operations.convolve(self.nodes, source, views[weight][rows], out, 1, True, own)
                if sums is not None:
                    operations.batch_norm_stats(images, sums, self.norms[target])
            kinds, indices = tables.into_kinds[target], tables.into_indices[target]
            operations.sum_nodes(
                self.nodes, self.convolved, kinds, indices, self.factor, self.offset, self._node(target)
            )

    def backward(self, turn: int) -> None:
        """From the gradient of node 3 to those of node 0 and of all parameters."""
        operations, state, tables = self.space.operations, self.space.state, self.space.tables
        for target in (3, 2, 1):
            if target < 3:
                self._collect(target, turn)
            gradient, edges = self._gradient(target, turn), (tables.into_kinds[target], tables.into_indices[target])
            operations.batch_norm_backward(gradient, *edges, self.convolved, self.all_norms)
            for part, weight, rows in self._kernels(target):
                source, image, returned = tables.source[part], self.convolved[part], self.stage.returned[part]
                operations.input_gradient(image, source, state.views[weight][rows], returned)
                operations.weight_gradient(self.nodes, source, image, state.gradients[weight][rows])
        self._collect(0, turn)

    def _collect(self, node: int, turn: int) -> None:
        tables = self.space.tables
        kinds, indices = tables.out_of_kinds[node], tables.out_of_indices[turn, node]
        out = self._gradient(node, turn)
        self.space.operations.sum_gradients(
            self.stage.gradients, self.stage.returned, kinds, indices, self._node(node), out
        )

    def _gradient(self, node: int, turn: int) -> Tensor:
        models = self.space.state.models
        return self.stage.gradients[PLANES[turn][node] * models :][:models]

    def _node(self, node: int) -> Tensor:
        return self.nodes[node * self.space.state.models :][: self.space.state.models]
