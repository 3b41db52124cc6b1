"""One search cell of a network, forward, backward and in evaluation, on the edges that are computed."""

from collections.abc import Callable

import torch
from torch import Tensor

from skelnas.cells.computed import Edge, Layout, Node
from skelnas.training.cpu.layers import (
    Centred,
    Kept,
    Operands,
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
from skelnas.training.cpu.state import Parameter, Unit


class Nodes:
    """A cell's nodes as far as they are computed, and the operands of the convolutions that read them."""

    def __init__(self, images: Tensor, operands: Operands) -> None:
        self.operands = operands
        self.images: list[Tensor | None] = [images]  # None: zero, or read by nobody
        self.centred: dict[int, Centred] = {}  # BatchNorms by the position of their edge

    def __getitem__(self, node: int) -> Tensor:
        images = self.images[node]
        assert images is not None, f"node {node} is computed from nothing"
        return images

    def rectified(self, edge: Edge) -> Tensor:
        """What the convolution on `edge` reads."""
        return self.operands.rectified(edge.source, self[edge.source], edge.kernel)


class SearchCell:
    """A search cell with its own parameters; keeps what backward needs between the two.

    By edge position, `units` are those of convolutions and `biases` those of which only BatchNorm's shift arrives.
    """

    def __init__(self, plan: Layout, units: dict[int, Unit], biases: dict[int, Parameter], pool: Pool) -> None:
        self.plan, self.units, self.biases, self.pool = plan, units, biases, pool
        self._kept: Kept[Nodes] = Kept()
        self._folded: dict[int, tuple[Tensor, Tensor]] = {}

    def forward(self, images: Tensor, operands: Operands) -> Tensor:
        """Node 3 with the batch's statistics; `images` (N, C, H, W), channels-last, are node 0 and are not changed.

        Returns zeros where the cell is all-zero.
        """
        nodes = Nodes(images, operands)
        self._kept.put(nodes)
        return self._run(nodes, self._trained_convolutions)

    def fold(self, operands: Operands) -> None:
        """Multiply the running statistics into the weights, for `evaluate`; again after each change of parameters."""
        for node in self.plan.nodes:
            for edge in node.convolutions if node else ():
                self._folded[edge.position] = folded(self.units[edge.position], operands)

    def evaluate(self, images: Tensor, operands: Operands) -> Tensor:
        """Node 3 with the running statistics, as of the last `fold`."""
        return self._run(Nodes(images, operands), self._folded_convolutions)

    def _run(self, nodes: Nodes, convolutions: Callable[[Nodes, Node], Tensor | None]) -> Tensor:
        pooled: dict[int, Tensor] = {}
        for node in self.plan.nodes[1:]:
            nodes.images.append(self._node(nodes, node, convolutions, pooled) if node else None)
        output = nodes.images[-1]
        return torch.zeros_like(nodes[0]) if output is None else output

    def _node(
        self,
        nodes: Nodes,
        node: Node,
        convolutions: Callable[[Nodes, Node], Tensor | None],
        pooled: dict[int, Tensor],
    ) -> Tensor | None:
        """The sum of a node's edges. Operands that other edges read as well are never added to in place."""
        total = convolutions(nodes, node)
        for edge in node.pools:
            if edge.source not in pooled:
                pooled[edge.source] = self.pool.forward(nodes[edge.source])
        taken = [nodes[edge.source] for edge in node.skips] + [pooled[edge.source] for edge in node.pools]
        return sum_of(total, taken)

    def _trained_convolutions(self, nodes: Nodes, node: Node) -> Tensor | None:
        shifts = [self.units[edge.position].norm.shift.value for edge in node.convolutions]
        shifts += [self.biases[edge.position].value for edge in node.biases]
        if not shifts:
            return None
        shift, total = sum(shifts[1:], start=shifts[0]), None
        for edge in node.convolutions:
            weight, norm = self.units[edge.position]
            operands = nodes.operands
            image = operands.accumulated(convolve(nodes.rectified(edge), operands.weight(weight.value)))
            centred = nodes.centred[edge.position] = centre_(rows_of(image), norm.mean, norm.variance)
            total = scaled(centred, norm.scale.value, shift, onto=total)
        return constant(shift, nodes[0]) if total is None else images_of(total, nodes[0])

    def _folded_convolutions(self, nodes: Nodes, node: Node) -> Tensor | None:
        total = None
        for edge in node.convolutions:
            weight, shift = self._folded[edge.position]
            image = nodes.operands.accumulated(convolve(nodes.rectified(edge), weight, bias=shift))
            total = image if total is None else total.add_(image)
        for edge in node.biases:
            image = constant(self.biases[edge.position].value, nodes[0])
            total = image if total is None else total.add_(image)
        return total

    def backward(self, gradient: Tensor) -> Tensor | None:
        """Writes the gradients of all parameters; returns node 0's, or None where the output does not depend on it."""
        nodes = self._kept.take()
        given = [Gradients() for _ in nodes.images]
        given[-1].skipped.append(gradient)
        for target in range(len(given) - 1, 0, -1):
            node = self.plan.nodes[target]
            total = given[target].total(nodes[target], self.pool) if node else None
            if node is None or total is None:
                continue
            for edge in node.skips:
                given[edge.source].skipped.append(total)
            for edge in node.pools:
                given[edge.source].pooled.append(total)
            self._convolutions_backward(nodes, node, total, given)
        return given[0].total(nodes[0], self.pool)

    def _convolutions_backward(self, nodes: Nodes, node: Node, gradient: Tensor, given: "list[Gradients]") -> None:
        if not node.convolutions and not node.biases:
            return
        rows = rows_of(gradient)
        sums = channel_sums(rows, gradient.shape[1])
        for edge in node.biases:
            self.biases[edge.position].gradient.copy_(sums)
        for edge in node.convolutions:
            weight, norm = self.units[edge.position]
            norm.shift.gradient.copy_(sums)
            below, to_scale = centre_backward(rows, sums, nodes.centred.pop(edge.position), norm.scale.value)
            norm.scale.gradient.copy_(to_scale)
            to_source, to_weight = _through(nodes, edge, images_of(below, gradient), weight.value)
            weight.gradient.copy_(to_weight)
            given[edge.source].convolved.append(to_source)


def _through(nodes: Nodes, edge: Edge, gradient: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of a convolution's rectified source and of its weight."""
    operands, source = nodes.operands, nodes.rectified(edge)
    to_source, to_weight = convolve_backward(operands.cast(gradient, edge.kernel), source, operands.weight(weight))
    return operands.accumulated(to_source), to_weight


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
        received = sum_of(None, self.pooled)
        if received is not None:
            pooled = pool.backward(received)
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


def constant(shift: Tensor, like: Tensor) -> Tensor:
    """Channels-last images of the size of `like` whose pixels are all `shift` (C,)."""
    return shift.view(1, -1, 1, 1).expand_as(like).contiguous(memory_format=torch.channels_last)
