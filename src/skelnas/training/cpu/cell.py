"""One search cell of a network, forward, backward and in evaluation, on the edges that are computed."""

import torch
from torch import Tensor

from skelnas.cells.computed import Edge, Layout, Node
from skelnas.training.cpu.layers import (
    Centred,
    Pool,
    centre_,
    centre_backward,
    channel_sums,
    convolve,
    convolve_backward,
    folded,
    images_of,
    rows_of,
    scaled,
)
from skelnas.training.cpu.operands import Operands
from skelnas.training.cpu.state import Unit


class SearchCell:
    """A search cell with its own parameters (`units`, by edge position); keeps what backward needs between the two."""

    def __init__(self, plan: Layout, units: dict[int, Unit], pool: Pool) -> None:
        self.plan, self.units, self.pool = plan, units, pool
        self.nodes: list[Tensor | None] = []
        self.operands = Operands()
        self.centred: dict[int, Centred] = {}
        self.folded: dict[int, tuple[Tensor, Tensor]] = {}

    def forward(self, images: Tensor, operands: Operands) -> Tensor:
        """Node 3 with the batch's statistics; `images` (N, C, H, W), channels-last, are node 0 and are not changed.

        Returns zeros where the cell is all-zero.
        """
        self.operands = operands
        self.nodes, self.centred = [images], {}
        return self._run(self._trained_convolutions)

    def fold(self, operands: Operands) -> None:
        """Multiply the running statistics into the weights, for `evaluate`; again after each change of parameters."""
        for node in self.plan.nodes:
            for edge in node.convolutions if node else ():
                self.folded[edge.position] = folded(self.units[edge.position], operands)

    def evaluate(self, images: Tensor, operands: Operands) -> Tensor:
        """Node 3 with the running statistics, as of the last `fold`."""
        self.operands = operands
        self.nodes = [images]
        return self._run(self._folded_convolutions)

    def _run(self, convolutions) -> Tensor:
        pooled: dict[int, Tensor] = {}
        for node in self.plan.nodes[1:]:
            self.nodes.append(self._node(node, convolutions, pooled) if node else None)
        output = self.nodes[-1]
        return torch.zeros_like(self.nodes[0]) if output is None else output

    def _node(self, node: Node, convolutions, pooled: dict[int, Tensor]) -> Tensor:
        """The sum of a node's edges. Operands that other edges read as well are never added to in place."""
        total = convolutions(node)
        for edge in node.pools:
            if edge.source not in pooled:
                pooled[edge.source] = self.pool.forward(self.nodes[edge.source])
        taken = [self.nodes[edge.source] for edge in node.skips] + [pooled[edge.source] for edge in node.pools]
        return sum_of(total, taken)

    def _trained_convolutions(self, node: Node) -> Tensor | None:
        shift = self._shift(node)
        total = None
        for edge in node.convolutions:
            unit = self.units[edge.position]
            source = self.operands.rectified(self.nodes, edge.source, edge.kernel)
            image = self.operands.wide(convolve(source, self.operands.weight(unit.weight)))
            kept = self.centred[edge.position] = centre_(rows_of(image), unit.mean, unit.variance)
            total = scaled(kept, unit.scale, shift, onto=total)
        if total is not None:
            return images_of(total, self.nodes[0])
        return None if shift is None else self._constant(shift)

    def _folded_convolutions(self, node: Node) -> Tensor | None:
        total = None
        for edge in node.convolutions:
            weight, shift = self.folded[edge.position]
            source = self.operands.rectified(self.nodes, edge.source, edge.kernel)
            image = self.operands.wide(convolve(source, weight, bias=shift))
            total = image if total is None else total.add_(image)
        for edge in node.biases:
            constant = self._constant(self.units[edge.position].shift)
            total = constant if total is None else total.add_(constant)
        return total

    def _shift(self, node: Node) -> Tensor | None:
        """The sum of the shifts of a node's convolutions (C,)."""
        shifts = [self.units[edge.position].shift for edge in (*node.convolutions, *node.biases)]
        return sum(shifts[1:], start=shifts[0]) if shifts else None

    def _constant(self, shift: Tensor) -> Tensor:
        return shift.view(1, -1, 1, 1).expand_as(self.nodes[0]).contiguous(memory_format=torch.channels_last)

    def backward(self, gradient: Tensor) -> Tensor | None:
        """Writes the gradients of all parameters; returns node 0's, or None where the output does not depend on it."""
        given: list[Gradients] = [Gradients() for _ in self.nodes]
        given[-1].skipped.append(gradient)
        for target in range(len(self.nodes) - 1, 0, -1):
            node = self.plan.nodes[target]
            total = given[target].total(self.nodes[target], self.pool) if node else None
            if total is None:
                continue
            for edge in node.skips:
                given[edge.source].skipped.append(total)
            for edge in node.pools:
                given[edge.source].pooled.append(total)
            self._convolutions_backward(node, total, given)
        output = given[0].total(self.nodes[0], self.pool)
        self.nodes, self.centred, self.operands = [], {}, Operands()
        return output

    def _convolutions_backward(self, node: Node, gradient: Tensor, given: "list[Gradients]") -> None:
        if not node.convolutions and not node.biases:
            return
        rows = rows_of(gradient)
        sums = channel_sums(rows, gradient.shape[1])
        for edge in node.biases:
            self.units[edge.position].shift_gradient.copy_(sums)
        for edge in node.convolutions:
            unit = self.units[edge.position]
            unit.shift_gradient.copy_(sums)
            below, to_scale = centre_backward(rows, sums, self.centred.pop(edge.position), unit.scale)
            unit.scale_gradient.copy_(to_scale)
            to_source, to_weight = self._through(edge, images_of(below, gradient), unit)
            unit.weight_gradient.copy_(to_weight)
            given[edge.source].convolved.append(to_source)

    def _through(self, edge: Edge, gradient: Tensor, unit: Unit) -> tuple[Tensor, Tensor]:
        source = self.operands.rectified(self.nodes, edge.source, edge.kernel)
        weight = self.operands.weight(unit.weight)
        to_source, to_weight = convolve_backward(self.operands.cast(gradient, edge.kernel), source, weight)
        return self.operands.wide(to_source), to_weight


class Gradients:
    """The gradients that a node's outgoing edges send back to it, by the way they come."""

    def __init__(self) -> None:
        self.convolved: list[Tensor] = []  # of the rectified node; free to be changed
        self.skipped: list[Tensor] = []  # read by others as well
        self.pooled: list[Tensor] = []  # of the pooled node; read by others as well

    def total(self, node: Tensor, pool: Pool) -> Tensor | None:
        """The node's gradient, or None where nothing came."""
        total = sum_of(None, self.convolved)
        if total is not None:
            # Where one convolution alone reads the node, `total` is its gradient and may be overwritten all the same.
            total = torch.ops.aten.threshold_backward.grad_input(total, node, 0, grad_input=total)
        if self.pooled:
            pooled = pool.backward(sum_of(None, self.pooled))
            total = pooled if total is None else total.add_(pooled)
        return sum_of(total, self.skipped)


def sum_of(own: Tensor | None, borrowed: list[Tensor]) -> Tensor | None:
    """`own` plus all `borrowed`; adds into `own` and never into a borrowed tensor. One term alone is not copied."""
    terms = list(borrowed)
    if own is None and len(terms) > 1:
        own = terms.pop(0) + terms.pop(0)
    if own is None:
        return terms[0] if terms else None
    for term in terms:
        own.add_(term)
    return own
